//! A distributed checkpoint as a checkpoint: which keys are the model's, which the optimizer's.

use std::collections::HashMap;
use std::path::Path;

use crate::AuditError;
use crate::file::distributed::{self, Distributed, Item};

use super::find::ReadOptions;
use super::{
    Checkpoint, Embedded, Format, Group, NamedTensor, OptimizerState, ParameterId, ParameterState,
    Value, Writer, prefix,
};

/// Top keys of optimizers.
const OPTIMIZERS: [&str; 5] = ["optim", "optimizer", "optimizers", "optimizer_state", "osd"];

/// Top keys of schedules and of counts.
const SCHEDULERS: [&str; 4] = ["lr_scheduler", "scheduler", "lr_schedulers", "opt_param_scheduler"];
const CLOCKS: [&str; 6] = ["step", "global_step", "iteration", "train_step", "num_steps", "steps"];

/// Top keys that wrap a model's names, and one that wraps everything.
const MODELS: [&str; 4] = ["model", "state_dict", "module", "model_state_dict"];
const APPLICATION: &str = "app";

/// Reads a folder that holds `.metadata`.
pub(super) fn read(folder: &Path, options: &ReadOptions) -> Result<Checkpoint, AuditError> {
    let mut checkpoint = Checkpoint::empty(folder, Format::Distributed);
    add(&mut checkpoint, folder, options)?;
    Ok(checkpoint)
}

/// Adds what such a folder holds to a checkpoint.
pub(super) fn add(
    checkpoint: &mut Checkpoint,
    folder: &Path,
    options: &ReadOptions,
) -> Result<(), AuditError> {
    let ReadOptions { access, limits, verify } = *options;
    let read = distributed::read(folder, access, limits, verify)?;
    checkpoint.note_unreadable(&read.unreadable);
    sort(checkpoint, read, folder);
    Ok(())
}

/// What a key of an optimizer is about.
enum Part {
    /// State of a parameter: its name and the name of the tensor.
    State(String, String),
    /// A setting of a numbered group.
    Group(usize, String),
    /// A setting of the group of a parameter.
    Flat(String, String),
}

/// Reads the path of a key as one of an optimizer: nested, or flattened below or at its top.
fn part(path: &[String]) -> Option<Part> {
    let (top, rest) = match path {
        [top, rest @ ..] if OPTIMIZERS.contains(&top.as_str()) => (true, rest),
        rest => (false, rest),
    };
    let owned = |text: &str| text.to_owned();
    match rest {
        [state, name, key] if state == "state" => Some(Part::State(name.clone(), key.clone())),
        [groups, index, key @ ..] if groups == "param_groups" && !key.is_empty() => {
            Some(Part::Group(index.parse().ok()?, key.join(".")))
        }
        [one] => {
            // A key that is flat as a whole still begins with the name of its optimizer.
            let one = match one.split_once('.') {
                Some((first, rest)) if !top && OPTIMIZERS.contains(&first) => rest,
                _ => one.as_str(),
            };
            if let Some(rest) = one.strip_prefix("state.") {
                let (name, key) = rest.rsplit_once('.')?;
                return Some(Part::State(owned(name), owned(key)));
            }
            let rest = one.strip_prefix("param_groups.")?;
            let (name, key) = rest.rsplit_once('.')?;
            Some(match name.parse() {
                Ok(index) => Part::Group(index, owned(key)),
                Err(_) => Part::Flat(owned(name), owned(key)),
            })
        }
        _ => None,
    }
}

/// What is collected of an optimizer while its keys go by.
#[derive(Default)]
struct Collected {
    states: Vec<ParameterState>,
    by_name: HashMap<String, usize>,
    groups: Vec<Vec<(String, Value)>>,
    flat: Vec<(String, Vec<(String, Value)>)>,
    by_flat_name: HashMap<String, usize>,
}

/// Groups that a key may number.
const GROUPS: usize = 10_000;

impl Collected {
    fn take(&mut self, part: Part, item: Item) {
        match (part, item) {
            (Part::State(name, key), item) => {
                let name = prefix::plain(&name);
                let at = *self.by_name.entry(name.clone()).or_insert_with(|| {
                    let id = ParameterId::Name(name);
                    self.states.push(ParameterState { id, step: None, tensors: Vec::new() });
                    self.states.len() - 1
                });
                let state = &mut self.states[at];
                match item {
                    Item::Tensor(tensor) if key == "step" => state.step = tensor.scalar(),
                    Item::Tensor(tensor) => state.tensors.push(NamedTensor { name: key, tensor }),
                    Item::Value(value) if key == "step" => state.step = value.number(),
                    Item::Value(_) => {}
                }
            }
            (Part::Group(index, key), item) if index < GROUPS => {
                if self.groups.len() <= index {
                    self.groups.resize(index + 1, Vec::new());
                }
                self.groups[index].push((key, plain(item)));
            }
            (Part::Group(..), _) => {}
            (Part::Flat(name, key), item) => {
                let name = prefix::plain(&name);
                let at = *self.by_flat_name.entry(name.clone()).or_insert_with(|| {
                    self.flat.push((name, Vec::new()));
                    self.flat.len() - 1
                });
                self.flat[at].1.push((key, plain(item)));
            }
        }
    }

