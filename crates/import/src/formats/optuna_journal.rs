//! Optuna's journal: one JSON object a line, each an operation on a trial.
//!
//! | `op_code` | what |
//! |---|---|
//! | 4 | a trial is made; trials are numbered in the order of these lines |
//! | 5 | a parameter is set |
//! | 6 | state and values: 0 running, 1 complete, 2 pruned, 3 failed, 4 waiting |
//! | 7 | an intermediate value |
//! | 8 | a user's attribute |
//!
//! Source: `optuna/storages/journal/_storage.py`.

use std::path::Path;

use serde_json::Value;

use crate::files::Lines;
use crate::names::{INTERMEDIATE, OBJECTIVE, chosen};
use crate::run::{Run, State};
use crate::{ImportError, lenient};

/// Is this the first line of a journal?
pub fn is_one(line: &str) -> bool {
    line.starts_with("{\"op_code\"") || line.starts_with("{\"op_code\":")
}

/// Reads all trials of a journal.
///
/// # Errors
/// [`ImportError::Io`]. Lines that are no operations are passed over, as Optuna does with the torn
/// end of a journal.
pub fn read(path: &Path) -> Result<Vec<Run>, ImportError> {
    let mut runs: Vec<Run> = Vec::new();
    let mut lines = Lines::open(path)?;
    while let Some(line) = lines.next()? {
        let Ok(entry) = lenient::json(line) else { continue };
        let operation = entry.get("op_code").and_then(Value::as_u64);
        if operation == Some(4) {
            begin(&mut runs, path, &entry);
            continue;
        }
        let place = entry.get("trial_id").and_then(Value::as_u64);
        let place = place.and_then(|place| usize::try_from(place).ok());
        if let Some(run) = place.and_then(|place| runs.get_mut(place)) {
            apply(run, operation.unwrap_or(u64::MAX), &entry);
        }
    }
    Ok(runs)
}

fn begin(runs: &mut Vec<Run>, path: &Path, entry: &Value) {
    let mut run = Run::new(format!("trial {}", runs.len()), path);
    run.state = State::Unfinished;
    run.set("study", entry.get("study_id").unwrap_or(&Value::Null));
    // A trial that was added whole brings all with it.
    if let Some(Value::Object(parameters)) = entry.get("params") {
        let distributions = entry.get("distributions").and_then(Value::as_object);
        for (key, value) in parameters {
            let distribution = distributions.and_then(|all| all.get(key)).map(distribution_of);
            let number = lenient::number(value).unwrap_or(f64::NAN);
            run.set(key, &chosen(number, &distribution.unwrap_or_default()));
        }
    }
    attributes(&mut run, entry.get("user_attrs"));
    if let Some(Value::Object(points)) = entry.get("intermediate_values") {
        let mut points: Vec<(u64, f64)> = points
            .iter()
            .filter_map(|(step, value)| Some((step.parse().ok()?, lenient::number(value)?)))
            .collect();
        points.sort_by_key(|(step, _)| *step);
        for (step, value) in points {
            run.push(INTERMEDIATE, step, value);
        }
    }
    end(&mut run, entry);
    runs.push(run);
}

fn apply(run: &mut Run, operation: u64, entry: &Value) {
    match operation {
        5 => {
            let Some(key) = entry.get("param_name").and_then(Value::as_str) else { return };
            let value = entry.get("param_value_internal").and_then(lenient::number);
            let distribution = entry.get("distribution").map(distribution_of).unwrap_or_default();
            run.set(key, &chosen(value.unwrap_or(f64::NAN), &distribution));
        }
        6 => end(run, entry),
        7 => {
            let step = entry.get("step").and_then(Value::as_u64);
            let value = entry.get("intermediate_value").and_then(lenient::number);
            if let (Some(step), Some(value)) = (step, value) {
                run.push(INTERMEDIATE, step, value);
            }
        }
        8 => attributes(run, entry.get("user_attr")),
        _ => {}
    }
}

/// A distribution stands in the journal as a text that is JSON.
fn distribution_of(value: &Value) -> Value {
    match value {
        Value::String(text) => lenient::json(text.as_bytes()).unwrap_or_default(),
        other => other.clone(),
    }
}

fn attributes(run: &mut Run, found: Option<&Value>) {
    if let Some(Value::Object(attributes)) = found {
        for (key, value) in attributes {
            run.set(key, value);
        }
    }
}

fn end(run: &mut Run, entry: &Value) {
    if entry.get("state").and_then(Value::as_u64) == Some(1) {
        run.state = State::Finished;
    }
    let first = entry.get("values").and_then(|values| values.get(0)).or(entry.get("value"));
    if let Some(value) = first.and_then(lenient::number) {
        let last = run.last_step().unwrap_or(0);
        run.push(OBJECTIVE, last, value);
    }
}
