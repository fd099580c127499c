//! S04: the gains and biases decay and the matrices do not.

use super::evidence::{decays, is_flat, is_matrix, is_spared, is_vector};
use super::words::{agree, labels, listed, tensors};
use super::{Report, Rule};
use crate::case::{Case, Parameter};
use crate::finding::{Place, Severity};

pub(super) static RULE: Rule = Rule {
    id: "S04",
    name: "groups-swapped",
    severity: Severity::Error,
    finds: "Only tensors of one axis decay, and the matrices are spared: the two groups are \
        swapped.",
    why: "The weights that decay is meant for have none, and the gains and biases that it is not \
        meant for have all of it. The run is one without weight decay whose gains are pulled to 0.",
    seen: "Every parameter in a group with λ above 0 has one axis, and matrices lie in groups with \
        λ = 0. This needs a saved optimizer, and the names or shapes of its parameters.",
    mend: "Exchange the two values:\
        \n\n    {\"params\": with_two_axes, \"weight_decay\": 0.1}\
        \n    {\"params\": with_one_axis, \"weight_decay\": 0.0}\
        \n\nOften it is a missing `not` in the condition.",
    no_fault: "Where only gains or biases are trained, or the parameters are flattened by FSDP or \
        ZeRO, a tensor of one axis says nothing, and nothing is reported.",
    cases: &["CLIP4Clip#11", "BalancingGroups#6"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let parameters = &subject.parameters;
        let decaying: Vec<&Parameter> = parameters.iter().filter(|one| decays(one)).collect();
        let matrices: Vec<&Parameter> =
            parameters.iter().filter(|one| is_spared(one) && is_matrix(one)).collect();
        let is_swapped = !decaying.is_empty()
            && decaying.iter().all(|one| is_vector(one))
            && !parameters.iter().any(is_flat);
        if !is_swapped || matrices.is_empty() {
            continue;
        }
        let (names, spared) = (labels(decaying), labels(matrices));
        let message = format!(
            "Only {} of one axis {} ({}), while {} with more axes {} spared ({}).",
            tensors(&names),
            agree(&names, "decays", "decay"),
            listed(&names),
            tensors(&spared),
            agree(&spared, "is", "are"),
            listed(&spared)
        );
        let fix = "Exchange λ of the two groups.".to_owned();
        report.add(Place::file(&subject.checkpoint.path), message, fix, spared);
    }
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::rules::testing::*;

    pub(crate) fn fault() -> Case {
        one(adamw(&[(0.0, &[MATRICES, EMBEDDING, HEAD]), (0.1, &[NORMS, BIASES])]))
    }

    /// Only biases are trained.
    pub(crate) fn look_alike() -> Case {
        one(adamw(&[(0.1, &[BIASES])]))
    }
}
