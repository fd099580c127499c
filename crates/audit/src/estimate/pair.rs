//! Two checkpoints of one run, tensor by tensor, with what their optimizers hold for each.

use std::collections::{HashMap, HashSet};

use crate::case::Subject;
use crate::checkpoint::{Group, OptimizerState, ParameterId, ParameterState};
use crate::tensor::Tensor;

/// What an optimizer holds for a tensor.
#[derive(Clone, Copy)]
pub(crate) struct Held<'a> {
    pub(crate) optimizer: &'a OptimizerState,
    pub(crate) group: &'a Group,
    /// Index of the group in its optimizer.
    pub(crate) group_index: usize,
    /// Nothing where the optimizer has never updated the tensor.
    pub(crate) state: Option<&'a ParameterState>,
    /// The tensor's own count of updates, else that of the checkpoint.
    pub(crate) step: Option<f64>,
}

impl<'a> Held<'a> {
    /// Tensors of the state that have the shape of the weights: moments and buffers.
    pub(crate) fn moments(&self, weights: &Tensor) -> Vec<&'a Tensor> {
        let tensors = self.state.iter().flat_map(|state| &state.tensors);
        tensors
            .map(|named| &named.tensor)
            .filter(|tensor| tensor.shape() == weights.shape() && tensor.dtype().is_float())
            .collect()
    }
}

/// A tensor in two checkpoints.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub(crate) name: &'a str,
    pub(crate) before: &'a Tensor,
    pub(crate) after: &'a Tensor,
    pub(crate) held_before: Option<Held<'a>>,
    pub(crate) held_after: Option<Held<'a>>,
    /// λ of the tensor's group.
    pub(crate) declared: Option<f64>,
    /// λ of its group in the first checkpoint, where that is another one.
    pub(crate) declared_before: Option<f64>,
}

/// Two checkpoints of one run.
pub(crate) struct Window<'a> {
    pub(crate) first: &'a Subject,
    pub(crate) second: &'a Subject,
    /// The steps in between, as the second one's optimizer counts them: from, exclusive, to,
    /// inclusive.
    pub(crate) steps: Option<(u64, u64)>,
    /// Whether the second one's optimizer started anew after the first was saved.
    pub(crate) is_restarted: bool,
    /// Whether one optimizer may have made both: its schedule started from one learning rate.
    pub(crate) is_one_run: bool,
    pub(crate) tensors: Vec<Pair<'a>>,
}

impl<'a> Window<'a> {
    pub(crate) fn of(first: &'a Subject, second: &'a Subject) -> Self {
        let (from, to) = (whole(first.checkpoint.step()), whole(second.checkpoint.step()));
        // A count that went back was started anew: then all of its steps lie in between.
        let is_restarted = matches!((from, to), (Some(from), Some(to)) if to < from);
        let is_one_run = is_restarted || have_one_start(first, second);
        let steps = match (from, to) {
            _ if !is_one_run => None,
            (Some(_), Some(to)) if is_restarted => Some((0, to)),
            (Some(from), Some(to)) => Some((from, to)),
            _ => None,
        };
        let (before, after) = (holdings(first), holdings(second));
        let declared = declared_by_name(second).into_iter().chain(declared_by_name(first));
        let mut declared_by: HashMap<&str, Option<f64>> = HashMap::new();
        for (name, lambda) in declared {
            declared_by.entry(name).or_insert(lambda);
        }
        let declared_first: HashMap<&str, Option<f64>> =
            declared_by_name(first).into_iter().collect();
        let earlier: HashMap<&str, &Tensor> = first
            .checkpoint
            .model
            .iter()
            .map(|named| (named.name.as_str(), &named.tensor))
            .collect();
        let mut seen = HashSet::new();
        let mut tensors = Vec::new();
        for named in &second.checkpoint.model {
            let Some(&tensor) = earlier.get(named.name.as_str()) else { continue };
            let is_weight = named.tensor.dtype().is_float() && tensor.dtype().is_float();
            let place = (named.tensor.bytes().as_ptr(), named.tensor.shape());
            // Tied weights are one tensor under two names.
            if !is_weight || tensor.shape() != named.tensor.shape() || !seen.insert(place) {
                continue;
            }
            let declared = declared_by.get(named.name.as_str()).copied().flatten();
            tensors.push(Pair {
                name: &named.name,
                before: tensor,
                after: &named.tensor,
                held_before: before.get(named.name.as_str()).copied(),
                held_after: after.get(named.name.as_str()).copied(),
                declared,
                declared_before: declared_first
                    .get(named.name.as_str())
                    .copied()
                    .flatten()
                    .filter(|&before| declared.is_some_and(|now| now != before)),
            });
        }
        Window { first, second, steps, is_restarted, is_one_run, tensors }
    }

