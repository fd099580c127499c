//! A configuration while a dialect reads it: values by their keys, and which keys were looked at.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::Serialize;
use wd_decay::{Declared, names};

use super::UNKNOWN;
use super::syntax::literal;
use crate::checkpoint::Value;

/// A key that is not read, and the one that it is surely a slip of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misspelling {
    /// The key with its path, as written.
    pub key: String,
    /// The key that is read.
    pub meant: String,
}

impl Misspelling {
    /// The slip in words, of a configuration of this trainer.
    pub fn words(&self, trainer: &str) -> String {
        let Misspelling { key, meant } = self;
        match trainer == UNKNOWN {
            true => format!("`{key}` is not read: did you mean `{meant}`?"),
            false => format!("`{key}` is no key of {trainer}: did you mean `{meant}`?"),
        }
    }
}

/// The last part of a path.
pub(super) fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// Values by paths of keys. Every path that is asked for counts as read.
pub(super) struct Reading<'a> {
    value: &'a Value,
    read: RefCell<BTreeSet<String>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(value: &'a Value) -> Self {
        Reading { value, read: RefCell::default() }
    }

    /// The value at a path; a null is as good as none.
    pub(super) fn at(&self, path: &str) -> Option<&'a Value> {
        self.read.borrow_mut().insert(path.to_owned());
        self.value.at(path).filter(|value| **value != Value::None)
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.value.at(path).is_some_and(|value| *value != Value::None)
    }

    /// Whether something is written at a path, if only a null.
    pub(super) fn is_written(&self, path: &str) -> bool {
        self.value.at(path).is_some()
    }

    /// A finite number, also where a text spells it: PyYAML reads `1e-4` as a text, and trainers
    /// make a number of it.
    pub(super) fn number(&self, path: &str) -> Option<f64> {
        number(self.at(path)?)
    }

    /// A number of things: a whole number from 0 on.
    pub(super) fn count(&self, path: &str) -> Option<u64> {
        self.number(path).and_then(whole)
    }

    pub(super) fn truth(&self, path: &str) -> Option<bool> {
        match self.at(path)? {
            Value::Bool(truth) => Some(*truth),
            Value::Text(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Some(true),
                "false" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// A text; of an enumeration (`SchedulerType.COSINE`) the last part, in small letters.
    pub(super) fn word(&self, path: &str) -> Option<String> {
        let text = match self.at(path)? {
            Value::Text(text) | Value::Other(text) => text,
            // An enumeration of a pickle: its class called with one text.
            Value::List(items) => items.first()?.text()?,
            _ => return None,
        };
        Some(text.rsplit('.').next().unwrap_or(text).to_ascii_lowercase())
    }

    /// A text as it is.
    pub(super) fn text(&self, path: &str) -> Option<&'a str> {
        self.at(path)?.text()
    }

    /// Numbers of a list, also where a text spells it: `(0.9, 0.98)`.
    pub(super) fn numbers(&self, path: &str) -> Vec<f64> {
        self.at(path).map(numbers).unwrap_or_default()
    }

    /// Two numbers of a list.
    pub(super) fn pair(&self, path: &str) -> Option<(f64, f64)> {
        match self.numbers(path).as_slice() {
            [first, second, ..] => Some((*first, *second)),
            _ => None,
        }
    }

    /// β₁ and β₂ under two keys, each with its default.
    pub(super) fn betas(&self, keys: (&str, &str), defaults: (f64, f64)) -> (f64, f64) {
        let beta = |key, default| self.number(key).unwrap_or(default);
        (beta(keys.0, defaults.0), beta(keys.1, defaults.1))
    }

    /// A number that was stated, or the trainer's default.
    pub(super) fn declared(&self, path: &str, default: f64) -> Declared {
        self.number(path).map_or(Declared::by_default(default), Declared::stated)
    }

    /// Counts a path and all below it as read.
    pub(super) fn mark(&self, path: &str) {
        self.read.borrow_mut().insert(path.to_owned());
    }

    /// All leaves with their paths, in the order of the file.
    pub(super) fn leaves(&self) -> Vec<(String, &'a Value)> {
        let mut leaves = Vec::new();
        let mut open = vec![(String::new(), self.value)];
        while let Some((path, value)) = open.pop() {
            let join = |key: &str| match path.is_empty() {
                true => key.to_owned(),
                false => format!("{path}.{key}"),
            };
            match value {
                Value::Table(pairs) => {
                    open.extend(pairs.iter().rev().map(|(key, value)| (join(key), value)));
                }
                Value::List(items) if items.iter().any(|item| matches!(item, Value::Table(_))) => {
                    let items = items.iter().enumerate().rev();
                    open.extend(items.map(|(index, item)| (join(&index.to_string()), item)));
                }
                _ => leaves.push((path, value)),
            }
        }
        leaves
    }

    /// Keys that sound like weight decay and were not read.
    pub(super) fn unread(&self) -> Vec<String> {
        let near = self.leaves().into_iter().filter(|(path, value)| {
            **value != Value::None && sounds_like_decay(path) && !self.was_read(path)
        });
        near.map(|(path, _)| path).collect()
    }

    /// The key that names a schedule of the learning rate, with its value.
    pub(super) fn schedule_named(&self) -> Option<String> {
        self.leaves().into_iter().find_map(|(path, value)| {
            let is_named = is_schedule(&path.to_ascii_lowercase());
            let shown = match value {
                Value::Text(text) | Value::Other(text) if !text.is_empty() => text.clone(),
                Value::List(items) => items.first()?.text()?.to_owned(),
                _ => return None,
            };
            is_named.then(|| format!("`{path}`: {shown}"))
        })
    }

    /// Was a path, or one that it lies below, asked for?
    fn was_read(&self, path: &str) -> bool {
        let read = self.read.borrow();
        let mut prefix = path;
        loop {
            if read.contains(prefix) {
                return true;
            }
            match prefix.rsplit_once('.') {
                Some((shorter, _)) => prefix = shorter,
                None => return false,
            }
        }
    }

    /// Keys that nobody asked for, each a slip of one that was asked for and is not there.
    pub(super) fn misspelt(&self) -> Vec<Misspelling> {
        let leaves = self.leaves();
        let is_there = |name: &str| leaves.iter().any(|(path, _)| last(path) == name);
        let asked = self.read.borrow();
        let absent: Vec<&str> =
            asked.iter().map(|path| last(path)).filter(|name| !is_there(name)).collect();
        let unread = leaves.iter().filter(|(path, _)| !self.was_read(path));
        unread
            .filter_map(|(path, _)| {
                let meant = names::slip_of(last(path), absent.iter().copied())?.to_owned();
                Some(Misspelling { key: path.clone(), meant })
            })
            .collect()
    }
}

/// Whether the last part of a path has `decay`, `wd` or `l2` as a word, and is not about the decay
/// of a rate or an average.
pub(crate) fn sounds_like_decay(path: &str) -> bool {
    let key = path.rsplit('.').next().unwrap_or(path).to_ascii_lowercase();
    // `weight_decay_rate` is λ of BERT's days, whatever its last word.
    if key.contains("weight_decay") || key.contains("weightdecay") {
        return true;
    }
    let mut words = key.split(['_', '-']);
    let is_near = words.clone().any(|word| matches!(word, "decay" | "wd" | "l2" | "wdecay"));
    const OTHER: [&str; 15] = [
        "lr",
        "learning",
        "rate",
        "ema",
        "epochs",
        "epoch",
        "iters",
        "steps",
        "samples",
        "momentum",
        "ratio",
        "type",
        "style",
        "milestones",
        "layer",
    ];
    is_near && !words.any(|word| OTHER.contains(&word))
}

/// Whether a path in small letters is that of a schedule's name or class. A schedule of λ or of
/// anything else is not meant.
fn is_schedule(path: &str) -> bool {
    const ALONE: [&str; 12] = [
        "lr_scheduler_type",
        "lr_scheduler",
        "lr_scheduler_name",
        "lr_schedule",
        "lr_decay_style",
        "learning_rate_schedule",
        "scheduler",
        "scheduler_name",
        "scheduler_type",
        "sched",
        "lr_policy",
        "schedule",
    ];
    const TABLES: [&str; 6] =
        ["lr_scheduler", "scheduler", "lr_schedule", "param_scheduler", "lr_config", "schedule"];
    const CLASS: [&str; 8] =
        ["name", "_name", "type", "class_path", "_component_", "_class_", "_target_", "policy"];
    let mut parts = path.rsplit('.');
    let name = parts.next().unwrap_or_default();
    // Tables of a list stand under their places in it.
    let is_index = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let table = parts.find(|part| !is_index(part)).unwrap_or_default();
    ALONE.contains(&name) || (TABLES.contains(&table) && CLASS.contains(&name))
}

/// What a value that is no number is, in words.
pub(super) fn in_words(value: &Value) -> String {
    match value {
        Value::List(items) => format!("a list of {} values", items.len()),
        Value::Table(_) => "a table".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Text(text) => format!("`{text}`, which is no number"),
        _ => "no finite number".to_owned(),
    }
}

/// A finite number, also where a text spells it.
pub(super) fn number(value: &Value) -> Option<f64> {
    let found = match value {
        Value::Text(text) => text.trim().replace('_', "").parse().ok(),
        other => other.number(),
    };
    found.filter(|number: &f64| number.is_finite())
}

pub(super) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::List(items) => items.iter().filter_map(number).collect(),
        Value::Text(text) => match literal(text) {
            Some(Value::List(items)) => items.iter().filter_map(number).collect(),
            Some(other) => number(&other).into_iter().collect(),
            None => Vec::new(),
        },
        other => number(other).into_iter().collect(),
    }
}

/// A number as a count, if it is one. Above 2⁵³ not every whole number is a float.
pub(super) fn whole(number: f64) -> Option<u64> {
    let is_count = (0.0..=9_007_199_254_740_992.0).contains(&number) && number.fract() == 0.0;
    is_count.then_some(number as u64)
}
