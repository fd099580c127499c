//! What rules ask of the evidence: each question has one answer, here.

use crate::case::{Case, Parameter, Subject, is_decoupled};
use crate::checkpoint::{Group, NamedTensor, OptimizerState, ParameterId, ParameterState};
use crate::dialect::Declaration;
use crate::estimate::{Estimate, Method, TensorEstimate};
use crate::names::Kind;
use crate::tensor::{Dtype, Tensor};

/// Half an ulp of a bf16 number as a share of it, at its smallest: a shrink below 2⁻⁹ always
/// rounds back.
pub(super) const BF16_QUANTUM: f64 = 1.0 / 512.0;
/// The same of an f32 number, 2⁻²⁵.
pub(super) const F32_QUANTUM: f64 = 1.0 / (1 << 25) as f64;
/// The shrink below which f32 rounding was measured to change the decay by more than 3 %.
pub(super) const F32_ROUGH: f64 = 1e-6;

/// Whether a parameter lies in a group that decays.
pub(super) fn decays(parameter: &Parameter) -> bool {
    parameter.lambda.is_some_and(|lambda| lambda > 0.0)
}

/// Whether a parameter lies in a group with λ = 0.
pub(super) fn is_spared(parameter: &Parameter) -> bool {
    parameter.lambda == Some(0.0)
}

/// Whether a parameter is a gain: many trainers spare biases by name, those of normalisations too.
pub(super) fn is_gain(parameter: &Parameter) -> bool {
    let name = parameter.name.as_deref().unwrap_or_default();
    parameter.kind == Some(Kind::Norm) && !name.ends_with("bias") && !name.ends_with("beta")
}

/// Whether a parameter is many tensors as one vector.
pub(super) fn is_flat(parameter: &Parameter) -> bool {
    let named = parameter.name.as_deref().is_some_and(|name| name.contains("flat_param"));
    named || parameter.kind == Some(Kind::Flat)
}

/// Whether a parameter is a gain, a bias or another single vector.
pub(super) fn is_vector(parameter: &Parameter) -> bool {
    let by_kind = matches!(parameter.kind, Some(Kind::Norm | Kind::Bias | Kind::Vector));
    let by_shape = parameter.shape.as_ref().is_some_and(|shape| shape.len() < 2);
    !is_flat(parameter) && (by_kind || by_shape)
}

/// Whether a parameter is a matrix or the filters of a convolution.
pub(super) fn is_matrix(parameter: &Parameter) -> bool {
    match parameter.kind {
        Some(Kind::Matrix | Kind::Convolution) => true,
        Some(_) => false,
        None => parameter.shape.as_ref().is_some_and(|shape| shape.len() >= 2),
    }
}

/// The parameters of one optimizer.
pub(super) fn parameters_of(subject: &Subject, optimizer: usize) -> Vec<&Parameter> {
    subject.parameters.iter().filter(|parameter| parameter.optimizer == optimizer).collect()
}

/// Every group that holds parameters, with its optimizer.
pub(super) fn groups(subject: &Subject) -> impl Iterator<Item = (&OptimizerState, &Group)> {
    let optimizers = subject.checkpoint.optimizers.iter();
    let all = optimizers.flat_map(|one| one.groups.iter().map(move |group| (one, group)));
    all.filter(|(_, group)| !group.parameters.is_empty())
}

/// The optimizer and the group of a parameter; nothing where the indices lead nowhere.
pub(super) fn place_of<'a>(
    subject: &'a Subject,
    parameter: &Parameter,
) -> Option<(&'a OptimizerState, &'a Group)> {
    let optimizer = subject.checkpoint.optimizers.get(parameter.optimizer)?;
    Some((optimizer, optimizer.groups.get(parameter.group)?))
}

/// The distinct λ of groups that hold parameters, in their order.
pub(super) fn lambdas(subject: &Subject) -> Vec<f64> {
    let mut distinct = Vec::new();
    for lambda in groups(subject).filter_map(|(_, group)| group.lambda) {
        if !distinct.contains(&lambda) {
            distinct.push(lambda);
        }
    }
    distinct
}