    fn finish(self) -> OptimizerState {
        let mut groups: Vec<Group> = self.groups.into_iter().map(numbered).collect();
        groups.extend(gathered(self.flat));
        let mut optimizer = OptimizerState { name: None, groups, states: self.states };
        optimizer.strip_prefixes();
        optimizer
    }
}

fn plain(item: Item) -> Value {
    match item {
        Item::Value(value) => value,
        Item::Tensor(tensor) => match tensor.scalar() {
            Some(number) => Value::Number(number),
            None => Value::Other("tensor".to_owned()),
        },
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::List(list) => list.iter().map(|text| text.text().map(prefix::plain)).collect(),
        _ => None,
    }
}

/// A group that the file numbers: its `params` are names.
fn numbered(mut settings: Vec<(String, Value)>) -> Group {
    let mut take = |key: &str| {
        let at = settings.iter().position(|(name, _)| name == key)?;
        Some(settings.remove(at).1)
    };
    let (parameters, names) = (take("params"), take("param_names"));
    let parameters = parameters.as_ref().and_then(texts).unwrap_or_default();
    let names = names.as_ref().and_then(texts).filter(|names| names.len() == parameters.len());
    let parameters = parameters.into_iter().map(ParameterId::Name).collect();
    Group::from_settings(settings, parameters, names)
}

/// Parameters that carry their group's settings each, put together where the settings agree.
fn gathered(flat: Vec<(String, Vec<(String, Value)>)>) -> Vec<Group> {
    let mut gathered: Vec<(Vec<(String, Value)>, Vec<String>)> = Vec::new();
    let mut by_settings: HashMap<String, usize> = HashMap::new();
    for (name, mut settings) in flat {
        settings.retain(|(key, _)| key != "param_names" && key != "params");
        let at = *by_settings.entry(format!("{settings:?}")).or_insert_with(|| {
            gathered.push((settings, Vec::new()));
            gathered.len() - 1
        });
        gathered[at].1.push(name);
    }
    let group = |(settings, names): (_, Vec<String>)| {
        let parameters = names.iter().cloned().map(ParameterId::Name).collect();
        Group::from_settings(settings, parameters, Some(names))
    };
    gathered.into_iter().map(group).collect()
}

fn sort(checkpoint: &mut Checkpoint, read: Distributed, folder: &Path) {
    let mut optimizer = Collected::default();
    let mut schedule: Vec<(String, Value)> = Vec::new();
    let mut others: Vec<(String, Value)> = Vec::new();
    let has_groups = read
        .entries
        .iter()
        .any(|entry| matches!(part(strip(&entry.path)), Some(Part::Group(..) | Part::Flat(..))));
    let mut is_bare = true;
    for entry in read.entries {
        let path = strip(&entry.path);
        let is_optimizer = path.first().is_some_and(|top| {
            let top = top.split('.').next().unwrap_or_default();
            OPTIMIZERS.contains(&top) || top == "state" || top == "param_groups"
        });
        match (part(path).filter(|_| is_optimizer && has_groups), entry.item) {
            (Some(part), item) => optimizer.take(part, item),
            // torchtitan counts its steps in a tensor.
            (None, Item::Tensor(tensor))
                if tensor.shape().is_empty()
                    && path.last().is_some_and(|last| CLOCKS.contains(&last.as_str())) =>
            {
                if let Some(steps) = tensor.scalar() {
                    checkpoint.add_clock(&path.join("."), steps);
                }
            }
            (None, Item::Tensor(tensor)) => {
                let name = match path {
                    [top, rest @ ..] if MODELS.contains(&top.as_str()) && !rest.is_empty() => {
                        is_bare = false;
                        rest.join(".")
                    }
                    path => path.join("."),
                };
                checkpoint.model.push(NamedTensor { name: prefix::plain(&name), tensor });
            }
            (None, Item::Value(value)) => {
                let key = path.join(".");
                let (top, last) = (path.first(), key.rsplit('.').next().unwrap_or_default());
                if top.is_some_and(|top| SCHEDULERS.contains(&top.as_str())) {
                    schedule.push((path.get(1..).unwrap_or_default().join("."), value));
                } else if let (true, Some(steps)) = (CLOCKS.contains(&last), value.number()) {
                    checkpoint.add_clock(&key, steps);
                } else {
                    others.push((key, value));
                }
            }
        }
    }
    prefix::strip_common(checkpoint.model.iter_mut().map(|tensor| &mut tensor.name));
    if has_groups || !optimizer.states.is_empty() {
        checkpoint.optimizers.push(optimizer.finish());
    }
    if !schedule.is_empty() {
        checkpoint.absorb_scheduler(schedule);
    }
    if !others.is_empty() {
        let (key, value) = ("values of the checkpoint".to_owned(), Value::Table(others));
        checkpoint.embedded.push(Embedded { file: folder.to_owned(), key, value });
    }
    // torchtitan keeps the names of the model without a key above them.
    if checkpoint.writer == Writer::Unknown && is_bare && has_groups && !checkpoint.model.is_empty()
    {
        checkpoint.writer = Writer::Torchtitan;
    }
}

fn strip(path: &[String]) -> &[String] {
    match path {
        [top, rest @ ..] if top == APPLICATION && !rest.is_empty() => rest,
        path => path,
    }
}
