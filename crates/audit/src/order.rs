//! In which order checkpoints were saved.

use std::cmp::Ordering;

use crate::case::Subject;
use crate::checkpoint::{Checkpoint, Clock, NamedTensor};
use crate::tensor::Tensor;

/// Sorts checkpoints by their steps; without steps they stay in the order in which they were given.
///
/// A training that goes on with a new optimizer counts its steps anew. Of two checkpoints that are
/// given in the order of time the second one then has the smaller count, and stays behind.
pub(crate) fn by_steps(subjects: &mut [Subject]) {
    if let [first, second] = subjects
        && started_anew(first, second)
    {
        return;
    }
    subjects.sort_by(|a, b| match (a.checkpoint.step(), b.checkpoint.step()) {
        (Some(first), Some(second)) => first.total_cmp(&second),
        _ => Ordering::Equal,
    });
}

/// Two checkpoints of one step whose weights differ: they are not of one training, and nothing may
/// be concluded from what lies between them. In one folder both must hold an optimizer, since
/// averaged weights may lie beside those that were trained. Two checkpoints alone are not looked
/// at, since two of one step are compared with each other by nobody.
pub(crate) fn of_several_runs(subjects: &[Subject]) -> Option<(&Subject, &Subject)> {
    let collides = |first: &&Subject, second: &Subject| {
        let (one, other) = (&first.checkpoint, &second.checkpoint);
        let differs = |tensor: &NamedTensor| {
            let twin = other.tensor(&tensor.name);
            twin.is_some_and(|twin| {
                twin.shape() == tensor.tensor.shape()
                    && !twin.is_same_view(&tensor.tensor)
                    && !have_equal_bits(twin, &tensor.tensor)
            })
        };
        one.step().is_some_and(|step| step > 0.0 && other.step() == Some(step))
            && (one.path.parent() != other.path.parent()
                || (!one.optimizers.is_empty() && !other.optimizers.is_empty()))
            && one.model.iter().take(LOOKED_AT).any(differs)
    };
    subjects.iter().enumerate().filter(|_| subjects.len() > 2).find_map(|(at, first)| {
        let second = subjects[at + 1..].iter().find(|second| collides(&first, second))?;
        Some((first, second))
    })
}

/// Whether two tensors have the same elements, one by one: nothing is held in memory.
fn have_equal_bits(one: &Tensor, other: &Tensor) -> bool {
    match (one.values(), other.values()) {
        (Some(one), Some(other)) => one.map(f64::to_bits).eq(other.map(f64::to_bits)),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// Tensors that are compared before two files are taken as equal.
const LOOKED_AT: usize = 8;

/// Whether the second optimizer was made after the first file was saved: some row has had gradients
/// in the first one's memory and none in the second one's, and its weights have the same bits in
/// both. Had the second file been saved earlier in one training, the gradients in between would
/// have moved the row.
fn started_anew(first: &Subject, second: &Subject) -> bool {
    let counts = (first.checkpoint.step(), second.checkpoint.step());
    if !matches!(counts, (Some(first), Some(second)) if second < first) {
        return false;
    }
    second.parameters.iter().any(|parameter| {
        let named =
            |other: &&crate::case::Parameter| other.name.is_some() && other.name == parameter.name;
        let Some(earlier) = first.parameters.iter().find(named) else { return false };
        let memory = |subject: &Subject, one| values(subject.state(one)?.tensor("exp_avg_sq")?);
        let weights = |subject: &Subject, one| values(subject.weights(one)?);
        let all = (
            memory(first, earlier),
            memory(second, parameter),
            weights(first, earlier),
            weights(second, parameter),
        );
        let (Some(seen), Some(unseen), Some(before), Some(after)) = all else { return false };
        let lengths = [seen.0.len(), unseen.0.len(), before.0.len(), after.0.len()];
        let columns = unseen.1;
        if columns == 0 || lengths.iter().any(|&length| length != lengths[0]) {
            return false;
        }
        (0..lengths[0]).step_by(columns).any(|start| {
            let row = start..(start + columns).min(lengths[0]);
            unseen.0[row.clone()].iter().all(|&x| x == 0.0)
                && seen.0[row.clone()].iter().any(|&x| x != 0.0)
                && before.0[row.clone()] == after.0[row]
        })
    })
}

/// The elements of a tensor of two axes, and the length of a row.
fn values(tensor: &Tensor) -> Option<(Vec<f64>, usize)> {
    let [_, columns] = *tensor.shape() else { return None };
    Some((tensor.to_f64()?, columns))
}

/// Gives a checkpoint without a count of steps the one that its name ends with: `lm-1600`,
/// `step1000`, `iter_0001000`, `checkpoint-500`.
pub(crate) fn count_by_name(checkpoint: &mut Checkpoint) {
    if checkpoint.step().is_some() {
        return;
    }
    let stem = checkpoint.path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let Some(stem) = stem else { return };
    let words = stem.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let digits = &stem[words.len()..];
    // A name that is a number, a version (v1.2, 0.3.0) or a size says nothing of steps.
    let is_count =
        words.ends_with(['-', '_']) || ["step", "iter"].iter().any(|w| words.ends_with(w));
    if let (true, Ok(steps)) = (is_count && !words.contains('.'), digits.parse::<u32>()) {
        let name = "the number in its name".to_owned();
        checkpoint.clocks.push(Clock { name, steps: f64::from(steps) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::{clean, filled};
    use crate::tensor::Dtype;

    #[test]
    fn checkpoints_of_several_runs_in_one_folder_are_seen() {
        let later = || {
            let mut subject = clean();
            let states = subject.checkpoint.optimizers.iter_mut().flat_map(|one| &mut one.states);
            states.for_each(|state| state.step = Some(2000.0));
            subject
        };
        let other = |has_optimizer: bool| {
            let mut subject = clean();
            for one in &mut subject.checkpoint.model {
                one.tensor = filled(Dtype::Float32, 0.03, one.tensor.shape());
            }
            if !has_optimizer {
                subject.checkpoint.clocks.push(Clock { name: "step".to_owned(), steps: 1000.0 });
                subject.checkpoint.optimizers.clear();
            }
            subject
        };
        assert!(of_several_runs(&[clean(), clean(), later()]).is_none());
        assert!(of_several_runs(&[clean(), other(true), later()]).is_some());
        // Averaged weights beside those that were trained.
        assert!(of_several_runs(&[clean(), other(false), later()]).is_none());
    }
}
