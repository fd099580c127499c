//! S09: a parameter lies in a group that decays and was never touched.

use super::evidence::{decays, parameters_of};
use super::words::{agree, labels, listed, tensors};
use super::{Report, Rule};
use crate::case::Case;
use crate::finding::{Place, Severity};

pub(super) static RULE: Rule = Rule {
    id: "S09",
    name: "decayed-on-paper",
    severity: Severity::Note,
    finds: "A parameter lies in a group that decays, and the optimizer never touched it.",
    why: "PyTorch passes over a parameter that has no gradient: it makes no state, no update and \
        no decay. A layer that is frozen or unused keeps its start bit by bit, whatever λ its \
        group has. Under Muon as its author wrote it, in JAX and in Keras such a layer does decay.",
    seen: "The optimizer keeps state for other parameters and none for this one, and λ of its \
        group is above 0. This needs a saved optimizer.",
    mend: "Leave what is frozen out of the groups, so that the count of decayed tensors is true:\
        \n\n    params = [p for p in model.parameters() if p.requires_grad]\
        \n\nIf the layer should be trained, find out why it has no gradient.",
    no_fault: "It is a note: nothing goes wrong by itself. Before the first step no parameter has \
        state, and nothing is reported.",
    cases: &["Muon#54", "moco#14"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let mut names = Vec::new();
        for (index, optimizer) in subject.checkpoint.optimizers.iter().enumerate() {
            if optimizer.states.is_empty() {
                continue;
            }
            let parameters = parameters_of(subject, index).into_iter();
            names.extend(labels(parameters.filter(|one| decays(one) && !one.has_state)));
        }
        if names.is_empty() {
            continue;
        }
        let message = format!(
            "{} in groups that decay {} no state, so that PyTorch never touched {}: {}.",
            tensors(&names),
            agree(&names, "has", "have"),
            agree(&names, "it", "them"),
            listed(&names)
        );
        let fix = "Leave frozen and unused parameters out of the groups.".to_owned();
        report.add(Place::file(&subject.checkpoint.path), message, fix, names);
    }
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::rules::testing::*;

    pub(crate) fn fault() -> Case {
        let mut subject = clean();
        subject.parameters[1].has_state = false;
        subject.checkpoint.optimizers[0].states.remove(1);
        one(subject)
    }

    /// Before the first step nothing has state.
    pub(crate) fn look_alike() -> Case {
        let mut subject = clean();
        subject.parameters.iter_mut().for_each(|parameter| parameter.has_state = false);
        subject.checkpoint.optimizers[0].states.clear();
        one(subject)
    }
}
