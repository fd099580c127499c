//! One run as another program recorded it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wd_lab::record::Curve;
use wd_lab::setting::spell;

use crate::lenient;

/// How a run ended, as far as its program says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// Its program says that it ended well.
    Finished,
    /// Its program says that it is still running, or was stopped or failed.
    Unfinished,
    /// Nothing says how it ended.
    #[default]
    Unknown,
}

/// What a run's training loss is, where its format says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Averaging {
    /// The format does not say.
    #[default]
    Unknown,
    /// Each number is the mean of several steps.
    Window,
}

/// One run: settings and curves under the names that its program gave them.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// The name that its program gave it, else where it lies.
    pub name: String,
    /// What it was read from.
    pub source: PathBuf,
    /// Key → value. Nested keys are joined by dots; equal numbers are written equally.
    pub settings: BTreeMap<String, String>,
    /// Tag → curve.
    pub curves: BTreeMap<String, Curve>,
    /// How it ended.
    pub state: State,
    /// Whether its training loss is a mean over steps.
    pub averaging: Averaging,
    /// Points that were left out since a later point of the log went back to their step or before.
    pub replaced: u64,
    /// What was lost on the way, in sentences.
    pub remarks: Vec<String>,
}

impl Run {
    /// A run without settings and curves.
    pub fn new(name: impl Into<String>, source: &Path) -> Self {
        Run { name: name.into(), source: source.to_owned(), ..Run::default() }
    }

    /// Adds a point. When the log goes back to an earlier step, the run was restarted there: the
    /// points of this curve from that step on are replaced.
    pub fn push(&mut self, tag: &str, step: u64, value: f64) {
        let curve = match self.curves.get_mut(tag) {
            Some(curve) => curve,
            None => self.curves.entry(tag.to_owned()).or_default(),
        };
        self.replaced += push(curve, step, value);
    }

    /// Puts a setting, from a value of JSON; an object puts each of its members, and `null`
    /// nothing.
    pub fn set(&mut self, key: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Object(members) => {
                for (member, value) in members {
                    self.set(&format!("{key}.{member}"), value);
                }
            }
            value => drop(self.settings.insert(key.to_owned(), written(value))),
        }
    }

    /// Puts a setting that is text.
    pub fn set_text(&mut self, key: &str, text: &str) {
        self.settings.insert(key.to_owned(), spelled(text));
    }

    /// The last step of any curve.
    pub fn last_step(&self) -> Option<u64> {
        self.curves.values().filter_map(|curve| curve.steps.last().copied()).max()
    }
}

/// Appends a point, and gives the number of points that it replaces.
fn push(curve: &mut Curve, step: u64, value: f64) -> u64 {
    let mut replaced = 0;
    if curve.steps.last().is_some_and(|last| *last >= step) {
        let kept = curve.steps.partition_point(|known| *known < step);
        replaced = (curve.steps.len() - kept) as u64;
        curve.steps.truncate(kept);
        curve.values.truncate(kept);
    }
    curve.steps.push(step);
    curve.values.push(value);
    replaced
}

/// A scalar or a list in one spelling.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => spelled(text),
        Value::Number(_) => lenient::number(value).map_or_else(|| value.to_string(), spell),
        other => other.to_string(),
    }
}

/// Text in one spelling for equal numbers and truth values: `0.10` and `1e-1` give `0.1`, Python's
/// `True` gives `true`.
pub(crate) fn spelled(text: &str) -> String {
    let text = text.trim();
    match text {
        "True" => "true".to_owned(),
        "False" => "false".to_owned(),
        _ => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => spell(number),
            _ => text.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_goes_back_replaces_what_it_repeats() {
        let mut run = Run::default();
        for (step, value) in [(0, 3.0), (10, 2.0), (20, 1.0), (10, 2.5), (20, 1.5), (20, 1.4)] {
            run.push("loss", step, value);
        }
        let curve = &run.curves["loss"];
        assert_eq!(curve.steps, [0, 10, 20]);
        assert_eq!(curve.values, [3.0, 2.5, 1.4]);
        assert_eq!(run.replaced, 3);
    }

    #[test]
    fn equal_values_are_written_equally() {
        let mut run = Run::default();
        run.set("optim", &serde_json::json!({"wd": 0.10, "name": "AdamW", "nesterov": true}));
        run.set_text("lr", "3e-3");
        run.set_text("nesterov", "True");
        let found: Vec<(&str, &str)> =
            run.settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let expected = [
            ("lr", "0.003"),
            ("nesterov", "true"),
            ("optim.name", "AdamW"),
            ("optim.nesterov", "true"),
            ("optim.wd", "0.1"),
        ];
        assert_eq!(found, expected);
    }
}
