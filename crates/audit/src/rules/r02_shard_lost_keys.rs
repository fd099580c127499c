//! R02: a group of a sharded checkpoint has lost its settings.

use super::words::agree;
use super::{Report, Rule};
use crate::case::Case;
use crate::checkpoint::OptimizerState;
use crate::finding::{Place, Severity};

pub(super) static RULE: Rule = Rule {
    id: "R02",
    name: "shard-lost-keys",
    severity: Severity::Error,
    finds: "A group of the optimizer has lost its weight decay or its learning rate, which other \
        groups have.",
    why: "Saving the optimizer in shards once lost lr and weight_decay of all groups but the \
        first. Whoever loads such a checkpoint gets the constructor's values for these groups, or \
        an error many steps later.",
    seen: "A group with parameters has no weight_decay, or no lr, while another group of the same \
        optimizer has both. This needs a saved optimizer.",
    mend: "Save with a version of PyTorch that keeps the keys, or flatten them to names:\
        \n\n    options = StateDictOptions(flatten_optimizer_state_dict=True)\
        \n    state = get_optimizer_state_dict(model, optimizer, options=options)\
        \n\nWrite the values back into the groups after loading, and check them.",
    no_fault: "Optimizers without such keys, such as optax's, have them in no group, and are not \
        reported; neither is a group without parameters.",
    cases: &["pytorch#143828"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let Some((group, keys)) = subject.checkpoint.optimizers.iter().find_map(lost) else {
            continue;
        };
        let message = format!(
            "Group {group} of the optimizer lacks {}, which its other groups have.",
            keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" and ")
        );
        let fix = format!(
            "Set {} again after loading, and save with flattened keys.",
            agree(&keys, "it", "them")
        );
        report.add(Place::file(&subject.checkpoint.path), message, fix, Vec::new());
    }
}

/// A group that lacks keys which another one has, and these keys.
fn lost(optimizer: &OptimizerState) -> Option<(usize, Vec<String>)> {
    let is_whole = optimizer.groups.iter().any(|one| one.lambda.is_some() && one.rate.is_some());
    let full = optimizer.groups.iter().enumerate().filter(|(_, one)| !one.parameters.is_empty());
    let mut lacking = full.filter_map(|(index, group)| {
        let keys = [("weight_decay", group.lambda.is_none()), ("lr", group.rate.is_none())];
        let lost: Vec<String> =
            keys.iter().filter(|(_, lost)| *lost).map(|(key, _)| (*key).to_owned()).collect();
        (!lost.is_empty()).then_some((index, lost))
    });
    lacking.next().filter(|_| is_whole)
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::checkpoint::Format;
    use crate::rules::testing::*;

    pub(crate) fn fault() -> Case {
        let mut subject = clean();
        subject.checkpoint.format = Format::Distributed;
        let group = &mut subject.checkpoint.optimizers[0].groups[1];
        (group.lambda, group.rate) = (None, None);
        let lost = subject.parameters.iter_mut().filter(|parameter| parameter.group == 1);
        lost.for_each(|parameter| parameter.lambda = None);
        one(subject)
    }

    /// An optimizer that keeps such keys in no group.
    pub(crate) fn look_alike() -> Case {
        let mut case = fault();
        let group = &mut case.subjects[0].checkpoint.optimizers[0].groups[0];
        (group.lambda, group.rate) = (None, None);
        case.subjects[0].parameters.iter_mut().for_each(|parameter| parameter.lambda = None);
        case
    }
}
