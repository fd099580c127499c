//! R04: the same index stands for other parameters in two checkpoints.

use std::collections::{HashMap, HashSet};

use super::evidence::{parameters_of, place_of, states};
use super::words::{agree, listed};
use super::{Report, Rule};
use crate::case::{Case, Parameter, Subject};
use crate::finding::{Place, Severity};
use crate::names::Naming;
use crate::tensor::{Dtype, Tensor};

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
        name. Or the memory of squared gradients of a tensor has fallen faster than β₂ a step \
        lets it, and that of another tensor in the file before has not: Adam's v is at least β₂ \
        times what it was. This needs two saved optimizers.",
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
            foreign_state(first, second, report);
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

/// States that go on from those of other tensors.
fn foreign_state(first: &Subject, second: &Subject, report: &mut Report<'_>) {
    let steps = second.checkpoint.step().zip(first.checkpoint.step());
    let Some(steps) = steps.map(|(after, before)| after - before).filter(|&steps| steps >= 1.0)
    else {
        return;
    };
    let before: HashMap<&str, &Tensor> = memories(first).collect();
    let mut suspects = 0;
    let (mut names, mut instead) = (Vec::new(), Vec::new());
    for (parameter, state) in states(second) {
        let fade = least_beta(first, second, parameter).map_or(0.0, |beta| beta.powf(steps));
        let (Some(name), Some(memory)) = (parameter.name.as_deref(), state.tensor(MEMORY)) else {
            continue;
        };
        let Some(own) = before.get(name).filter(|_| fade > LEAST_FADE) else { continue };
        if lost(own, memory, fade) < MANY_LOST {
            continue;
        }
        suspects += 1;
        // Files of two runs are all suspects, and each is compared with every tensor.
        if suspects > MOST_SUSPECTS {
            break;
        }
        let goes_on = |(other, earlier): &(&str, &Tensor)| {
            *other != name
                && earlier.shape() == memory.shape()
                && lost(earlier, memory, fade) == 0.0
                && holds_much(earlier, memory, fade)
        };
        if let Some((other, _)) = memories(first).find(goes_on) {
            names.push(name.to_owned());
            instead.push(other.to_owned());
        }
    }
    let (Some(name), Some(other)) = (names.first(), instead.first()) else { return };
    let message = format!(
        "The {} of {} {} not go on from {} own in the file before: the memory that `{name}` has \
         now is what the one of `{other}` became.",
        agree(&names, "state", "states"),
        listed(&names),
        agree(&names, "does", "do"),
        agree(&names, "its", "their"),
    );
    let fix = "Load the state by name, and do not go on from a state that was loaded by index.";
    report.add(Place::file(&second.checkpoint.path), message, fix.to_owned(), names);
}

/// β₂ of a parameter's group, the smaller of the two files': where it changed nobody knows when.
fn least_beta(first: &Subject, second: &Subject, parameter: &Parameter) -> Option<f64> {
    let beta = |subject, one| Some(place_of(subject, one)?.1.betas?.1);
    let later: f64 = beta(second, parameter)?;
    let earlier = first.parameters.iter().find(|one| one.name == parameter.name);
    let earlier = earlier.and_then(|one| beta(first, one));
    Some(earlier.map_or(later, |earlier| earlier.min(later)))
}

/// The key of Adam's memory of squared gradients.
const MEMORY: &str = "exp_avg_sq";
/// Least β₂ᵏ at which a memory still tells of the file before.
const LEAST_FADE: f64 = 1e-3;
/// Share of elements that must have lost more than they can, before a state is another tensor's.
const MANY_LOST: f64 = 0.05;
/// Tensors whose states are looked for elsewhere.
const MOST_SUSPECTS: u32 = 64;
/// Elements of a tensor that are compared.
const LOOKED_AT: usize = 4096;

/// The memories of a file, in 32 bits at least, by the names of their parameters.
fn memories(subject: &Subject) -> impl Iterator<Item = (&str, &Tensor)> {
    states(subject).into_iter().filter_map(|(parameter, state)| {
        let memory = state.tensor(MEMORY)?;
        let is_exact = matches!(memory.dtype(), Dtype::Float32 | Dtype::Float64);
        is_exact.then_some((parameter.name.as_deref()?, memory))
    })
}

