//! The tensors of a model that an optimizer may update.

use std::collections::{HashMap, HashSet};

use super::buffer::is_buffer;
use super::kind::Kind;
use super::path::without_wrappers;
use super::template;
use crate::checkpoint::{Checkpoint, NamedTensor};

/// A tensor of the model that may be a parameter.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) kind: Kind,
    /// Whether its name is that of a buffer, which no optimizer updates.
    pub(crate) is_buffer: bool,
    /// Whether a bias lies beside this gain: `nn.LayerNorm` has one, an RMSNorm has none.
    pub(crate) has_bias: bool,
}

/// How the order of the candidates is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModuleOrder {
    /// The file has it.
    File,
    /// The well-known modules of a family of models give it.
    Family(&'static str),
    /// It is lost.
    Lost,
}

/// All tensors of a checkpoint that hold real numbers, in the order of the modules where that is
/// known. Those that are buffers by their names come along: a name may mislead.
pub(crate) fn of(checkpoint: &Checkpoint) -> (Vec<Candidate>, ModuleOrder) {
    let mut candidates: Vec<Candidate> = once_each(&checkpoint.model)
        .filter(|tensor| tensor.tensor.dtype().is_float())
        .map(|tensor| Candidate {
            is_buffer: is_buffer(&tensor.name, &tensor.tensor),
            name: tensor.name.clone(),
            shape: tensor.tensor.shape().to_vec(),
            kind: Kind::of(&tensor.name, tensor.tensor.shape()),
            has_bias: false,
        })
        .collect();
    mark_biases(&mut candidates);
    if checkpoint.is_in_module_order {
        return (candidates, ModuleOrder::File);
    }
    match template::sort(&mut candidates) {
        Some(family) => (candidates, ModuleOrder::Family(family)),
        None => (candidates, ModuleOrder::Lost),
    }
}

/// Notes which tensors have a `bias` in the same module.
pub(crate) fn mark_biases(candidates: &mut [Candidate]) {
    let biases: HashSet<String> = candidates
        .iter()
        .filter_map(|tensor| tensor.name.strip_suffix(".bias").map(without_wrappers))
        .collect();
    for tensor in candidates.iter_mut() {
        let module = tensor.name.rsplit_once('.').map(|(module, _)| without_wrappers(module));
        tensor.has_bias = module.is_some_and(|module| biases.contains(&module));
    }
}

/// Tensors without those that are the same view of the same storage as an earlier one: PyTorch's
/// `named_parameters` has tied weights once, under the first name.
fn once_each(model: &[NamedTensor]) -> impl Iterator<Item = &NamedTensor> {
    let mut seen: HashMap<(usize, &[usize]), Vec<&NamedTensor>> = HashMap::new();
    model.iter().filter(move |tensor| {
        let place = (tensor.tensor.bytes().offset(), tensor.tensor.shape());
        let earlier = seen.entry(place).or_default();
        let is_tied = earlier.iter().any(|other| other.tensor.is_same_view(&tensor.tensor));
        if !is_tied {
            earlier.push(tensor);
        }
        !is_tied
    })
}
