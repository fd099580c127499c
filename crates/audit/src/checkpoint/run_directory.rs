//! A run directory of this project: its plan, and the checkpoints of its steps.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value as Json;
use wd_decay::{DecayRule, OptimizerKind};
use wd_store::{Plan, PlannedTensor, RunDirectory};

use crate::bytes::Bytes;
use crate::file::safetensors::Safetensors;
use crate::tensor::Tensor;
use crate::{AuditError, Fault};

use super::find::ReadOptions;
use super::{
    Checkpoint, Clock, Format, Group, LoggedRate, NamedTensor, OptimizerState, ParameterId,
    ParameterState, Value, Writer, index,
};

/// Arenas of the optimizer, and PyTorch's names of what they hold.
const ARENAS: [(&str, &str); 3] =
    [("momentum", "momentum_buffer"), ("first_moment", "exp_avg"), ("second_moment", "exp_avg_sq")];

/// Whether a folder is a run directory.
pub(super) fn is_one(folder: &Path) -> bool {
    folder.join("plan.json").is_file() && folder.join("checkpoints").is_dir()
}

/// The run that a folder belongs to, where it is `checkpoints` of a run directory or one step of
/// it, and that step.
pub(super) fn part_of(folder: &Path) -> Option<(&Path, Option<u64>)> {
    let name = folder.file_name()?.to_str()?;
    let (all, step) = match name.strip_prefix("step-") {
        Some(step) => (folder.parent()?, Some(step.parse().ok()?)),
        None => (folder, None),
    };
    let run = all.parent()?;
    (all.file_name()? == "checkpoints" && is_one(run)).then_some((run, step))
}

/// Reads one checkpoint of a run.
pub(super) fn read_step(
    run: &Path,
    step: u64,
    options: &ReadOptions,
) -> Result<Checkpoint, AuditError> {
    let (run, plan) = open(run)?;
    one(&run.checkpoints().path(step), step, &plan, options)
}

fn open(folder: &Path) -> Result<(RunDirectory, Plan), AuditError> {
    let run = RunDirectory::open(folder).map_err(damaged(folder))?;
    let plan = run.read_plan().map_err(damaged(folder))?;
    Ok((run, plan))
}

/// For `map_err`: what the store says of a run.
fn damaged(folder: &Path) -> impl Fn(wd_store::StoreError) -> AuditError + '_ {
    |error| AuditError::Damaged { path: folder.to_owned(), fault: Fault::whole(error.to_string()) }
}

/// Reads the checkpoints of a run.
pub(super) fn read(folder: &Path, options: &ReadOptions) -> Result<Vec<Checkpoint>, AuditError> {
    let (run, plan) = open(folder)?;
    let checkpoints = run.checkpoints();
    let steps = checkpoints.steps().map_err(damaged(folder))?;
    steps.into_iter().map(|step| one(&checkpoints.path(step), step, &plan, options)).collect()
}

fn one(
    folder: &Path,
    step: u64,
    plan: &Plan,
    options: &ReadOptions,
) -> Result<Checkpoint, AuditError> {
    let mut checkpoint = Checkpoint::empty(folder, Format::RunDirectory);
    checkpoint.writer = Writer::Wd;
    checkpoint.writer_version = Some(plan.program.clone());
    checkpoint.is_in_module_order = true;
    let tensors = |name: &str| {
        let path = folder.join(name);
        let bytes = Bytes::open(&path, options.access)?;
        let read = Safetensors::read(&bytes, options.limits);
        read.map(|read| read.tensors).map_err(|fault| AuditError::Damaged { path, fault })
    };
    let model = tensors("model.safetensors")?.into_iter();
    checkpoint.model = model.map(|(name, tensor)| NamedTensor { name, tensor }).collect();
    let arenas: HashMap<String, Tensor> = tensors("optimizer.safetensors")?.into_iter().collect();
    let taken = steps_taken(&folder.join("state.json"), options)?.unwrap_or(step);
    checkpoint.clocks = vec![
        Clock { name: "step".to_owned(), steps: step as f64 },
        Clock { name: "optimizer_steps".to_owned(), steps: taken as f64 },
    ];
    let rates = (0..plan.steps.min(options.limits.entries as u64))
        .map(|at| LoggedRate { step: at as f64 + 1.0, rate: plan.learning_rate(at) });
    // Those of the run are of no tensor that has a rate of its own, or follows another run.
    let is_followed = plan.effective_rate_of.is_some();
    if !is_followed && plan.tensors.iter().all(|tensor| tensor.rate_ratio == 1.0) {
        checkpoint.rates = rates.collect();
    }
    if arenas.contains_key("average") {
        let remark = "The checkpoint holds a moving average of the weights, which the optimizer \
                      does not update: it is left out.";
        checkpoint.remarks.push(remark.to_owned());
    }
    let optimizer = optimizer(plan, step, taken, &arenas, &mut checkpoint.remarks);
    checkpoint.optimizers.push(optimizer);
    Ok(checkpoint)
}

