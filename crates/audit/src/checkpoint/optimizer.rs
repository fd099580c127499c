//! Optimizers: groups and states, as `state_dict()` of PyTorch's and most others give them.

use crate::file::pickle::Object;
use crate::tensor::Dtype;

use super::{Group, NamedTensor, OptimizerState, ParameterId, ParameterState, Value, prefix};

/// Containers around an optimizer that are looked into: a list of them, a table by class name.
const DEPTH: usize = 3;

/// Optimizers that one file may hold.
const MOST: usize = 64;

/// Optimizers below a value: itself, or those in lists and tables of them.
pub(super) fn read_all(
    object: Object<'_>,
    name: Option<&str>,
    remarks: &mut Vec<String>,
) -> Vec<OptimizerState> {
    let mut found = Vec::new();
    let mut left = vec![(object, name.map(str::to_owned), 0)];
    while let Some((object, name, depth)) = left.pop() {
        if is_optimizer(object) {
            found.push(read(object, name, remarks));
        } else if depth < DEPTH && left.len() < MOST {
            let first = left.len();
            let elements = object.elements().take(MOST).map(|inner| (inner, None, depth + 1));
            left.extend(elements.filter(|(inner, ..)| inner.is_table()));
            if object.is_table() {
                let items = object.items().into_iter().take(MOST);
                let named = items.map(|(key, inner)| {
                    let is_class = |key: &&str| key.starts_with(|c: char| c.is_ascii_uppercase());
                    let name = key.text().filter(is_class).map(str::to_owned);
                    (inner, name, depth + 1)
                });
                left.extend(named.filter(|(inner, ..)| inner.is_table()));
            }
            left[first..].reverse();
        }
        if found.len() == MOST {
            remarks.push("Only the first 64 optimizers are read.".to_owned());
            break;
        }
    }
    found
}

/// Whether it is an optimizer's state.
pub(super) fn is_optimizer(object: Object<'_>) -> bool {
    object.get("param_groups").is_some_and(Object::is_sequence)
}

fn read(object: Object<'_>, name: Option<String>, remarks: &mut Vec<String>) -> OptimizerState {
    let name = name.or_else(|| {
        let is_named = object.is_object();
        object.class().filter(|_| is_named).map(|(_, class)| class.to_owned())
    });
    let groups = object.get("param_groups").into_iter().flat_map(Object::elements);
    let mut unnamed = 0;
    let groups: Vec<Group> = groups.map(|group| read_group(group, &mut unnamed)).collect();
    if unnamed > 0 {
        let count = wd_page::number::counted(unnamed, "parameter");
        remarks.push(format!(
            "{count} of the optimizer stand in its groups as tensors or objects, not as numbers or \
             names; they are left out."
        ));
    }
    let mut states = Vec::new();
    let mut unreadable = 0;
    for (key, state) in object.get("state").map(Object::items).unwrap_or_default() {
        match identity(key) {
            Some(id) => states.push(read_state(id, state, &mut unreadable)),
            None => unreadable += 1,
        }
    }
    if unreadable > 0 {
        let count = wd_page::number::counted(unreadable, "value");
        remarks.push(format!("{count} of the optimizer's state cannot be read."));
    }
    let mut optimizer = OptimizerState { name, groups, states };
    optimizer.strip_prefixes();
    if optimizer.is_eight_bit() {
        remarks.push(
            "The optimizer's state is in 8-bit blocks (bitsandbytes): its settings are read, its \
             moments are not."
                .to_owned(),
        );
    }
    optimizer
}

fn identity(key: Object<'_>) -> Option<ParameterId> {
    match (key.integer(), key.text()) {
        (Some(index), _) => Some(ParameterId::Index(index)),
        (None, Some(name)) => Some(ParameterId::Name(prefix::plain(name))),
        (None, None) => None,
    }
}

fn read_group(group: Object<'_>, unnamed: &mut u64) -> Group {
    let ids = group.get("params").into_iter().flat_map(Object::elements).map(identity);
    let ids: Vec<Option<ParameterId>> = ids.collect();
    *unnamed += ids.iter().filter(|id| id.is_none()).count() as u64;
    let names = group.get("param_names").filter(|names| names.elements().len() == ids.len());
    let names = names.and_then(|names| {
        names.elements().map(|name| name.text().map(prefix::plain)).collect::<Option<Vec<_>>>()
    });
    let settings = group.items().into_iter().filter_map(|(key, value)| match key.text()? {
        "params" | "param_names" => None,
        key => Some((key.to_owned(), value.to_value())),
    });
    Group::from_settings(settings.collect(), ids.into_iter().flatten().collect(), names)
}

fn read_state(id: ParameterId, state: Object<'_>, unreadable: &mut u64) -> ParameterState {
    let mut step = None;
    let mut tensors = Vec::new();
    let mut add = |name: String, tensor| match tensor {
        Ok(tensor) => tensors.push(NamedTensor { name, tensor }),
        Err(_) => *unreadable += 1,
    };
    for (key, value) in state.items() {
        let Some(key) = key.text() else { continue };
        if key == "step" {
            step = value.number();
        } else if let Some(tensor) = value.tensor() {
            add(key.to_owned(), tensor);
        } else {
            // Lists of factors, as Shampoo keeps them, and tables, one level deep.
            let listed = value.elements().enumerate().map(|(at, value)| (at.to_string(), value));
            let tabled = value.items().into_iter();
            let tabled = tabled.filter_map(|(key, value)| Some((key.text()?.to_owned(), value)));
            for (inner, value) in listed.chain(tabled) {
                if let Some(tensor) = value.tensor() {
                    add(format!("{key}.{inner}"), tensor);
                }
            }
        }
    }
    ParameterState { id, step, tensors }
}

impl OptimizerState {
    /// Takes the prefixes of wrappers off its names.
    pub(crate) fn strip_prefixes(&mut self) {
        let ids = self.groups.iter_mut().flat_map(|group| {
            group.parameters.iter_mut().filter_map(name_of).chain(group.names.iter_mut().flatten())
        });
        let states = self.states.iter_mut().filter_map(|state| name_of(&mut state.id));
        prefix::strip_common(ids.chain(states));
    }

    /// Whether its moments are stored in blocks of 8 bits.
    pub fn is_eight_bit(&self) -> bool {
        let is_packed = |state: &ParameterState| {
            state.tensor("state1").is_some_and(|state| state.dtype() == Dtype::Uint8)
                && (state.tensor("absmax1").is_some() || state.tensor("qmap1").is_some())
        };
        self.states.iter().any(is_packed)
    }
}

fn name_of(id: &mut ParameterId) -> Option<&mut String> {
    match id {
        ParameterId::Name(name) => Some(name),
        ParameterId::Index(_) => None,
    }
}

/// A value as settings, if it is a table.
pub(super) fn settings(value: Value) -> Option<Vec<(String, Value)>> {
    match value {
        Value::Table(settings) if !settings.is_empty() => Some(settings),
        _ => None,
    }
}
