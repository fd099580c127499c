//! Which parameter of an optimizer is which tensor: the update that the state predicts is the change
//! of one tensor and of no other. The right tensor leaves some 1e-5 of its change unexplained, a
//! wrong one of the same shape at least 0.7.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use super::least_squares::Equations;
use super::pair::{Held, StateIndex};
use super::update::Update;
use crate::case::Subject;
use crate::measure::side_by_side;
use crate::names::Naming;
use crate::tensor::Tensor;

/// A parameter of an optimizer, the tensor that its state explains, and the share of that tensor's
/// change which stays unexplained.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedParameter {
    /// Index of the optimizer in the checkpoint.
    pub optimizer: usize,
    /// Index among the parameters of the optimizer, in the order of its groups.
    pub index: usize,
    /// Name of the tensor.
    pub name: String,
    /// Share of the squared change that is not explained.
    pub residual: f64,
}

/// A tensor is taken if it leaves no more than this unexplained …
const UNEXPLAINED: f64 = 0.3;
/// … and no more than this share of what the next best leaves.
const MARGIN: f64 = 0.5;

/// Elements of a tensor that are compared: enough for a share, few enough for a square of tensors.
const SAMPLE: usize = 1 << 14;

/// Names the parameters of the second checkpoint's optimizers by the changes since the first, one
/// step before. Parameters that no tensor fits, or that several fit, are left out.
pub fn name_by_residuals(first: &Subject, second: &Subject) -> Vec<NamedParameter> {
    let changed = changed_tensors(first, second);
    let (states, earlier) = (StateIndex::of(second), StateIndex::of(first));
    let step = second.checkpoint.step();
    let fits: Vec<Vec<NamedParameter>> = second
        .parameters
        .par_iter()
        .filter_map(|parameter| {
            let optimizer = second.checkpoint.optimizers.get(parameter.optimizer)?;
            let group = optimizer.groups.get(parameter.group)?;
            let held = |state| Held { optimizer, group, group_index: parameter.group, state, step };
            let state = states.state(parameter.optimizer, parameter.index)?;
            let after = Held { step: state.step.or(step), ..held(Some(state)) };
            let before = held(earlier.state(parameter.optimizer, parameter.index));
            let update = Update::of(Some(&before), &after).ok()?;
            let shape = update.state.first()?.shape();
            let mut fits: Vec<NamedParameter> = changed
                .get(shape)?
                .iter()
                .filter_map(|change| {
                    let residual = unexplained(change, &update)?;
                    let (optimizer, index) = (parameter.optimizer, parameter.index);
                    Some(NamedParameter {
                        optimizer,
                        index,
                        name: change.name.to_owned(),
                        residual,
                    })
                })
                .collect();
            fits.sort_by(|a, b| a.residual.total_cmp(&b.residual));
            Some(fits)
        })
        .collect();
    // The surest choose first; a name is given once.
    let mut sure: Vec<NamedParameter> = fits
        .into_iter()
        .filter_map(|fits| {
            let best = fits.first()?.clone();
            let next = fits.get(1).map_or(f64::INFINITY, |next| next.residual);
            (best.residual < UNEXPLAINED && best.residual < MARGIN * next).then_some(best)
        })
        .collect();
    sure.sort_by(|a, b| a.residual.total_cmp(&b.residual));
    let mut taken = HashSet::new();
    sure.retain(|parameter| taken.insert(parameter.name.clone()));
    sure.sort_by_key(|parameter| (parameter.optimizer, parameter.index));
    sure
}

