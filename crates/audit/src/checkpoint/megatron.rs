//! Megatron's checkpoints: a file for each rank, or a distributed checkpoint with what is common.
//!
//! - Classic: `iter_0001000/mp_rank_00/model_optim_rng.pt`, with the arguments, the model and the
//!   optimizer of one rank.
//! - `torch_dist`: `metadata.json`, a distributed checkpoint, and in `common.pt` or the item
//!   `common_state` what is no tensor. Layers of one kind are stacked: their first axis is the
//!   layer.
//!
//! λ of a group is `weight_decay · wd_mult`. Written after Megatron-LM's sources and held by files
//! that a script makes after them; no real checkpoint was at hand to test with.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::AuditError;
use crate::file::distributed::{self, Item, METADATA};

use super::find::ReadOptions;
use super::{
    Checkpoint, Embedded, Format, Group, NamedTensor, OptimizerState, ParameterId, ParameterState,
    Value, Writer, configuration, index, single,
};

const RANK_FILE: &str = "model_optim_rng.pt";
const COMMON_FILE: &str = "common.pt";
const COMMON_ITEM: &str = "common_state";
const STATE: &str = "optimizer.state.";

/// Reads the iteration of a folder, if it is one.
pub(super) fn read(folder: &Path, options: &ReadOptions) -> Option<Result<Checkpoint, AuditError>> {
    let ranks = ranks(folder, options);
    if let Some(first) = ranks.first() {
        return Some(read_rank(folder, first, ranks.len(), options));
    }
    (folder.join(METADATA).is_file() && is_torch_dist(folder, options))
        .then(|| read_distributed(folder, options))
}

fn is_torch_dist(folder: &Path, options: &ReadOptions) -> bool {
    #[derive(Deserialize)]
    struct Metadata {
        sharded_backend: String,
    }
    let path = folder.join("metadata.json");
    let text = path.is_file().then(|| index::read_text(&path, options).ok()).flatten();
    let read = text.and_then(|text| serde_json::from_slice::<Metadata>(&text).ok());
    read.is_some_and(|metadata| metadata.sharded_backend == "torch_dist")
}

fn ranks(folder: &Path, options: &ReadOptions) -> Vec<PathBuf> {
    let entries = configuration::entries(folder, options.limits).unwrap_or_default();
    let is_rank = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        name.starts_with("mp_rank_") && path.join(RANK_FILE).is_file()
    };
    entries.into_iter().filter(is_rank).map(|path| path.join(RANK_FILE)).collect()
}

fn read_rank(
    folder: &Path,
    first: &Path,
    ranks: usize,
    options: &ReadOptions,
) -> Result<Checkpoint, AuditError> {
    let mut checkpoint = Checkpoint::empty(folder, Format::Megatron);
    single::add(&mut checkpoint, first, options)?;
    checkpoint.format = Format::Megatron;
    checkpoint.writer = Writer::Megatron;
    if ranks > 1 {
        let ranks = wd_page::number::count(ranks as u64);
        checkpoint.remarks.push(format!(
            "The model is spread over {ranks} ranks (tensor or pipeline parallel): only what the \
             first of them holds is read."
        ));
    }
    if first.with_file_name("distrib_optim.pt").is_file() {
        let remark = "The distributed optimizer's state (distrib_optim.pt) lies in buckets whose \
                      maps are not saved: it is left out.";
        checkpoint.remarks.push(remark.to_owned());
    }
    Ok(checkpoint)
}

fn read_distributed(folder: &Path, options: &ReadOptions) -> Result<Checkpoint, AuditError> {
    let ReadOptions { access, limits, verify } = *options;
    let mut checkpoint = Checkpoint::empty(folder, Format::Megatron);
    checkpoint.writer = Writer::Megatron;
    let read = distributed::read(folder, access, limits, verify)?;
    checkpoint.note_unreadable(&read.unreadable);
    let mut states = States::default();
    for entry in read.entries {
        let key = entry.path.join(".");
        match (entry.item, key.strip_prefix(STATE).and_then(|rest| rest.split_once('.'))) {
            (Item::Tensor(tensor), Some((kind, name))) => states.add(kind, name, tensor),
            (Item::Tensor(tensor), None) if key.starts_with("optimizer.") => {
                states.unnamed += 1;
                drop(tensor);
            }
            (Item::Tensor(tensor), None) => {
                checkpoint.model.push(NamedTensor { name: key, tensor });
            }
            (Item::Value(value), _) if key == COMMON_ITEM => {
                add_common(&mut checkpoint, value, folder);
            }
            (Item::Value(_), _) => {}
        }
    }
    let common = folder.join(COMMON_FILE);
    if common.is_file() {
        let value = single::value(&common, options)?;
        add_common(&mut checkpoint, value, &common);
    }
    if states.unnamed > 0 {
        let remark =
            "The optimizer's state lies in buckets whose maps are not read: it is left out.";
        checkpoint.remarks.push(remark.to_owned());
    }
    if !states.states.is_empty() {
        let remark = "Groups number their parameters, and states name them; layers of one kind are \
                      stacked along the first axis.";
        checkpoint.remarks.push(remark.to_owned());
        if checkpoint.optimizers.is_empty() {
            checkpoint.optimizers.push(OptimizerState::default());
        }
        checkpoint.optimizers[0].states = states.states;
    }
    Ok(checkpoint)
}

/// States by the names of their parameters.
#[derive(Default)]
struct States {
    states: Vec<ParameterState>,
    by_name: HashMap<String, usize>,
    unnamed: usize,
}

impl States {
    fn add(&mut self, kind: &str, name: &str, tensor: crate::tensor::Tensor) {
        let at = *self.by_name.entry(name.to_owned()).or_insert_with(|| {
            let id = ParameterId::Name(name.to_owned());
            self.states.push(ParameterState { id, step: None, tensors: Vec::new() });
            self.states.len() - 1
        });
        self.states[at].tensors.push(NamedTensor { name: kind.to_owned(), tensor });
    }
}

/// Adds what is common to all ranks: arguments, groups, schedule, iteration.
fn add_common(checkpoint: &mut Checkpoint, common: Value, file: &Path) {
    if let Some(steps) = common.get("iteration").and_then(Value::number) {
        checkpoint.add_clock("iteration", steps);
    }
    let groups = ["optimizer.optimizer.param_groups", "optimizer.param_groups"];
    if let Some(Value::List(groups)) = groups.iter().find_map(|path| common.at(path)) {
        let groups = groups.iter().map(numbered).collect();
        let optimizer = OptimizerState { name: None, groups, states: Vec::new() };
        checkpoint.optimizers.push(optimizer);
    }
    if let Some(Value::Table(settings)) = common.get("opt_param_scheduler") {
        checkpoint.absorb_scheduler(settings.clone());
    }
    if let Some(args @ Value::Table(_)) = common.get("args") {
        let (file, key) = (file.to_owned(), "args".to_owned());
        checkpoint.embedded.push(Embedded { file, key, value: args.clone() });
    }
}

fn numbered(group: &Value) -> Group {
    let Value::Table(settings) = group else { return Group::default() };
    let parameters = match group.get("params") {
        Some(Value::List(list)) => list
            .iter()
            .filter_map(|id| match id {
                Value::Integer(index) => Some(ParameterId::Index(*index)),
                Value::Text(name) => Some(ParameterId::Name(name.clone())),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    let settings = settings.iter().filter(|(key, _)| key != "params").cloned();
    Group::from_settings(settings.collect(), parameters, None)
}