    /// Number of steps in between.
    pub(crate) fn length(&self) -> Option<u64> {
        self.steps.map(|(from, to)| to.saturating_sub(from))
    }
}

/// Whether the groups of two checkpoints may have started from the same learning rates.
fn have_one_start(first: &Subject, second: &Subject) -> bool {
    let starts = |subject: &Subject| -> Vec<Option<f64>> {
        let groups = subject.checkpoint.optimizers.iter().flat_map(|one| &one.groups);
        groups.map(|group| group.initial_rate).collect()
    };
    let (first, second) = (starts(first), starts(second));
    first.iter().zip(&second).all(|(a, b)| a.is_none() || b.is_none() || a == b)
}

/// A count of steps as a whole number.
pub(crate) fn whole(step: Option<f64>) -> Option<u64> {
    // Beyond 2⁵³ a float is no count.
    step.filter(|step| (0.0..9.0e15).contains(step)).map(|step| step.round() as u64)
}

/// What the optimizers of a checkpoint hold, by the names of the tensors.
pub(crate) fn holdings(subject: &Subject) -> HashMap<&str, Held<'_>> {
    let index = StateIndex::of(subject);
    let step = subject.checkpoint.step();
    let mut held = HashMap::new();
    for parameter in &subject.parameters {
        let Some(name) = parameter.name.as_deref() else { continue };
        let optimizer = subject.checkpoint.optimizers.get(parameter.optimizer);
        let Some(optimizer) = optimizer else { continue };
        let Some(group) = optimizer.groups.get(parameter.group) else { continue };
        let state = index.state(parameter.optimizer, parameter.index);
        let own = state.and_then(|state| state.step);
        held.insert(
            name,
            Held { optimizer, group, group_index: parameter.group, state, step: own.or(step) },
        );
    }
    held
}

/// The states of all parameters, found in constant time.
pub(crate) struct StateIndex<'a> {
    ids: Vec<Vec<&'a ParameterId>>,
    states: Vec<HashMap<&'a ParameterId, &'a ParameterState>>,
}

impl<'a> StateIndex<'a> {
    pub(crate) fn of(subject: &'a Subject) -> Self {
        let optimizers = &subject.checkpoint.optimizers;
        StateIndex {
            ids: optimizers
                .iter()
                .map(|optimizer| {
                    optimizer.groups.iter().flat_map(|group| &group.parameters).collect()
                })
                .collect(),
            states: optimizers
                .iter()
                .map(|optimizer| optimizer.states.iter().map(|state| (&state.id, state)).collect())
                .collect(),
        }
    }

    /// The state of the parameter with an index among all of its optimizer's.
    pub(crate) fn state(&self, optimizer: usize, index: usize) -> Option<&'a ParameterState> {
        let id = self.ids.get(optimizer)?.get(index)?;
        self.states.get(optimizer)?.get(id).copied()
    }
}

/// λ of each name; nothing where a name could belong to parameters of different λ.
fn declared_by_name(subject: &Subject) -> HashMap<&str, Option<f64>> {
    let mut declared: HashMap<&str, Option<f64>> = HashMap::new();
    for parameter in &subject.parameters {
        let names = parameter.name.iter().chain(&parameter.candidates);
        for name in names {
            declared
                .entry(name.as_str())
                .and_modify(|lambda| {
                    if *lambda != parameter.lambda {
                        *lambda = None;
                    }
                })
                .or_insert(parameter.lambda);
        }
    }
    declared
}
