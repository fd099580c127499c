//! What a file or folder holds: weights, optimizer states, schedules, clocks, and who wrote it.

mod configuration;
mod contents;
mod deepspeed;
mod distributed;
mod find;
mod folder;
mod group;
mod index;
mod megatron;
mod model;
mod olmo;
mod optimizer;
mod prefix;
mod run_directory;
mod single;
mod torchtune;
mod trainer;
mod writer;

pub use configuration::is_configuration;
pub use find::{Found, ReadOptions, find};

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use strum::{Display, IntoStaticStr};

use crate::tensor::Tensor;

/// The form in which a checkpoint lies on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Display, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// PyTorch's zip archive (since 1.6).
    #[strum(serialize = "PyTorch zip")]
    TorchZip,
    /// PyTorch's stream of pickles (before 1.6).
    #[strum(serialize = "PyTorch legacy stream")]
    TorchLegacy,
    /// safetensors, one file or several under an index.
    #[strum(serialize = "safetensors")]
    Safetensors,
    /// PyTorch's distributed checkpoint.
    #[strum(serialize = "PyTorch distributed checkpoint")]
    Distributed,
    /// DeepSpeed ZeRO shards.
    #[strum(serialize = "DeepSpeed ZeRO shards")]
    DeepSpeed,
    /// Megatron shards.
    #[strum(serialize = "Megatron shards")]
    Megatron,
    /// A run directory of this project.
    #[strum(serialize = "run directory of wd")]
    RunDirectory,
    /// Several files of several forms that belong together.
    #[strum(serialize = "folder")]
    Folder,
}

/// The program that wrote a checkpoint, as far as its keys tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Display, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names of the programs")]
pub enum Writer {
    #[strum(serialize = "an unknown program")]
    Unknown,
    #[strum(serialize = "torch.save of a model")]
    StateDict,
    #[strum(serialize = "torch.save of an optimizer")]
    OptimizerStateDict,
    #[strum(serialize = "nanoGPT")]
    NanoGpt,
    #[strum(serialize = "Lightning")]
    Lightning,
    #[strum(serialize = "timm")]
    Timm,
    #[strum(serialize = "open_clip")]
    OpenClip,
    #[strum(serialize = "fairseq")]
    Fairseq,
    #[strum(serialize = "detectron2")]
    Detectron2,
    #[strum(serialize = "mmengine")]
    Mmengine,
    #[strum(serialize = "ultralytics")]
    Ultralytics,
    #[strum(serialize = "Composer")]
    Composer,
    #[strum(serialize = "litgpt")]
    LitGpt,
    #[strum(serialize = "torchtune")]
    Torchtune,
    #[strum(serialize = "torchtitan")]
    Torchtitan,
    #[strum(serialize = "OLMo-core")]
    OlmoCore,
    #[strum(serialize = "Hugging Face Trainer")]
    HuggingFaceTrainer,
    #[strum(serialize = "DeepSpeed")]
    DeepSpeed,
    #[strum(serialize = "Megatron")]
    Megatron,
    #[strum(serialize = "wd train")]
    Wd,
}

/// A tensor of a model under its name.
#[derive(Debug, Clone, Serialize)]
pub struct NamedTensor {
    /// As the file has it, prefixes of wrappers (`module.`, `_orig_mod.`) left out.
    pub name: String,
    /// Where it lies.
    pub tensor: Tensor,
}

/// How an optimizer names a parameter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum ParameterId {
    /// A number: an index, or an address of memory in old files.
    Index(i64),
    /// A name.
    Name(String),
}

/// A value of an optimizer's group that is not one of its tensors.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the kinds of values")]
pub enum Value {
    None,
    Bool(bool),
    Integer(i64),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Table(Vec<(String, Value)>),
    /// Anything else, by the name of its class.
    Other(String),
}

impl Value {
    /// As a number; booleans are none.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Integer(x) => Some(*x as f64),
            Value::Number(x) => Some(*x),
            _ => None,
        }
    }

    /// As a truth value.
    pub fn truth(&self) -> Option<bool> {
        match self {
            Value::Bool(x) => Some(*x),
            _ => None,
        }
    }

    /// As text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(x) => Some(x),
            _ => None,
        }
    }

    /// The value under a key of a table.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Table(pairs) => pairs.iter().find(|(name, _)| name == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The value at a path of keys, for example `optimizer.weight_decay`.
    pub fn at(&self, path: &str) -> Option<&Value> {
        path.split('.').try_fold(self, |value, key| value.get(key))
    }
}

/// A group of parameters with common settings.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Group {
    /// λ, under whichever key the optimizer reads it, times a `wd_mult` where there is one.
    pub lambda: Option<f64>,
    /// The key that λ was read from.
    pub lambda_key: Option<String>,
    /// Learning rate as saved: in most files the next step's.
    pub rate: Option<f64>,
    /// Learning rate that the schedule started from.
    pub initial_rate: Option<f64>,
    /// β₁ and β₂.
    pub betas: Option<(f64, f64)>,
    /// ε.
    pub epsilon: Option<f64>,
    /// μ.
    pub momentum: Option<f64>,
    /// Share of the gradient that the momentum leaves out.
    pub dampening: Option<f64>,
    /// Nesterov momentum.
    pub nesterov: Option<bool>,
    /// Largest second moment instead of the present one.
    pub amsgrad: Option<bool>,
    /// Whether the file says that decay is decoupled (PyTorch ≥ 2.15 does).
    pub decoupled: Option<bool>,
    /// The parameters, in order.
    pub parameters: Vec<ParameterId>,
    /// Their names, where the file has them.
    pub names: Option<Vec<String>>,
    /// Every setting as saved, in the order of the file.
    pub settings: Vec<(String, Value)>,
}

