//! S03: one of the two groups is empty.

use super::evidence::{is_matrix, is_vector, parameters_of};
use super::words::{labels, listed};
use super::{Report, Rule};
use crate::case::{Case, Parameter};
use crate::checkpoint::Group;
use crate::finding::{Place, Severity};

pub(super) static RULE: Rule = Rule {
    id: "S03",
    name: "empty-group",
    severity: Severity::Error,
    finds: "The parameters were to be split into those that decay and those that do not, and one \
        of the two groups is empty.",
    why: "A condition that is always true, or always false, puts every parameter on one side. \
        Either everything decays, gains and biases included, or nothing does. The code looks \
        right, runs, and prints no warning.",
    seen: "An optimizer has a group without parameters whose λ is on one side of 0, every other \
        group is on the other side, and tensors lie there that belong into the empty one. This \
        needs a saved optimizer, and the names or shapes of its parameters.",
    mend: "Test one name against each pattern, and not the name as an element of a list:\
        \n\n    no_decay = [n for n, p in named if any(part in n for part in (\"bias\", \"norm\"))]\
        \n\nAfterwards both groups have parameters:\
        \n\n    assert all(group[\"params\"] for group in groups)",
    no_fault: "A training of adapters alone has no gains and biases, and its second group is \
        rightly empty; so is one that trains nothing but biases. Neither is reported.",
    cases: &["mt-dnn#37", "tabular-dl-tabr#19"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        for (index, optimizer) in subject.checkpoint.optimizers.iter().enumerate() {
            let parameters = parameters_of(subject, index);
            let Some((is_decaying, misplaced)) = empty(&optimizer.groups, &parameters) else {
                continue;
            };
            let names = labels(misplaced);
            let message = match is_decaying {
                true => format!(
                    "The group that decays is empty, and nothing decays: not {} either.",
                    listed(&names)
                ),
                false => format!(
                    "The group with λ = 0 is empty, and everything decays: {} as well.",
                    listed(&names)
                ),
            };
            let fix = "Mend the condition that splits the parameters, and check both groups.";
            report.add(Place::file(&subject.checkpoint.path), message, fix.to_owned(), names);
            break;
        }
    }
}

/// Whether the empty side is the one that decays, and what belongs there.
fn empty<'a>(groups: &[Group], parameters: &[&'a Parameter]) -> Option<(bool, Vec<&'a Parameter>)> {
    let side = |group: &Group| group.lambda.map(|lambda| lambda > 0.0);
    let is_empty = |decaying: bool| {
        let mut these = groups.iter().filter(|group| side(group) == Some(decaying)).peekable();
        these.peek().is_some() && these.all(|group| group.parameters.is_empty())
    };
    let is_other_full = |decaying: bool| {
        let mut others = groups.iter().filter(|group| side(group) == Some(!decaying));
        others.any(|group| !group.parameters.is_empty())
    };
    [true, false].into_iter().find_map(|decaying| {
        let belongs = |one: &&&Parameter| if decaying { is_matrix(one) } else { is_vector(one) };
        let misplaced: Vec<&Parameter> = parameters.iter().filter(belongs).copied().collect();
        let is_fault = is_empty(decaying) && is_other_full(decaying) && !misplaced.is_empty();
        is_fault.then_some((decaying, misplaced))
    })
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::names::Kind;
    use crate::rules::testing::*;

    const ADAPTERS: &[Entry] = &[
        ("h.0.attn.q_proj.lora_A.weight", &[2, 4], Kind::Adapter),
        ("h.0.attn.q_proj.lora_B.weight", &[4, 2], Kind::Adapter),
    ];

    pub(crate) fn fault() -> Case {
        one(adamw(&[(0.1, &[MATRICES, NORMS, BIASES, EMBEDDING, HEAD]), (0.0, &[])]))
    }

    /// Adapters alone, which have no gains and biases.
    pub(crate) fn look_alike() -> Case {
        one(adamw(&[(0.1, &[ADAPTERS]), (0.0, &[])]))
    }

    #[test]
    fn an_empty_group_that_should_decay_is_found() {
        let case = one(adamw(&[(0.1, &[]), (0.0, &[MATRICES, NORMS])]));
        let [finding] = &findings_of("S03", &case)[..] else { panic!("one finding") };
        assert!(finding.message.starts_with("The group that decays is empty"));
        let biases = one(adamw(&[(0.1, &[]), (0.0, &[BIASES])]));
        assert!(findings_of("S03", &biases).is_empty());
    }
}
