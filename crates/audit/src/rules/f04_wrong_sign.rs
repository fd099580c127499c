//! F04: weights without gradient grow.

use wd_page::number::{short, significant};

use super::words::{listed, once};
use super::{Report, Rule};
use crate::case::Case;
use crate::estimate::{Estimate, Method};
use crate::finding::{Place, Severity};

/// Elements that a tensor must have before one common factor is no chance.
const LEAST_ELEMENTS: usize = 16;

pub(super) static RULE: Rule = Rule {
    id: "F04",
    name: "wrong-sign",
    severity: Severity::Error,
    finds: "Weights without gradient grow: the decay has the wrong sign.",
    why: "A sign error makes of decay its opposite. The training may look well for a long time, \
        since the updates work against the growth, and the norms then rise without end.",
    seen: "Rows without gradient, or a whole tensor, were multiplied by one number above 1 between \
        two checkpoints, with an interval that excludes 1. This is a nearly exact test, and needs \
        two files of the model.",
    mend: "Correct the sign where the step is made:\
        \n\n    p.mul_(1 - lr * weight_decay)\
        \n\nA step with gradients of zero must make every weight smaller.",
    no_fault: "OLMo once had a growing norm on purpose. A tensor that was trained may grow as it \
        likes, and is not reported: only weights without gradient are.",
    cases: &["chainer#261", "OLMo#567"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    let Some(subject) = case.subjects.last().filter(|_| case.subjects.len() > 1) else { return };
    let fix = "Correct the sign of the decay in the optimizer's step.".to_owned();
    let place = Place::file(&subject.checkpoint.path);
    let rows: Vec<(&str, Estimate)> = case
        .proof
        .estimates
        .iter()
        .filter(|one| {
            matches!(one.method, Method::NeverSeen | Method::UnseenBetween | Method::Consecutive)
        })
        .filter_map(|one| Some((one.tensor.as_str(), one.lambda.or(one.shrink)?)))
        .filter(|(_, estimate)| is_below_zero(*estimate))
        .collect();
    if let Some((_, estimate)) = rows.first() {
        let names = once(rows.iter().map(|(name, _)| *name));
        let message = format!(
            "The files prove that weights of {} grow where decay alone acts: the decay is {} [{}, \
             {}].",
            listed(&names),
            short(estimate.value),
            short(estimate.low),
            short(estimate.high)
        );
        report.add(place, message, fix, names);
        return;
    }
    let tensors = subject.checkpoint.tensors_by_name();
    let grown = case.proof.drifts.iter().filter(|one| {
        let elements = tensors.get(one.tensor.as_str()).map_or(0, |tensor| tensor.elements());
        one.is_pure_factor && !one.is_equal && one.along > 1.0 && elements >= LEAST_ELEMENTS
    });
    let grown: Vec<_> = grown.collect();
    let Some(first) = grown.first() else { return };
    let names = once(grown.iter().map(|one| one.tensor.as_str()));
    let message = format!(
        "Every element of {} was multiplied by one number above 1 ({} for the first).",
        listed(&names),
        significant(first.along, 7)
    );
    report.add(place, message, fix, names);
}

/// Whether the decay is negative by five standard errors, so that no count of tensors makes it
/// chance.
fn is_below_zero(estimate: Estimate) -> bool {
    let half = 0.5 * (estimate.high - estimate.low);
    estimate.high < 0.0 && -estimate.value > 2.5 * half
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::estimate::Method;
    use crate::rules::testing::*;

    pub(crate) fn fault() -> Case {
        proved(vec![estimate("wte.weight", Method::NeverSeen, -0.1, 1e-4)])
    }

    /// A trained tensor that grows, and a λ̂ of 0 within its interval.
    pub(crate) fn look_alike() -> Case {
        let mut case = two(clean(), clean());
        let mut zero = estimate("wte.weight", Method::NeverSeen, -1e-5, 1e-4);
        zero.declared = Some(0.0);
        case.proof.estimates = vec![zero];
        case.proof.drifts = vec![drift("h.0.mlp.c_fc.weight", 1.02, false)];
        case
    }

    #[test]
    fn a_whole_tensor_that_grows_by_one_factor_is_found() {
        let mut case = two(clean(), clean());
        case.proof.drifts = vec![drift("h.0.mlp.c_fc.weight", 1.01, true)];
        assert_eq!(findings_of("F04", &case).len(), 1);
        assert!(findings_of("F02", &case).is_empty());
    }
}
