//! F02: a tensor without gradient decays.

use wd_page::number::{percent, significant};

use super::words::{agree, listed};
use super::{Report, Rule};
use crate::case::Case;
use crate::estimate::Drift;
use crate::finding::{Place, Severity};

/// Elements that a tensor must have before one common factor is no chance.
const LEAST_ELEMENTS: usize = 16;

pub(super) static RULE: Rule = Rule {
    id: "F02",
    name: "frozen-decays",
    severity: Severity::Error,
    finds: "A tensor changed by one factor in all its elements: it is frozen or unused, and \
        decays.",
    why: "A layer that was to keep what it learnt before is taken to 0 step by step. PyTorch's own \
        optimizers pass over a parameter without gradient, but a gradient of zeros is one; Muon as \
        its author wrote it, JAX and Keras decay every parameter they are given.",
    seen: "Between two checkpoints every element of a tensor was multiplied by the same number \
        below 1, up to rounding. This is an exact test, and needs two files of the model.",
    mend: "Take frozen tensors out of the optimizer, or their gradient away:\
        \n\n    parameter.requires_grad_(False)\
        \n    optimizer.zero_grad(set_to_none=True)\
        \n\nBetween tasks make a new optimizer for the tensors that are trained.",
    no_fault: "A tensor with equal bits in both files is frozen as it should be, and one that was \
        trained has no common factor. Tensors of fewer than 16 elements give no verdict.",
    cases: &["diffusers#1009", "S-Prompts#2", "Muon#54"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    let Some(subject) = case.subjects.last().filter(|_| case.subjects.len() > 1) else { return };
    let tensors = subject.checkpoint.tensors_by_name();
    let is_large =
        |name: &str| tensors.get(name).is_some_and(|tensor| tensor.elements() >= LEAST_ELEMENTS);
    let shrunk: Vec<&Drift> = case
        .proof
        .drifts
        .iter()
        .filter(|one| one.is_pure_factor && !one.is_equal && is_large(&one.tensor))
        .filter(|one| 0.0 < one.along && one.along < 1.0)
        .collect();
    let Some(first) = shrunk.first() else { return };
    let names: Vec<String> = shrunk.iter().map(|one| one.tensor.clone()).collect();
    let message = format!(
        "Every element of {} was multiplied by one number ({} for the first, a loss of {}): {} no \
         gradient and {}.",
        listed(&names),
        significant(first.along, 7),
        percent(1.0 - first.along),
        agree(&names, "it has", "they have"),
        agree(&names, "decays", "decay")
    );
    let fix = "Take frozen tensors out of the optimizer's groups.".to_owned();
    report.add(Place::file(&subject.checkpoint.path), message, fix, names);
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::rules::testing::*;

    pub(crate) fn fault() -> Case {
        let mut case = two(clean(), clean());
        case.proof.drifts = vec![
            drift("h.0.attn.c_attn.weight", 0.99, true),
            drift("h.0.mlp.c_fc.weight", 0.98, false),
        ];
        case
    }

    /// A frozen tensor with equal bits, a trained one, and a gain of four elements.
    pub(crate) fn look_alike() -> Case {
        let mut case = fault();
        case.proof.drifts = vec![
            drift("h.0.attn.c_attn.weight", 1.0, true),
            drift("h.0.mlp.c_fc.weight", 0.98, false),
            drift("ln_f.weight", 0.99, true),
        ];
        case
    }
}
