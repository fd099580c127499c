//! trackio's `PROJECT.db`.
//!
//! Metrics and configurations are JSON, written by orjson as bytes into columns that are declared
//! as text; NaN and infinities are texts in it. Before version 0.24 there was no `run_id`: runs are
//! told apart by their name.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use super::sqlite::{Database, bytes, step};
use crate::run::Run;
use crate::{ImportError, lenient};

/// Do these tables belong to trackio?
pub(crate) fn is_one(tables: &[String]) -> bool {
    ["configs", "metrics"].iter().all(|name| tables.iter().any(|table| table == name))
        && !tables.iter().any(|table| table == "experiments")
}

/// Reads all runs of a project.
///
/// # Errors
/// [`ImportError::Damaged`] when the file is no project of trackio.
pub(crate) fn read(path: &Path, database: &Database<'_>) -> Result<Vec<Run>, ImportError> {
    let by_id = |table: &str| -> Result<&'static str, ImportError> {
        let has_id = database.columns(table)?.iter().any(|column| column == "run_id");
        Ok(if has_id { "coalesce(run_id, run_name)" } else { "run_name" })
    };
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut runs: Vec<Run> = Vec::new();
    let mut place = |runs: &mut Vec<Run>, id: String, name: Option<String>| match places.get(&id) {
        Some(&place) => place,
        None => {
            runs.push(Run::new(name.unwrap_or_else(|| id.clone()), path));
            places.insert(id, runs.len() - 1);
            runs.len() - 1
        }
    };
    let query =
        format!("select {}, run_name, step, metrics from metrics order by id", by_id("metrics")?);
    database.each(&query, |row| {
        let Some(id) = row.get::<_, Option<String>>(0)? else { return Ok(()) };
        let at = place(&mut runs, id, row.get(1)?);
        let Some(step) = step(row.get(2)?) else { return Ok(()) };
        let Ok(Value::Object(metrics)) = lenient::json(bytes(row.get_ref(3)?)) else {
            return Ok(());
        };
        for (tag, value) in metrics {
            if let (Some(number), Some(run)) = (lenient::number(&value), runs.get_mut(at)) {
                run.push(&tag, step, number);
            }
        }
        Ok(())
    })?;
    let query = format!("select {}, run_name, config from configs", by_id("configs")?);
    database.each(&query, |row| {
        let Some(id) = row.get::<_, Option<String>>(0)? else { return Ok(()) };
        let at = place(&mut runs, id, row.get(1)?);
        let Ok(Value::Object(config)) = lenient::json(bytes(row.get_ref(2)?)) else {
            return Ok(());
        };
        // Keys that begin with `_` are trackio's own.
        for (key, value) in config.into_iter().filter(|(key, _)| !key.starts_with('_')) {
            if let Some(run) = runs.get_mut(at) {
                run.set(&key, &value);
            }
        }
        Ok(())
    })?;
    Ok(runs)
}