/// What an optimizer keeps for one parameter.
#[derive(Debug, Clone, Serialize)]
pub struct ParameterState {
    /// The parameter.
    pub id: ParameterId,
    /// Its own count of steps.
    pub step: Option<f64>,
    /// Tensors under their names: `exp_avg`, `exp_avg_sq`, `momentum_buffer` …
    pub tensors: Vec<NamedTensor>,
}

impl ParameterState {
    /// A tensor by its name.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.tensors.iter().find(|state| state.name == name).map(|state| &state.tensor)
    }
}

/// A saved optimizer.
#[derive(Debug, Clone, Default, Serialize)]
pub struct OptimizerState {
    /// Its name, where the file has one: `AdamW`, `DecoupledLionW` …
    pub name: Option<String>,
    /// Its groups, in order.
    pub groups: Vec<Group>,
    /// What it keeps for each parameter that it has updated, in the order of the file.
    pub states: Vec<ParameterState>,
}

impl OptimizerState {
    /// The state of a parameter. To look up many, take [`OptimizerState::states_by_id`].
    pub fn state(&self, id: &ParameterId) -> Option<&ParameterState> {
        // Most files number the parameters, and keep the states in that order.
        if let ParameterId::Index(index) = id
            && let Some(state) = usize::try_from(*index).ok().and_then(|at| self.states.get(at))
            && &state.id == id
        {
            return Some(state);
        }
        self.states.iter().find(|state| &state.id == id)
    }

    /// All states by their parameters.
    pub fn states_by_id(&self) -> HashMap<&ParameterId, &ParameterState> {
        // In reverse, so that of two states of one parameter the first stays, as in `state`.
        self.states.iter().rev().map(|state| (&state.id, state)).collect()
    }
}

/// A saved learning-rate schedule.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SchedulerState {
    /// Its settings as saved: `base_lrs`, `last_epoch`, `T_max` …
    pub settings: Vec<(String, Value)>,
}

/// A count of steps that a file holds, under its name there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Clock {
    /// For example `global_step`, `iter_num`, `scheduler.last_epoch`.
    pub name: String,
    /// Steps.
    pub steps: f64,
}

/// What is logged of one step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LoggedRate {
    /// The step, from 1.
    pub step: f64,
    /// The learning rate.
    pub rate: f64,
}

/// A configuration as it lies in a checkpoint or beside it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Embedded {
    /// The file that holds it.
    pub file: PathBuf,
    /// Its key there (`args`, `config`, `hyper_parameters`), or the name of its class.
    pub key: String,
    /// Its values.
    pub value: Value,
}

/// What a file or folder holds.
#[derive(Debug, Clone, Serialize)]
pub struct Checkpoint {
    /// The file or folder, as the user named it or as found below.
    pub path: PathBuf,
    /// Its form.
    pub format: Format,
    /// Who wrote it.
    pub writer: Writer,
    /// Version of the writer, where the file says it.
    pub writer_version: Option<String>,
    /// The model's tensors in the order of the file, buffers included.
    pub model: Vec<NamedTensor>,
    /// Whether the order of `model` is that of the modules (a pickle's is, safetensors' is not).
    pub is_in_module_order: bool,
    /// Optimizers.
    pub optimizers: Vec<OptimizerState>,
    /// Schedules.
    pub schedulers: Vec<SchedulerState>,
    /// Counts of steps.
    pub clocks: Vec<Clock>,
    /// Learning rates by step, from a log beside the checkpoint.
    pub rates: Vec<LoggedRate>,
    /// Configurations within the file or beside it, as they are; [`crate::dialect`] reads them.
    pub embedded: Vec<Embedded>,
    /// What a reader should know of how this was read: things left out, things unusual.
    pub remarks: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint that holds nothing yet.
    pub(crate) fn empty(path: &Path, format: Format) -> Self {
        Checkpoint {
            path: path.to_owned(),
            format,
            writer: Writer::Unknown,
            writer_version: None,
            model: Vec::new(),
            is_in_module_order: false,
            optimizers: Vec::new(),
            schedulers: Vec::new(),
            clocks: Vec::new(),
            rates: Vec::new(),
            embedded: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// Whether nothing that can be audited was found.
    pub fn is_empty(&self) -> bool {
        self.model.is_empty()
            && self.optimizers.is_empty()
            && self.schedulers.is_empty()
            && self.embedded.is_empty()
            && self.rates.is_empty()
    }

    /// All tensors of the model by their names.
    pub fn tensors_by_name(&self) -> HashMap<&str, &Tensor> {
        // In reverse, so that of two tensors of one name the first stays, as in `tensor`.
        self.model.iter().rev().map(|named| (named.name.as_str(), &named.tensor)).collect()
    }

    /// A tensor of the model by its name. To look up many, take [`Checkpoint::tensors_by_name`].
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.model.iter().find(|tensor| tensor.name == name).map(|tensor| &tensor.tensor)
    }

    /// The step at which it was saved: what the optimizer's states agree on, else the first clock.
    pub fn step(&self) -> Option<f64> {
        let states = self.optimizers.iter().flat_map(|optimizer| &optimizer.states);
        let counted = states
            .filter_map(|state| state.step)
            .fold(None, |most: Option<f64>, step| Some(most.map_or(step, |most| most.max(step))));
        counted.or_else(|| self.clocks.first().map(|clock| clock.steps))
    }
}
