//! What optimizers declare otherwise in the second of two files, and rates that no configuration
//! explains.

use wd_page::number::short;

use crate::case::Subject;
use crate::checkpoint::Group;
use crate::dialect::Declaration;

/// Sentences on settings that changed from one file to the next.
pub(super) fn between(subjects: &[Subject]) -> Vec<String> {
    let mut sentences = Vec::new();
    for pair in subjects.windows(2) {
        let [first, second] = pair else { continue };
        let changes = changed(first, second);
        if !changes.is_empty() {
            sentences.push(format!(
                "Settings changed from {} to {}: {}.",
                first.checkpoint.path.display(),
                second.checkpoint.path.display(),
                changes.join(", ")
            ));
        }
    }
    sentences
}

/// What the groups of two files hold otherwise, each thing once.
fn changed(first: &Subject, second: &Subject) -> Vec<String> {
    let groups = |subject: &Subject| -> Vec<Group> {
        subject.checkpoint.optimizers.iter().flat_map(|one| one.groups.iter().cloned()).collect()
    };
    let (before, after) = (groups(first), groups(second));
    let mut found: Vec<String> = Vec::new();
    // Groups that were split or joined have no counterpart.
    if before.len() != after.len() {
        return found;
    }
    for (before, after) in before.iter().zip(&after) {
        for change in of_group(before, after).into_iter().chain(of_lambda(before, after)) {
            if !found.contains(&change) {
                found.push(change);
            }
        }
    }
    // Groups in another order hold the same values of λ.
    let lambdas = |groups: &[Group]| -> Vec<f64> {
        let mut lambdas: Vec<f64> = groups.iter().filter_map(|group| group.lambda).collect();
        lambdas.sort_by(f64::total_cmp);
        lambdas
    };
    if lambdas(&before) == lambdas(&after) {
        found.retain(|change| !change.starts_with('λ'));
    }
    found
}

fn number(what: &str, before: Option<f64>, after: Option<f64>) -> Option<String> {
    let (before, after) = (before?, after?);
    let differs = (before - after).abs() > 1e-6 * before.abs().max(after.abs());
    differs.then(|| format!("{what} from {} to {}", short(before), short(after)))
}

fn of_lambda(before: &Group, after: &Group) -> Option<String> {
    number("λ", before.lambda, after.lambda)
}

fn of_group(before: &Group, after: &Group) -> Vec<String> {
    let mut changes = Vec::new();
    let beta1 = |group: &Group| group.betas.map(|betas| betas.0);
    let beta2 = |group: &Group| group.betas.map(|betas| betas.1);
    changes.extend(number("β₁", beta1(before), beta1(after)));
    changes.extend(number("β₂", beta2(before), beta2(after)));
    changes.extend(number("the momentum", before.momentum, after.momentum));
    let place = |is_decoupled| match is_decoupled {
        true => "beside the gradient (as in AdamW)",
        false => "as a part of it (as in Adam with an L2 penalty)",
    };
    if let (Some(before), Some(after)) = (before.decoupled, after.decoupled)
        && before != after
    {
        changes.push(format!("decay from {} to {}", place(before), place(after)));
    }
    let kind = |group: &Group| match group.betas {
        Some(_) => "one with betas (as Adam)",
        None => "one without (as SGD)",
    };
    if before.betas.is_some() != after.betas.is_some() {
        changes.push(format!("the optimizer from {} to {}", kind(before), kind(after)));
    }
    changes
}

/// A group's rate above every peak that the configuration states: a sentence.
pub(super) fn rate_above_peak(subjects: &[Subject], given: &[Declaration]) -> Option<String> {
    subjects.iter().rev().find_map(|subject| {
        let declarations = if given.is_empty() { &subject.declarations } else { given };
        let stated = |one: &Declaration| {
            let rate = one.rate.filter(|rate| !rate.default)?.value;
            Some(one.largest_rate.map_or(rate, |largest| largest.max(rate)))
        };
        let peak = declarations.iter().filter_map(stated).reduce(f64::max)?;
        let groups = subject.checkpoint.optimizers.iter().flat_map(|one| &one.groups);
        let rate = groups.filter_map(|group| group.rate).reduce(f64::max)?;
        (rate > 1.001 * peak).then(|| {
            format!(
                "{} has a group with the learning rate {}, above the configuration's peak of {}: \
                 it may not be the configuration of this run.",
                subject.checkpoint.path.display(),
                short(rate),
                short(peak)
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{clean, declared, set_lambda, two};

    #[test]
    fn settings_that_changed_are_named_once() {
        let mut case = two(clean(), clean());
        assert!(between(&case.subjects).is_empty());
        for group in &mut case.subjects[1].checkpoint.optimizers[0].groups {
            group.betas = Some((0.9, 0.999));
            group.decoupled = Some(false);
        }
        set_lambda(&mut case.subjects[1], 0, 0.02);
        let [sentence] = &between(&case.subjects)[..] else { panic!("one sentence") };
        for part in ["β₂ from 0.95 to 0.999", "λ from 0.1 to 0.02", "as a part of it"] {
            assert_eq!(sentence.matches(part).count(), 1, "{part}: {sentence}");
        }
        // The same groups in another order.
        let mut case = two(clean(), clean());
        set_lambda(&mut case.subjects[1], 0, 0.0);
        set_lambda(&mut case.subjects[1], 1, 0.1);
        assert!(between(&case.subjects).is_empty());
    }

    #[test]
    fn a_rate_above_the_stated_peak_is_remarked() {
        let subjects = [clean()];
        let mut configuration = declared(0.1);
        assert_eq!(rate_above_peak(&subjects, std::slice::from_ref(&configuration)), None);
        configuration.rate = Some(wd_decay::Declared::stated(6e-4));
        let found = rate_above_peak(&subjects, std::slice::from_ref(&configuration)).unwrap();
        assert!(found.contains("0.001") && found.contains("6e-4"), "{found}");
        configuration.largest_rate = Some(1e-3);
        assert_eq!(rate_above_peak(&subjects, &[configuration]), None);
    }
}
