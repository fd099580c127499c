//! R04: the same index stands for other parameters in two checkpoints.

use std::collections::HashSet;

use super::evidence::parameters_of;
use super::words::{agree, listed};
use super::{Report, Rule};
use crate::case::{Case, Subject};
use crate::finding::{Place, Severity};
use crate::names::Naming;

pub(super) static RULE: Rule = Rule {
    id: "R04",
    name: "order-changed",
    severity: Severity::Error,
    finds: "The order of parameters changed between two checkpoints, so that the state of one is \
        loaded for another.",
    why: "PyTorch stores an optimizer's state by index, and loads it by index: if the order in \
        which the model lists its parameters has changed, each parameter gets the moments and the \
        λ of another. Where shapes agree, nothing complains.",
    seen: "Both files have the names of their parameters, or the change of the weights proves \
        them; the names are the same ones, the sizes of the groups too, and some index has another \
        name. This needs two saved optimizers.",
    mend: "Load by name:\
        \n\n    optimizer = torch.optim.AdamW(model.named_parameters(), lr=lr)\
        \n\nwhich stores param_names, from which the old order can be restored; or sort the \
        parameters by name before the groups are made.",
    no_fault: "State that is kept under names, as in distributed checkpoints, does not depend on \
        the order. Where a parameter moved to another group PyTorch refuses to load, and S05 looks \
        at it. Names that were only guessed prove nothing.",
    cases: &["pytorch#1489", "fairscale#380"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for pair in case.subjects.windows(2) {
        let [first, second] = pair else { continue };
        let count = first.checkpoint.optimizers.len().min(second.checkpoint.optimizers.len());
        let Some((names, instead)) = (0..count).find_map(|one| moved(first, second, one)) else {
            continue;
        };
        let message = format!(
            "{} {} at the {} of other parameters in the file before: where `{}` is now was {}.",
            listed(&names),
            agree(&names, "lies", "lie"),
            agree(&names, "index", "indices"),
            names.first().map_or("", String::as_str),
            listed(&instead)
        );
        let fix = "Load the state by name, and do not go on from a state that was loaded by index.";
        report.add(Place::file(&second.checkpoint.path), message, fix.to_owned(), names);
    }
}

/// Names that lie at the index of others, and what lay at the first one's.
fn moved(
    first: &Subject,
    second: &Subject,
    optimizer: usize,
) -> Option<(Vec<String>, Vec<String>)> {
    let is_known = |subject: &Subject| {
        matches!(subject.naming.get(optimizer), Some(Naming::Listed | Naming::Residuals))
    };
    let sizes = |subject: &Subject| -> Option<Vec<usize>> {
        let groups = &subject.checkpoint.optimizers.get(optimizer)?.groups;
        Some(groups.iter().map(|group| group.parameters.len()).collect())
    };
    if !is_known(first) || !is_known(second) || sizes(first)? != sizes(second)? {
        return None;
    }
    let names = |subject: &Subject| -> Option<Vec<String>> {
        parameters_of(subject, optimizer).into_iter().map(|one| one.name.clone()).collect()
    };
    let (before, after) = (names(first)?, names(second)?);
    let is_same_set = before.iter().collect::<HashSet<_>>() == after.iter().collect();
    let pairs = after.iter().zip(&before).filter(|(after, before)| after != before);
    let (moved, mut instead): (Vec<String>, Vec<String>) =
        pairs.map(|(after, before)| (after.clone(), before.clone())).unzip();
    instead.truncate(1);
    (is_same_set && !moved.is_empty()).then_some((moved, instead))
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::names::Naming;
    use crate::rules::testing::*;

    /// The two layers have changed places.
    pub(crate) fn fault() -> Case {
        let (first, second) = (&MATRICES[..2], &MATRICES[2..]);
        let later = adamw(&[(0.1, &[second, first, EMBEDDING, HEAD]), (0.0, &[NORMS, BIASES])]);
        two(clean(), later)
    }

    /// The same, with state under names.
    pub(crate) fn look_alike() -> Case {
        let mut case = fault();
        case.subjects.iter_mut().for_each(|subject| subject.naming = vec![Naming::Keyed]);
        case
    }
}