/// Gives the parameters of both checkpoints the names that residuals tell, where their own way of
/// naming left them without.
pub(crate) fn name(first: &mut Subject, second: &mut Subject) -> usize {
    let lacks_names = |subject: &Subject, optimizer: usize| {
        matches!(subject.naming.get(optimizer), None | Some(Naming::Shapes | Naming::Unknown))
    };
    let needed = second
        .parameters
        .iter()
        .any(|parameter| parameter.name.is_none() && lacks_names(second, parameter.optimizer));
    if !needed {
        return 0;
    }
    let named = name_by_residuals(first, second);
    for subject in [first, second] {
        let places: HashMap<(usize, usize), usize> = subject
            .parameters
            .iter()
            .enumerate()
            .map(|(at, parameter)| ((parameter.optimizer, parameter.index), at))
            .collect();
        for found in &named {
            let place = places.get(&(found.optimizer, found.index));
            if !lacks_names(subject, found.optimizer) {
                continue;
            }
            if let Some(parameter) = place.and_then(|&at| subject.parameters.get_mut(at)) {
                parameter.name = Some(found.name.clone());
                parameter.candidates.clear();
            }
        }
        let optimizers: HashSet<usize> = named.iter().map(|found| found.optimizer).collect();
        for (optimizer, naming) in subject.naming.iter_mut().enumerate() {
            if optimizers.contains(&optimizer) && matches!(naming, Naming::Shapes | Naming::Unknown)
            {
                *naming = Naming::Residuals;
            }
        }
    }
    named.len()
}

/// A tensor that changed between the two.
struct Change<'a> {
    name: &'a str,
    before: &'a Tensor,
    after: &'a Tensor,
}

fn changed_tensors<'a>(
    first: &'a Subject,
    second: &'a Subject,
) -> HashMap<&'a [usize], Vec<Change<'a>>> {
    let earlier: HashMap<&str, &Tensor> =
        first.checkpoint.model.iter().map(|named| (named.name.as_str(), &named.tensor)).collect();
    let mut changed: HashMap<&[usize], Vec<Change<'a>>> = HashMap::new();
    for named in &second.checkpoint.model {
        let Some(&before) = earlier.get(named.name.as_str()) else { continue };
        let after = &named.tensor;
        if before.shape() == after.shape() && after.dtype().is_float() && before.dtype().is_float()
        {
            changed.entry(after.shape()).or_default().push(Change {
                name: &named.name,
                before,
                after,
            });
        }
    }
    changed
}

/// Share of a change that update and shrink leave unexplained; nothing where nothing changed.
fn unexplained(change: &Change<'_>, update: &Update<'_>) -> Option<f64> {
    let mut tensors = vec![change.before, change.after];
    tensors.extend(&update.state);
    let sample: Option<Vec<Tensor>> = tensors.iter().map(|tensor| sample(tensor)).collect();
    let sample = sample?;
    let mut equations = Equations::<2>::default();
    let mut directions = Vec::new();
    let views: Vec<&Tensor> = sample.iter().collect();
    let is_real = side_by_side(&views, SAMPLE, |_, blocks| {
        let [before, after, state @ ..] = blocks else { return };
        update.directions(state, &mut directions);
        for ((&u, &x), &y) in directions.iter().zip(before).zip(after) {
            equations.add([u, x], x - y);
        }
    });
    let solution = equations.solve().filter(|_| is_real && equations.total > 0.0)?;
    // ‖e‖² = yᵀy − ĉᵀXᵀy loses digits below 1e-12 of yᵀy, where no share is told apart.
    let residual = equations.total - equations.explained(&solution);
    Some((residual / equations.total).max(0.0))
}

/// Rows from the middle of a tensor, some [`SAMPLE`] elements of it; all of a small one.
fn sample(tensor: &Tensor) -> Option<Tensor> {
    let (rows, length) = tensor.rows();
    let wanted = (SAMPLE / length.max(1)).max(1);
    if tensor.shape().is_empty() || rows <= wanted {
        return Some(tensor.clone());
    }
    let (&stride, _) = tensor.strides().split_first()?;
    let mut shape = tensor.shape().to_vec();
    *shape.first_mut()? = wanted;
    let offset = ((rows - wanted) / 2).checked_mul(stride)?;
    let strides = tensor.strides().to_vec();
    let (bytes, big) = (tensor.bytes().clone(), tensor.is_big_endian());
    Tensor::view(bytes, tensor.dtype(), offset, shape, strides, big).ok()
}
