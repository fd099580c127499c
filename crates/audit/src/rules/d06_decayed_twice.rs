//! D06: the weights decay twice.

use wd_page::number::short;

use super::evidence::{groups, is_twice, proved};
use super::words::{listed, once};
use super::{Report, Rule};
use crate::case::Case;
use crate::estimate::{Estimate, Method};
use crate::finding::{Place, Severity};

pub(super) static RULE: Rule = Rule {
    id: "D06",
    name: "decayed-twice",
    severity: Severity::Error,
    finds: "The weights decay twice: by twice the declared λ, or by both rules at once.",
    why: "Decay in the optimizer and a penalty in the loss add up. So do the decay of an optimizer \
        and that of a wrapper around it, or a parameter that lies in two groups. The λ that is \
        reported is then half of the one that acted.",
    seen: "Two checkpoints give λ̂ of each tensor, and it is twice the declared λ; or the momentum \
        of rows without gradient holds a penalty beside a decoupled λ. This needs two checkpoints \
        that prove a λ̂, or the optimizer's state with such rows.",
    mend: "Search for a second place that decays: a term in the loss, a hook, a call of p.mul_(1 - \
        lr * wd) beside the optimizer's own. Then keep one:\
        \n\n    loss = cross_entropy(logits, targets)  # no + 0.5 * wd * sum(p.pow(2).sum() ...)\
        \n\nA step with zero gradients must shrink a weight by ηλ and by no more.",
    no_fault: "A λ̂ near the declared one, however exact, is none, and neither is one that differs \
        by another factor: that is F03.",
    cases: &["Neuron_SP#13"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    let Some(subject) = case.subjects.last() else { return };
    let place = || Place::file(&subject.checkpoint.path);
    let twice: Vec<(&str, Estimate, f64)> = proved(case)
        .filter(|(_, estimate, declared)| is_twice(*estimate, *declared))
        .map(|(tensor, estimate, declared)| (tensor.tensor.as_str(), estimate, declared))
        .collect();
    let fix = "Find the second place that decays, in the loss, a hook or a wrapper, and remove \
               one.";
    if let Some(&(_, estimate, declared)) = twice.first() {
        let names = once(twice.iter().map(|(name, ..)| *name));
        let message = format!(
            "The files prove λ̂ = {} [{}, {}] for {}, twice the declared λ = {}.",
            short(estimate.value),
            short(estimate.low),
            short(estimate.high),
            listed(&names),
            short(declared)
        );
        report.add(place(), message, fix.to_owned(), names);
        return;
    }
    let is_decoupled =
        groups(subject).any(|(_, group)| group.decoupled == Some(true) && group.lambda > Some(0.0));
    let coupled = case.proof.estimates.iter().find(|one| {
        one.method == Method::CoupledMomentum && one.lambda.is_some_and(|lambda| lambda.low > 0.0)
    });
    if let (true, Some(found)) = (is_decoupled, coupled) {
        let message = format!(
            "The optimizer's decay is decoupled, and the momentum of rows of `{}` without a \
             gradient of the loss holds a penalty as well, with λ̂ = {}.",
            found.tensor,
            found.lambda.map_or(String::new(), |lambda| short(lambda.value))
        );
        report.add(place(), message, fix.to_owned(), vec![found.tensor.clone()]);
    }
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::estimate::Method;
    use crate::rules::testing::*;

    pub(crate) fn fault() -> Case {
        let names = ["wte.weight", "h.0.mlp.c_fc.weight"];
        proved(names.map(|name| estimate(name, Method::Consecutive, 0.2001, 0.0004)).into())
    }

    /// λ̂ is as declared.
    pub(crate) fn look_alike() -> Case {
        proved(vec![estimate("wte.weight", Method::Consecutive, 0.1001, 0.0004)])
    }

    #[test]
    fn a_penalty_beside_decoupled_decay_is_found() {
        let mut case = one(clean());
        case.proof.estimates = vec![estimate("wte.weight", Method::CoupledMomentum, 0.1, 0.01)];
        assert_eq!(findings_of("D06", &case).len(), 1);
    }
}
