//! N01: bf16 weights without a 32-bit copy swallow the decay.

use wd_page::number::short;

use super::evidence::{
    BF16_QUANTUM, decays, has_master, is_shrink_itself, peak_rate, place_of, weights,
};
use super::words::{labels, listed, tensors};
use super::{Report, Rule};
use crate::case::{Case, Parameter, Subject, is_decoupled};
use crate::checkpoint::{Group, OptimizerState, Value};
use crate::finding::{Place, Severity};
use crate::tensor::Dtype;

pub(super) static RULE: Rule = Rule {
    id: "N01",
    name: "bf16-swallow",
    severity: Severity::Error,
    finds: "The weights are kept in bf16 alone, and a step of decay is less than half their last \
        digit, so that it is rounded away.",
    why: "A bf16 number has eight significant bits. w·(1 − ηλ) rounds back to w wherever ηλ is \
        below 2⁻⁹, about 0.002, which it is in nearly every run: with a rate of 3e-4 and λ = 0.1 \
        it is 3e-5. The decay is computed in each step and never acts. Measured with PyTorch 2.15 \
        over 6000 steps, f32 weights shrank from an RMS of 0.774 to 0.220, and bf16 weights stayed \
        at 0.725 with and without λ.",
    seen: "The weights and the optimizer's state are both stored in bf16, so that there is no \
        32-bit copy, and the largest known rate times λ is below 2⁻⁹. This needs the model and its \
        optimizer, or a configuration that says so.",
    mend: "Keep the weights in 32 bits, and let autocast compute in bf16:\
        \n\n    model.float()\
        \n    with torch.autocast(\"cuda\", dtype=torch.bfloat16): ...\
        \n\nOr use an optimizer that keeps a 32-bit copy or rounds stochastically; PyTorch's fused \
        AdamW adds update and decay before it rounds, which keeps most of the decay.",
    no_fault: "A saved model in bf16 beside 32-bit state was cast for saving, and is not reported; \
        neither are fused kernels and stochastic rounding, and two checkpoints that prove a λ̂ \
        above 0 overrule this rule.",
    cases: &["OneTrainer#996"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    let is_proved = case.proof.estimates.iter().any(|one| {
        one.lambda.is_some_and(|lambda| lambda.low > 0.0)
            || (one.lambda.is_none() && one.shrink.is_some_and(|shrink| shrink.low > 0.0))
    });
    if is_proved {
        return;
    }
    for subject in &case.subjects {
        let swallowed: Vec<(&Parameter, f64)> = weights(subject)
            .into_iter()
            .filter(|(_, tensor)| tensor.dtype() == Dtype::Bfloat16)
            .filter_map(|(parameter, _)| Some((parameter, shrink(case, subject, parameter)?)))
            .filter(|(parameter, shrink)| *shrink < BF16_QUANTUM && !has_master(subject, parameter))
            .collect();
        let Some(largest) = swallowed.iter().map(|(_, shrink)| *shrink).max_by(f64::total_cmp)
        else {
            continue;
        };
        let names = labels(swallowed.into_iter().map(|(parameter, _)| parameter));
        let message = format!(
            "{} in bf16 without a 32-bit copy should shrink by at most ηλ = {} a step, which \
             rounds away below 2⁻⁹ = {}: {}.",
            tensors(&names),
            short(largest),
            short(BF16_QUANTUM),
            listed(&names)
        );
        let fix = "Keep the weights in 32 bits, or round stochastically.".to_owned();
        report.add(Place::file(&subject.checkpoint.path), message, fix, names);
    }
    by_configuration(case, report);
}

/// ηλ of a parameter, where its decay is taken off the weights in a step of its own.
fn shrink(case: &Case, subject: &Subject, parameter: &Parameter) -> Option<f64> {
    let (optimizer, group) = place_of(subject, parameter)?;
    let declarations = subject.declared(case);
    let is_apart = is_decoupled(optimizer, group, declarations) != Some(false)
        && !rounds_kindly(optimizer, group);
    let rate = match is_shrink_itself(optimizer, declarations) {
        true => 1.0,
        false => peak_rate(subject, group, declarations)?,
    };
    (decays(parameter) && is_apart && parameter.has_state).then_some(rate * group.lambda?)
}

/// Whether update and decay are added before they are rounded, or rounding is random.
fn rounds_kindly(optimizer: &OptimizerState, group: &Group) -> bool {
    let named = optimizer.name.as_deref().is_some_and(|name| {
        let name = name.to_lowercase();
        name.contains("stochastic") || name.contains("kahan")
    });
    let set = group.settings.iter().any(|(key, value)| {
        let is_kind = key == "fused" || key.contains("stochastic") || key.contains("kahan");
        is_kind && *value == Value::Bool(true)
    });
    named || set
}

/// What a configuration says by itself, where no optimizer is here to look at.
fn by_configuration(case: &Case, report: &mut Report<'_>) {
    let has_optimizer = case.subjects.iter().any(|one| !one.checkpoint.optimizers.is_empty());
    let found = case.subjects.iter().flat_map(|subject| subject.declared(case));
    let all =
        found.chain(case.subjects.is_empty().then_some(&case.declarations).into_iter().flatten());
    for declaration in all.filter(|_| !has_optimizer) {
        let lambda = declaration.applied_lambda.or(declaration.lambda.map(|lambda| lambda.value));
        let (Some(true), Some(lambda), Some(rate), false) = (
            declaration.is_pure_bf16,
            lambda,
            declaration.rate,
            declaration.decoupled == Some(false),
        ) else {
            continue;
        };
        let shrink = rate.value * lambda;
        if shrink <= 0.0 || shrink >= BF16_QUANTUM {
            continue;
        }
        let message = format!(
            "The configuration keeps the weights in bf16 alone, and ηλ = {} at most rounds away \
             below 2⁻⁹ = {}.",
            short(shrink),
            short(BF16_QUANTUM)
        );
        let place = Place { file: declaration.file.clone(), line: declaration.line };
        let fix = "Keep the weights in 32 bits, or round stochastically.".to_owned();
        report.add(place, message, fix, Vec::new());
        return;
    }
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::checkpoint::Value;
    use crate::estimate::Method;
    use crate::rules::testing::*;
    use crate::tensor::Dtype;

    pub(crate) fn fault() -> Case {
        let mut subject = clean();
        store_as(&mut subject, Dtype::Bfloat16, true, true);
        one(subject)
    }

    /// The model was cast for saving; the state shows that the weights are kept in 32 bits.
    pub(crate) fn look_alike() -> Case {
        let mut subject = clean();
        store_as(&mut subject, Dtype::Bfloat16, true, false);
        one(subject)
    }

    #[test]
    fn fused_kernels_and_a_proof_overrule_it() {
        let mut fused = fault();
        for group in &mut fused.subjects[0].checkpoint.optimizers[0].groups {
            group.settings.push(("fused".to_owned(), Value::Bool(true)));
        }
        assert!(findings_of("N01", &fused).is_empty());
        let mut proved = fault();
        proved.proof.estimates = vec![estimate("wte.weight", Method::Consecutive, 0.1, 0.01)];
        assert!(findings_of("N01", &proved).is_empty());
    }

    #[test]
    fn a_lambda_of_zero_that_rounding_explains_is_not_called_unapplied() {
        let mut case = two(fault().subjects.remove(0), fault().subjects.remove(0));
        case.proof.estimates = vec![estimate("wte.weight", Method::NeverSeen, 0.0, 1e-3)];
        assert_eq!(findings_of("N01", &case).len(), 2);
        assert!(findings_of("F03", &case).is_empty());
    }
}
