//! F02: a tensor without gradient decays.

use wd_page::number::significant;

use super::words::{agree, listed, taken};
use super::{Report, Rule};
use crate::case::Case;
use crate::estimate::Method;
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
    let drifted = case
        .proof
        .drifts
        .iter()
        .filter(|one| one.is_pure_factor && !one.is_equal && 0.0 < one.along && one.along < 1.0)
        .map(|one| (&one.tensor, one.along));
    // Where the optimizer keeps a state that never saw a gradient, a λ̂ stands in place of a drift.
    let unseen = case.proof.estimates.iter().filter_map(|one| {
        let rows = tensors.get(one.tensor.as_str())?.shape().first().copied()?;
        let shrink = one.shrink.filter(|shrink| shrink.low > 0.0)?;
        let is_whole = one.method == Method::NeverSeen && one.rows == rows;
        is_whole.then(|| (&one.tensor, (-shrink.value).exp()))
    });
    let shrunk: Vec<(&String, f64)> =
        drifted.chain(unseen).filter(|(tensor, _)| is_large(tensor)).collect();
    let Some(&(_, along)) = shrunk.first() else { return };
    let names: Vec<String> = shrunk.iter().map(|(tensor, _)| (*tensor).clone()).collect();
    let message = format!(
        "Every element of {} was multiplied by one number ({}{}, a loss of {}): {} no \
         gradient and {}.",
        listed(&names),
        significant(along, 7),
        agree(&names, "", " for the first"),
        taken(1.0 - along),
        agree(&names, "it has", "they have"),
        agree(&names, "decays", "decay")
    );
    let fix = "Take frozen tensors out of the optimizer's groups.".to_owned();
    report.add(Place::file(&subject.checkpoint.path), message, fix, names);
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::estimate::{Estimate, Method};
    use crate::rules::testing::*;

    pub(crate) fn fault() -> Case {
        let mut case = two(clean(), clean());
        case.proof.drifts = vec![
            drift("h.0.attn.c_attn.weight", 0.99, true),
            drift("h.0.mlp.c_fc.weight", 0.98, false),
        ];
        case
    }

    #[test]
    fn a_tensor_whose_state_never_saw_a_gradient_is_found() {
        let mut case = two(clean(), clean());
        let mut whole = estimate("h.0.mlp.c_fc.weight", Method::NeverSeen, 0.1, 1e-4);
        whole.shrink = Some(Estimate::new(0.01, 1e-6, 0.0));
        let rows = case.subjects[1].checkpoint.tensor("h.0.mlp.c_fc.weight").unwrap().shape()[0];
        // Some rows without gradient are no frozen tensor.
        whole.rows = rows - 1;
        case.proof.estimates = vec![whole.clone()];
        assert!(findings_of("F02", &case).is_empty());
        whole.rows = rows;
        case.proof.estimates = vec![whole];
        assert_eq!(findings_of("F02", &case).len(), 1);
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
