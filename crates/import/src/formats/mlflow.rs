//! MLflow's SQLite store (`mlflow.db`), its default since 3.7.
//!
//! Needed are `runs`, `params` (values are text), `metrics` and `tags`; they have been stable for
//! years. NaN is a zero with `is_nan` set, and an infinity the largest finite number. A run that
//! never passed a step has all its rows at step 0: they are then numbered by their time.
//!
//! Source: `mlflow/store/tracking/dbmodels/models.py`.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::sqlite::{Database, number, step};
use crate::ImportError;
use crate::run::{Run, State};

/// Do these tables belong to MLflow?
pub(crate) fn is_one(tables: &[String]) -> bool {
    ["experiments", "runs", "params", "metrics"]
        .iter()
        .all(|name| tables.iter().any(|table| table == name))
}

/// Reads the runs that are not deleted.
///
/// # Errors
/// [`ImportError::Damaged`] when the file is no store of MLflow.
pub(crate) fn read(path: &Path, database: &Database<'_>) -> Result<Vec<Run>, ImportError> {
    let columns = database.columns("runs")?;
    let name = match columns.iter().any(|column| column == "name") {
        true => "name",
        false => "null",
    };
    let mut places = HashMap::new();
    let mut runs = Vec::new();
    database.each(
        &format!(
            "select run_uuid, {name}, status from runs where lifecycle_stage is not 'deleted' \
             order by start_time, run_uuid"
        ),
        |row| {
            let id: String = row.get(0)?;
            let name: Option<String> = row.get(1)?;
            let status: Option<String> = row.get(2)?;
            let mut run = Run::new(name.unwrap_or_else(|| id.clone()), path);
            run.state = match status.as_deref() {
                Some("FINISHED") => State::Finished,
                Some("RUNNING" | "SCHEDULED" | "FAILED" | "KILLED") => State::Unfinished,
                _ => State::Unknown,
            };
            places.insert(id, runs.len());
            runs.push(run);
            Ok(())
        },
    )?;
    database.each("select run_uuid, key, value from params", |row| {
        let (id, key, value): (String, String, Option<String>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        if let Some(run) = places.get(&id).and_then(|place| runs.get_mut(*place)) {
            run.set_text(&key, &value.unwrap_or_default());
        }
        Ok(())
    })?;
    names_from_tags(database, &places, &mut runs)?;
    metrics(database, &places, &mut runs)?;
    Ok(runs)
}

/// Before `runs.name` there was the tag `mlflow.runName`.
fn names_from_tags(
    database: &Database<'_>,
    places: &HashMap<String, usize>,
    runs: &mut [Run],
) -> Result<(), ImportError> {
    if !database.tables()?.iter().any(|table| table == "tags") {
        return Ok(());
    }
    database.each("select run_uuid, value from tags where key = 'mlflow.runName'", |row| {
        let (id, name): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        if let (Some(place), Some(name)) = (places.get(&id), name)
            && let Some(run) = runs.get_mut(*place)
            && (run.name == id || run.name.is_empty())
        {
            run.name = name;
        }
        Ok(())
    })
}

fn metrics(
    database: &Database<'_>,
    places: &HashMap<String, usize>,
    runs: &mut [Run],
) -> Result<(), ImportError> {
    // Curves whose rows are all at step 0, counted as they come.
    let mut counted: BTreeMap<(usize, String), u64> = BTreeMap::new();
    let stepless = database.rows(
        "select run_uuid, key from metrics group by run_uuid, key having max(step) = 0 and \
         count(*) > 1",
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
    )?;
    for (id, key) in stepless {
        if let Some(place) = places.get(&id) {
            counted.insert((*place, key), 0);
        }
    }
    database.each(
        "select run_uuid, key, step, value, is_nan from metrics order by run_uuid, key, step, \
         timestamp, rowid",
        |row| {
            let id: String = row.get(0)?;
            let Some(&place) = places.get(&id) else { return Ok(()) };
            let key: String = row.get(1)?;
            let Some(mut step) = step(row.get(2)?) else { return Ok(()) };
            let is_nan: Option<bool> = row.get(4)?;
            let value = match number(row.get_ref(3)?) {
                _ if is_nan == Some(true) => f64::NAN,
                value if value == f64::MAX => f64::INFINITY,
                value if value == f64::MIN => f64::NEG_INFINITY,
                value => value,
            };
            if !counted.is_empty()
                && let Some(count) = counted.get_mut(&(place, key.clone()))
            {
                step = *count;
                *count += 1;
            }
            if let Some(run) = runs.get_mut(place) {
                run.push(&key, step, value);
            }
            Ok(())
        },
    )
}