/// Whether what is left of a memory is a tenth of a later one at least: one of nothing is in any.
fn holds_much(before: &Tensor, after: &Tensor, fade: f64) -> bool {
    let sum =
        |tensor: &Tensor| tensor.values().map_or(0.0, |values| values.take(LOOKED_AT).sum::<f64>());
    fade * sum(before) >= 0.1 * sum(after)
}

/// The share of elements that lost more than β₂ᵏ lets them lose.
fn lost(before: &Tensor, after: &Tensor, fade: f64) -> f64 {
    let (Some(before), Some(after)) = (before.values(), after.values()) else { return 0.0 };
    // A relative error of f32 a step, and its smallest numbers.
    let is_lost = |(before, after): (f64, f64)| after < 0.999 * fade * before - 1e-30;
    let (mut all, mut count) = (0_u32, 0_u32);
    for pair in before.zip(after).take(LOOKED_AT) {
        all += 1;
        count += u32::from(is_lost(pair));
    }
    f64::from(count) / f64::from(all.max(1))
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::names::Naming;
    use crate::rules::testing::*;
    use crate::tensor::Dtype;

    /// The two layers have changed places.
    pub(crate) fn fault() -> Case {
        let (first, second) = (&MATRICES[..2], &MATRICES[2..]);
        let later = adamw(&[(0.1, &[second, first, EMBEDDING, HEAD]), (0.0, &[NORMS, BIASES])]);
        two(clean(), later)
    }

    #[test]
    fn a_state_that_goes_on_from_another_tensors_is_found() {
        let memory = |value: f64, shape: &[usize]| filled(Dtype::Float32, value, shape);
        let with = |values: [f64; 2]| {
            let mut subject = clean();
            let states = &mut subject.checkpoint.optimizers[0].states;
            for (at, value) in [(1, values[0]), (3, values[1])] {
                let state = &mut states[at];
                let found = state.tensors.iter_mut().find(|one| one.name == "exp_avg_sq").unwrap();
                let shape = found.tensor.shape().to_vec();
                found.tensor = memory(value, &shape);
            }
            subject
        };
        // β₂ = 0.95: in a hundred steps no memory falls below 0.0059 of what it was.
        let swapped = two(with([1e-3, 4.0]), with([3.9, 1e-5]));
        let [finding] = &findings_of("R04", &swapped)[..] else { panic!("one finding") };
        assert_eq!(finding.tensors, ["h.1.mlp.c_fc.weight"]);
        assert!(finding.message.contains("the one of `h.0.mlp.c_fc.weight` became"), "{finding:?}");
        let goes_on = two(with([1e-3, 4.0]), with([1e-5, 3.9]));
        assert!(findings_of("R04", &goes_on).is_empty());
    }

    #[test]
    fn a_beta_that_changed_reorders_nothing() {
        let mut case = two(clean(), clean());
        for (at, beta, value) in [(0, 0.9, 4.0), (1, 0.999, 0.04)] {
            let optimizer = &mut case.subjects[at].checkpoint.optimizers[0];
            optimizer.groups.iter_mut().for_each(|group| group.betas = Some((0.9, beta)));
            let state = &mut optimizer.states[1];
            let found = state.tensors.iter_mut().find(|one| one.name == "exp_avg_sq").unwrap();
            found.tensor = filled(Dtype::Float32, value, found.tensor.shape());
        }
        assert!(findings_of("R04", &case).is_empty());
    }

    #[test]
    fn a_memory_of_nothing_is_nobodys_beginning() {
        let (mut first, mut second) = (clean(), clean());
        let set = |subject: &mut crate::case::Subject, at: usize, value: f64| {
            let state = &mut subject.checkpoint.optimizers[0].states[at];
            let found = state.tensors.iter_mut().find(|one| one.name == "exp_avg_sq").unwrap();
            let shape = found.tensor.shape().to_vec();
            found.tensor = filled(Dtype::Float32, value, &shape);
        };
        // A tensor without gradients beside one whose optimizer began anew.
        for (subject, value) in [(&mut first, 4.0), (&mut second, 1e-5)] {
            set(subject, 1, 0.0);
            set(subject, 3, value);
        }
        assert!(findings_of("R04", &two(first, second)).is_empty());
    }

    /// The same, with state under names.
    pub(crate) fn look_alike() -> Case {
        let mut case = fault();
        case.subjects.iter_mut().for_each(|subject| subject.naming = vec![Naming::Keyed]);
        case
    }
}