/// Steps that the optimizer says it has taken.
fn steps_taken(path: &Path, options: &ReadOptions) -> Result<Option<u64>, AuditError> {
    let text = index::read_text(path, options)?;
    let state: Json = serde_json::from_slice(&text).map_err(|error| {
        let fault = Fault::whole(error.to_string());
        AuditError::Damaged { path: path.to_owned(), fault }
    })?;
    Ok(state["checkpoint"]["state"]["optimizer_steps"].as_u64())
}

/// The optimizer as PyTorch would have saved it: a group for each λ and learning rate, a state for
/// each tensor.
fn optimizer(
    plan: &Plan,
    step: u64,
    taken: u64,
    arenas: &HashMap<String, Tensor>,
    remarks: &mut Vec<String>,
) -> OptimizerState {
    let mut kinds: Vec<(f64, f64)> = Vec::new();
    for tensor in &plan.tensors {
        let kind = (tensor.lambda, tensor.rate_ratio);
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let groups = kinds.into_iter().map(|kind| group(plan, step, kind)).collect();
    let elements: u64 = plan.tensors.iter().map(|tensor| tensor.parameters).sum();
    let mut states: Vec<ParameterState> = Vec::new();
    let mut start = 0_usize;
    for (name, arena) in ARENAS.iter().filter_map(|(name, _)| Some((name, arenas.get(*name)?))) {
        if arena.elements() as u64 != elements {
            remarks.push(format!("The arena `{name}` is of some tensors alone: it is left out."));
        }
    }
    for tensor in &plan.tensors {
        let length = usize::try_from(tensor.parameters).unwrap_or(usize::MAX);
        let end = start.saturating_add(length);
        let parts = ARENAS.iter().filter_map(|(name, torch)| {
            let arena = arenas.get(*name).filter(|arena| arena.elements() as u64 == elements)?;
            let size = arena.dtype().size();
            let bytes = arena.bytes().get(start.checked_mul(size)?..end.checked_mul(size)?)?;
            let shape = tensor.shape.clone();
            let part = Tensor::contiguous(bytes, arena.dtype(), shape).ok()?;
            let is_lion = plan.optimizer == OptimizerKind::Lion && *name == "momentum";
            let torch = if is_lion { "exp_avg" } else { torch };
            Some(NamedTensor { name: (*torch).to_owned(), tensor: part })
        });
        let tensors: Vec<NamedTensor> = parts.collect();
        if !tensors.is_empty() {
            let id = ParameterId::Name(tensor.path.clone());
            states.push(ParameterState { id, step: Some(taken as f64), tensors });
        }
        start = end;
    }
    OptimizerState { name: Some(plan.optimizer.title().to_owned()), groups, states }
}

/// The tensors that have one λ and one learning rate over that of the run.
fn group(plan: &Plan, step: u64, (lambda, ratio): (f64, f64)) -> Group {
    let is_of_it = |tensor: &&PlannedTensor| (tensor.lambda, tensor.rate_ratio) == (lambda, ratio);
    let of_it = plan.tensors.iter().filter(is_of_it);
    let names: Vec<String> = of_it.map(|tensor| tensor.path.clone()).collect();
    let parameters = names.iter().cloned().map(ParameterId::Name).collect();
    // λ follows a schedule of its own; a checkpoint holds the present value, as PyTorch's do.
    let present = lambda * plan.lambda_schedule.factor(step);
    let momenta = &plan.momenta;
    let number = |name: &str, value: f64| (name.to_owned(), Value::Number(value));
    let mut settings = vec![
        number("weight_decay", present),
        number("peak_weight_decay", lambda),
        number("lr", ratio * plan.learning_rate(step)),
        number("initial_lr", ratio * plan.peak_learning_rate),
        ("rule".to_owned(), Value::Text(plan.rule.to_string())),
        ("decoupled_weight_decay".to_owned(), Value::Bool(plan.rule != DecayRule::CoupledL2)),
    ];
    match plan.optimizer {
        OptimizerKind::Sgd | OptimizerKind::Muon => settings.extend([
            number("momentum", momenta.momentum),
            number("dampening", momenta.dampening),
            ("nesterov".to_owned(), Value::Bool(momenta.nesterov)),
        ]),
        _ => {
            let betas = [momenta.beta1, momenta.beta2].map(Value::Number);
            settings.push(("betas".to_owned(), Value::List(betas.into())));
            settings.push(("amsgrad".to_owned(), Value::Bool(false)));
        }
    }
    Group::from_settings(settings, parameters, Some(names))
}