/// Every parameter with its weights.
pub(super) fn weights(subject: &Subject) -> Vec<(&Parameter, &Tensor)> {
    let by_name = subject.checkpoint.tensors_by_name();
    let parameters = subject.parameters.iter();
    let found = parameters.filter_map(|parameter| {
        let tensor = by_name.get(parameter.name.as_deref()?)?;
        Some((parameter, *tensor))
    });
    found.collect()
}

/// Every parameter that the optimizer keeps something for, with that.
pub(super) fn states(subject: &Subject) -> Vec<(&Parameter, &ParameterState)> {
    let mut found = Vec::new();
    for (index, optimizer) in subject.checkpoint.optimizers.iter().enumerate() {
        let by_id = optimizer.states_by_id();
        let groups = optimizer.groups.iter();
        let ids: Vec<&ParameterId> = groups.flat_map(|group| &group.parameters).collect();
        for parameter in parameters_of(subject, index) {
            let state = ids.get(parameter.index).and_then(|id| by_id.get(id));
            found.extend(state.map(|state| (parameter, *state)));
        }
    }
    found
}

/// The largest learning rate that is known for a group: no step can have used more. A default that
/// nobody stated counts where no rate was saved.
pub(super) fn peak_rate(
    subject: &Subject,
    group: &Group,
    declarations: &[Declaration],
) -> Option<f64> {
    let largest = setting(&group.settings, "max_lr");
    let saved = [group.rate, group.initial_rate, largest].into_iter().flatten();
    let logged = subject.checkpoint.rates.iter().map(|logged| logged.rate);
    let declared = |by_default: bool| {
        let rates = declarations.iter().filter_map(|declaration| declaration.rate);
        rates.filter(move |rate| rate.default == by_default).map(|rate| rate.value)
    };
    let known = saved.chain(logged).chain(declared(false)).filter(|rate| rate.is_finite());
    known.max_by(f64::total_cmp).or_else(|| declared(true).max_by(f64::total_cmp))
}

/// Whether a step takes λ itself off the weights, and not λ times the rate.
pub(super) fn is_shrink_itself(optimizer: &OptimizerState, declarations: &[Declaration]) -> bool {
    let composer = optimizer.name.as_deref().is_some_and(|name| name.starts_with("Decoupled"));
    composer || declarations.iter().any(|declaration| declaration.is_independent_of_rate)
}

/// Whether λ follows a schedule of its own, so that no single number can be expected in a group.
pub(super) fn has_lambda_schedule(subject: &Subject, declarations: &[Declaration]) -> bool {
    let saved = subject.checkpoint.schedulers.iter().any(|scheduler| {
        let number = |key| setting(&scheduler.settings, key);
        number("start_wd").is_some_and(|start| number("end_wd") != Some(start))
    });
    let ends_elsewhere = |one: &Declaration| {
        one.final_lambda.is_some_and(|last| one.lambda.is_none_or(|first| first.value != last))
    };
    saved || declarations.iter().any(ends_elsewhere)
}

/// A number among settings.
pub(super) fn setting(settings: &[(String, crate::checkpoint::Value)], key: &str) -> Option<f64> {
    settings.iter().find(|(name, _)| name == key).and_then(|(_, value)| value.number())
}

/// Whether two values of λ or of a rate are the same number, written with other digits at most.
pub(super) fn is_same(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-4 * left.abs().max(right.abs())
}

/// λ̂ of tensors by the methods that prove, with the λ that was declared for each.
pub(super) fn proved(case: &Case) -> impl Iterator<Item = (&TensorEstimate, Estimate, f64)> {
    case.proof.estimates.iter().filter_map(|estimate| {
        let (lambda, declared) = (estimate.lambda?, estimate.nearest_declared()?);
        let proves = match estimate.method {
            Method::Consecutive | Method::NeverSeen | Method::UnseenBetween => true,
            // It knows λ to some per cent, and beside decoupled decay it is a second one (D06).
            Method::CoupledMomentum => {
                estimate.shows_penalty()
                    && (lambda.value - declared).abs() > 0.1 * declared
                    && (declared == 0.0 || !is_beside_gradient(case, &estimate.tensor))
            }
            Method::InitialSpread => false,
        };
        proves.then_some((estimate, lambda, declared))
    })
}

