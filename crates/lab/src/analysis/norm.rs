//! The weight norm that the norm recursion predicts, beside the one that was measured.
//!
//! The prediction is ρ_{t+1} = (1 − s_t)²ρ_t + η_t² for each tensor ([`wd_decay::norm_recursion`]), put together over a
//! group of tensors by their numbers of elements. It is made for Adam's direction under a rule that shrinks the
//! weights directly; for other optimizers, coupled L2, the cautious modifier, an anchor other than zero and weights
//! that were read from a file nothing is predicted. A norm that hyperball holds stays what it was.

use wd_decay::{UpdateNoise, norm_recursion};
use wd_store::{Plan, PlannedTensor};

use super::trial::TrialRecord;
use super::{Band, RoleNorm};
use crate::analysis::window::{centre, windows};
use wd_statistics::interval;

/// Tensors whose norm is looked at together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    pub(crate) role: String,
    pub(crate) kind: Option<String>,
    pub(crate) tensors: Vec<usize>,
}

/// The groups of a plan: each role whole, in the order of their first tensors; then, when there are several, each kind of
/// matrix.
pub(crate) fn groups(plan: &Plan) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut put = |role: &str, kind: Option<String>, tensor: usize| match groups
        .iter_mut()
        .find(|group| group.role == role && group.kind == kind)
    {
        Some(group) => group.tensors.push(tensor),
        None => groups.push(Group { role: role.to_owned(), kind, tensors: vec![tensor] }),
    };
    for (index, tensor) in plan.tensors.iter().enumerate() {
        put(&tensor.role, None, index);
    }
    for (index, tensor) in plan.tensors.iter().enumerate() {
        if tensor.role == "matrix" {
            put(&tensor.role, Some(kind(&tensor.path)), index);
        }
    }
    if groups.iter().filter(|group| group.kind.is_some()).count() < 2 {
        groups.retain(|group| group.kind.is_none());
    }
    groups
}

/// `block.3.attention.qkv.weight` → `attention.qkv`.
fn kind(path: &str) -> String {
    let parts: Vec<&str> = path.split('.').collect();
    let start = match parts.as_slice() {
        [_, number, _, ..] if number.bytes().all(|byte| byte.is_ascii_digit()) => 2,
        _ => 0,
    };
    let end = match parts.last() {
        Some(&"weight") if parts.len() > start + 1 => parts.len() - 1,
        _ => parts.len(),
    };
    parts[start..end].join(".")
}

/// Measured and predicted RMS of each group, over the finished trials of one arm, which share `plan` but for its seed.
pub(crate) fn role_norms(plan: &Plan, finished: &[&TrialRecord]) -> Vec<RoleNorm> {
    let Some(first) = finished.first() else {
        return Vec::new();
    };
    let begins_free = begins_free(first);
    let rows = plan.steps as usize;
    let cuts = windows(rows);
    groups(plan)
        .into_iter()
        .enumerate()
        .map(|(index, group)| {
            let of_seeds: Vec<_> = finished
                .iter()
                .filter_map(|trial| trial.measured())
                .filter_map(|measured| measured.group_rms.get(index))
                .collect();
            let measured = (0..cuts.len())
                .filter_map(|window| {
                    let values: Vec<f64> = of_seeds.iter().map(|rms| rms.windows[window]).collect();
                    Band::of(centre(&cuts[window]), &values)
                })
                .collect();
            let tensors: Vec<&PlannedTensor> =
                group.tensors.iter().map(|&tensor| &plan.tensors[tensor]).collect();
            let predicted = match begins_free {
                true => predicted_rms(plan, &tensors).unwrap_or_default(),
                false => Vec::new(),
            };
            let ratios: Vec<f64> = of_seeds
                .iter()
                .filter_map(|rms| rms.last)
                .filter_map(|(row, value)| predicted.get(row).map(|prediction| value / prediction))
                .collect();
            RoleNorm {
                role: group.role,
                kind: group.kind,
                measured,
                predicted: cuts
                    .iter()
                    .filter_map(|window| {
                        let step = centre(window);
                        predicted.get(step as usize - 1).map(|rms| (step.floor(), *rms))
                    })
                    .collect(),
                ratio: interval(&ratios),
            }
        })
        .collect()
}

/// Do the weights begin at their initialisation, and decay to zero?
fn begins_free(trial: &TrialRecord) -> bool {
    let set = |key: &str| trial.configuration.get(key).map(String::as_str);
    // An anchor that is a table has no key of its own in a flat configuration.
    let anchored = trial.configuration.keys().any(|key| key.starts_with("decay.anchor."));
    set("model.init_from").is_none()
        && matches!(set("decay.anchor"), None | Some("zero"))
        && !anchored
}

/// RMS of some tensors of a plan, taken together, after each step, as the norm recursion predicts it.
///
/// `None` where it makes no statement: a direction other than Adam's, coupled L2, the cautious modifier, a tensor whose
/// λ is set while the run's is 0 (its shrinks are not in the plan). The caller knows whether the weights begin at
/// their initialisation and decay to zero; nothing else is predicted.
pub fn predicted_rms(plan: &Plan, tensors: &[&PlannedTensor]) -> Option<Vec<f64>> {
    let decays = plan.tensors.iter().any(|tensor| tensor.lambda != 0.0);
    let shrinks_directly = plan.rule != "coupled-l2" && !plan.cautious;
    let complete =
        plan.learning_rates.len() as u64 == plan.steps && plan.shrinks.len() as u64 == plan.steps;
    let is_adam = matches!(plan.optimizer.as_str(), "adam" | "adamw");
    if !is_adam || !complete || (decays && !shrinks_directly) {
        return None;
    }
    let diffusion = UpdateNoise::Adam { beta1: plan.beta1 }.diffusion();
    let mut squares = vec![0.0; plan.learning_rates.len()];
    let mut elements = 0.0;
    for tensor in tensors {
        // The plan's shrinks are those of a tensor with the configured λ.
        let multiplier = match (tensor.lambda, plan.lambda) {
            (0.0, _) => 0.0,
            (_, 0.0) => return None,
            (own, configured) => own / configured,
        };
        let shrinks: Vec<f64> = plan.shrinks.iter().map(|shrink| shrink * multiplier).collect();
        let rms = if plan.rule == "hyperball" && tensor.lambda != 0.0 {
            vec![tensor.initial_rms; plan.learning_rates.len()]
        } else {
            norm_recursion(tensor.initial_rms, &plan.learning_rates, &shrinks, diffusion)
        };
        let count = tensor.parameters as f64;
        elements += count;
        for (square, rms) in squares.iter_mut().zip(rms) {
            *square += count * rms * rms;
        }
    }
    Some(squares.iter().map(|square| (square / elements).sqrt()).collect())
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn the_kind_of_a_matrix_is_its_path_without_block_and_weight() {
        assert_eq!(kind("block.3.attention.qkv.weight"), "attention.qkv");
        assert_eq!(kind("block.11.mlp.up.weight"), "mlp.up");
        assert_eq!(kind("projection.weight"), "projection");
        assert_eq!(kind("weight"), "weight");
    }
}
