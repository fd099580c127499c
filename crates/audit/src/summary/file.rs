//! A checkpoint as a whole.

use std::collections::HashSet;
use std::path::PathBuf;

use rayon::prelude::*;
use serde::Serialize;
use wd_page::number;

use super::group::elements;
use super::{GroupSummary, TensorSummary};
use crate::case::{Case, Parameter, Subject};
use crate::checkpoint::{Checkpoint, Clock, Format, Writer};
use crate::convention::{self, DecayedKind, Difference};
use crate::dialect::Declaration;
use crate::names::Naming;
use crate::tensor::Dtype;

/// How many tensors and elements are stored in one way.
#[derive(Debug, Clone, Serialize)]
pub struct DtypeCount {
    /// The way.
    pub dtype: Dtype,
    /// Tensors.
    pub tensors: usize,
    /// Elements.
    pub elements: u64,
}

/// A saved optimizer.
#[derive(Debug, Clone, Serialize)]
pub struct OptimizerSummary {
    /// Its name, as saved or as its states tell.
    pub name: Option<String>,
    /// How its parameters were given their names.
    pub naming: Naming,
    /// Its groups.
    pub groups: Vec<GroupSummary>,
    /// Parameters that decay, as far as shapes are known.
    pub decayed_parameters: Option<u64>,
    /// Tensors that decay.
    pub decayed_tensors: usize,
}

/// What one checkpoint holds.
#[derive(Debug, Clone, Serialize)]
pub struct FileSummary {
    /// The file or folder.
    pub path: PathBuf,
    /// Its form.
    pub format: Format,
    /// Who wrote it.
    pub writer: Writer,
    /// Version of the writer.
    pub writer_version: Option<String>,
    /// Step at which it was saved.
    pub step: Option<f64>,
    /// Counts of steps, as saved.
    pub clocks: Vec<Clock>,
    /// Tensors of the model.
    pub tensors: usize,
    /// Elements of the model, tied tensors once.
    pub elements: u64,
    /// How they are stored.
    pub dtypes: Vec<DtypeCount>,
    /// Optimizers.
    pub optimizers: Vec<OptimizerSummary>,
    /// Every parameter of the optimizers, or every tensor of the model where there is none.
    pub parameters: Vec<TensorSummary>,
    /// What well-known trainers would have done otherwise.
    pub conventions: Vec<Difference>,
    /// How many tensors of each kind decay, here and under the conventions.
    pub decayed_kinds: Vec<DecayedKind>,
    /// Configurations found with it.
    pub declarations: Vec<Declaration>,
    /// What should be known of how it was read.
    pub remarks: Vec<String>,
}

impl FileSummary {
    /// The summary of a checkpoint.
    pub fn of(subject: &Subject, case: &Case) -> Self {
        let checkpoint = &subject.checkpoint;
        let dtypes = dtypes(checkpoint);
        let weights = checkpoint.tensors_by_name();
        let parameters: Vec<TensorSummary> = match subject.parameters.as_slice() {
            [] => checkpoint
                .model
                .par_iter()
                .map(|named| TensorSummary::without_group(&named.name, &named.tensor))
                .collect(),
            known => known
                .par_iter()
                .map(|one| {
                    let own = one.name.as_deref().and_then(|name| weights.get(name).copied());
                    TensorSummary::of(subject, one, own)
                })
                .collect(),
        };
        FileSummary {
            path: checkpoint.path.clone(),
            format: checkpoint.format,
            writer: checkpoint.writer,
            writer_version: checkpoint.writer_version.clone(),
            step: checkpoint.step(),
            clocks: checkpoint.clocks.clone(),
            tensors: checkpoint.model.len(),
            elements: dtypes.iter().map(|count| count.elements).sum(),
            dtypes,
            optimizers: (0..checkpoint.optimizers.len())
                .map(|index| optimizer(subject, case, index))
                .collect(),
            parameters,
            conventions: convention::differences(subject),
            decayed_kinds: convention::decayed_kinds(subject),
            declarations: subject.declarations.clone(),
            remarks: checkpoint.remarks.iter().cloned().chain(without_names(subject)).collect(),
        }
    }
}

/// What the rules could not look at, where parameters have no name.
fn without_names(subject: &Subject) -> Option<String> {
    let all = subject.parameters.len();
    let unnamed = subject.parameters.iter().filter(|one| one.name.is_none()).count();
    (unnamed > 0).then(|| {
        format!(
            "{} of {} in the optimizer {} not known by name: rules that ask which tensors decay \
             (S01 to S12) looked at shapes alone there.",
            number::count(unnamed as u64),
            number::counted(all as u64, "parameter"),
            if unnamed == 1 { "is" } else { "are" }
        )
    })
}

/// How the tensors of a model are stored; tied ones count once.
fn dtypes(checkpoint: &Checkpoint) -> Vec<DtypeCount> {
    let mut places = HashSet::new();
    let mut counts: Vec<DtypeCount> = Vec::new();
    for tensor in checkpoint.model.iter().map(|named| &named.tensor) {
        // The place in memory and not in the file, which shards and copies have in common. An
        // empty tensor has no place, and counts nothing.
        let is_new = places.insert((tensor.bytes().as_ptr(), tensor.shape()));
        if !is_new && tensor.elements() > 0 {
            continue;
        }
        let (dtype, elements) = (tensor.dtype(), tensor.elements() as u64);
        match counts.iter_mut().find(|count| count.dtype == dtype) {
            Some(count) => {
                count.tensors += 1;
                count.elements += elements;
            }
            None => counts.push(DtypeCount { dtype, tensors: 1, elements }),
        }
    }
    counts
}

fn optimizer(subject: &Subject, case: &Case, index: usize) -> OptimizerSummary {
    let saved = &subject.checkpoint.optimizers[index];
    let rules = (0..saved.groups.len()).map(|group| subject.rule(case, index, group));
    let decayed: Vec<&Parameter> = subject
        .parameters
        .iter()
        .filter(|parameter| parameter.optimizer == index)
        .filter(|parameter| parameter.lambda.is_some_and(|lambda| lambda != 0.0))
        .collect();
    OptimizerSummary {
        name: saved.name.clone(),
        naming: subject.naming.get(index).cloned().unwrap_or(Naming::Unknown),
        groups: rules
            .enumerate()
            .map(|(group, rule)| GroupSummary::of(subject, index, group, rule))
            .collect(),
        decayed_parameters: elements(&decayed),
        decayed_tensors: decayed.len(),
    }
}