/// Whether the decay of a tensor is known to stand beside its gradient.
fn is_beside_gradient(case: &Case, tensor: &str) -> bool {
    last_of(case, tensor).is_some_and(|(subject, parameter)| {
        place_of(subject, parameter).is_some_and(|(optimizer, group)| {
            is_decoupled(optimizer, group, subject.declared(case)) == Some(true)
        })
    })
}

/// A parameter in the last checkpoint, by its name.
fn last_of<'a>(case: &'a Case, tensor: &str) -> Option<(&'a Subject, &'a Parameter)> {
    let subject = case.subjects.last()?;
    let mut parameters = subject.parameters.iter();
    Some((subject, parameters.find(|one| one.name.as_deref() == Some(tensor))?))
}

/// Whether λ̂ is twice the declared λ.
pub(super) fn is_twice(estimate: Estimate, declared: f64) -> bool {
    declared > 0.0 && (estimate.value / declared - 2.0).abs() < 0.1 && estimate.excludes(declared)
}

/// Whether rounding keeps the weights of a tensor from shrinking as declared: bf16 without a
/// 32-bit copy below 2⁻⁹ a step, f32 below 10⁻⁶.
pub(super) fn is_below_rounding(case: &Case, tensor: &str) -> bool {
    let Some((subject, parameter)) = last_of(case, tensor) else { return false };
    let Some((_, group)) = place_of(subject, parameter) else { return false };
    let rate = peak_rate(subject, group, subject.declared(case));
    let (Some(rate), Some(lambda)) = (rate, group.lambda) else { return false };
    if lambda == 0.0 {
        return false;
    }
    let quantum = match subject.weights(parameter).map(Tensor::dtype) {
        Some(Dtype::Bfloat16) if !has_master(subject, parameter) => BF16_QUANTUM,
        _ => F32_ROUGH,
    };
    rate * lambda < quantum
}

/// Whether the optimizer keeps 32-bit numbers for a parameter, as it does where the weights that
/// it updates are 32-bit.
pub(super) fn has_master(subject: &Subject, parameter: &Parameter) -> bool {
    let Some(state) = subject.state(parameter) else { return true };
    let mut floats = state.tensors.iter().map(|one| &one.tensor).filter(|one| {
        // A step count is 32-bit in every file.
        one.dtype().is_float() && one.elements() > 1
    });
    floats.any(|tensor| matches!(tensor.dtype(), Dtype::Float32 | Dtype::Float64))
}

/// The embedding and the head that are one tensor in the file, by name.
pub(super) fn tied(subject: &Subject) -> Option<(&str, &str)> {
    let model = &subject.checkpoint.model;
    let named = |kinds: &[Kind]| -> Vec<&NamedTensor> {
        let wanted = subject
            .parameters
            .iter()
            .filter(|one| one.kind.is_some_and(|kind| kinds.contains(&kind)));
        let names: Vec<&str> = wanted.filter_map(|one| one.name.as_deref()).collect();
        model.iter().filter(|tensor| names.contains(&tensor.name.as_str())).collect()
    };
    for one in named(&[Kind::Embedding, Kind::Head]) {
        let same =
            |other: &&NamedTensor| other.name != one.name && other.tensor.is_same_view(&one.tensor);
        if let Some(other) = model.iter().find(same) {
            return Some((&one.name, &other.name));
        }
    }
    None
}

/// Whether a configuration beside the checkpoint says that embedding and head are one tensor.
pub(super) fn is_declared_tied(subject: &Subject) -> bool {
    let mut embedded = subject.checkpoint.embedded.iter();
    embedded.any(|one| one.value.at("tie_word_embeddings").and_then(|on| on.truth()) == Some(true))
}
