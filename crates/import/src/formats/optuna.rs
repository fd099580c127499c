//! Optuna's storage in a relational database (SQLite).
//!
//! Parameters are numbers; of a categorical one the index of the choice, which its distribution
//! names. Intermediate values become the curve `intermediate value`, and a value that was reported
//! without any becomes a curve of one point, `objective`.
//!
//! Source: `optuna/storages/_rdb/models.py`.

use std::collections::HashMap;
use std::path::Path;

use super::sqlite::{Database, number, step};
use crate::ImportError;
use crate::lenient;
use crate::names::{INTERMEDIATE, OBJECTIVE, chosen};
use crate::run::{Run, State};

/// Do these tables belong to Optuna?
pub(crate) fn is_one(tables: &[String]) -> bool {
    ["studies", "trials", "trial_params"]
        .iter()
        .all(|name| tables.iter().any(|table| table == name))
}

/// Reads all trials.
///
/// # Errors
/// [`ImportError::Damaged`] when the file is no storage of Optuna.
pub(crate) fn read(path: &Path, database: &Database<'_>) -> Result<Vec<Run>, ImportError> {
    let mut places = HashMap::new();
    let mut runs: Vec<Run> = Vec::new();
    database.each(
        "select trial_id, study_id, state from trials order by study_id, trial_id",
        |row| {
            let (id, study): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
            let state: Option<String> = row.get(2)?;
            let number = runs.len();
            let mut run = Run::new(format!("trial {number}"), path);
            run.state = match state.as_deref() {
                Some("COMPLETE") => State::Finished,
                _ => State::Unfinished,
            };
            // Trials of two studies in one storage stay apart.
            run.set_text("study", &study.unwrap_or(0).to_string());
            places.insert(id, number);
            runs.push(run);
            Ok(())
        },
    )?;
    parameters(database, &places, &mut runs)?;
    if database.tables()?.iter().any(|table| table == "trial_user_attributes") {
        database.each("select trial_id, key, value_json from trial_user_attributes", |row| {
            let (id, key): (i64, String) = (row.get(0)?, row.get(1)?);
            let json: Option<String> = row.get(2)?;
            if let (Some(run), Ok(value)) = (
                places.get(&id).and_then(|place: &usize| runs.get_mut(*place)),
                lenient::json(json.unwrap_or_default().as_bytes()),
            ) {
                run.set(&key, &value);
            }
            Ok(())
        })?;
    }
    values(database, &places, &mut runs)?;
    Ok(runs)
}

fn parameters(
    database: &Database<'_>,
    places: &HashMap<i64, usize>,
    runs: &mut [Run],
) -> Result<(), ImportError> {
    database.each(
        "select trial_id, param_name, param_value, distribution_json from trial_params",
        |row| {
            let (id, key): (i64, String) = (row.get(0)?, row.get(1)?);
            let value = number(row.get_ref(2)?);
            let distribution: Option<String> = row.get(3)?;
            if let Some(run) = places.get(&id).and_then(|place| runs.get_mut(*place)) {
                let distribution = lenient::json(distribution.unwrap_or_default().as_bytes());
                run.set(&key, &chosen(value, &distribution.unwrap_or_default()));
            }
            Ok(())
        },
    )
}

fn values(
    database: &Database<'_>,
    places: &HashMap<i64, usize>,
    runs: &mut [Run],
) -> Result<(), ImportError> {
    let tables = database.tables()?;
    let has = |name: &str| tables.iter().any(|table| table == name);
    // Old storages have no column for the type.
    let kind = |table: &str, column: &'static str| -> Result<&'static str, ImportError> {
        let known = database.columns(table)?;
        Ok(if known.iter().any(|name| name == column) { column } else { "null" })
    };
    if has("trial_intermediate_values") {
        let kind = kind("trial_intermediate_values", "intermediate_value_type")?;
        let query = format!(
            "select trial_id, step, intermediate_value, {kind} from trial_intermediate_values \
             order by trial_id, step"
        );
        database.each(&query, |row| {
            let id: i64 = row.get(0)?;
            let value = typed(number(row.get_ref(2)?), row.get(3)?);
            if let (Some(run), Some(step)) =
                (places.get(&id).and_then(|place| runs.get_mut(*place)), step(row.get(1)?))
            {
                run.push(INTERMEDIATE, step, value);
            }
            Ok(())
        })?;
    }
    if has("trial_values") {
        let kind = kind("trial_values", "value_type")?;
        let columns = database.columns("trial_values")?;
        let first = match columns.iter().any(|column| column == "objective") {
            true => "where objective = 0",
            false => "",
        };
        let query = format!("select trial_id, value, {kind} from trial_values {first}");
        database.each(&query, |row| {
            let id: i64 = row.get(0)?;
            let value = typed(number(row.get_ref(1)?), row.get(2)?);
            if let Some(run) = places.get(&id).and_then(|place| runs.get_mut(*place)) {
                let last = run.last_step().unwrap_or(0);
                run.push(OBJECTIVE, last, value);
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Numbers that are not finite have no value and a type.
fn typed(value: f64, kind: Option<String>) -> f64 {
    match kind.as_deref() {
        Some("INF_POS") => f64::INFINITY,
        Some("INF_NEG") => f64::NEG_INFINITY,
        Some("NAN") => f64::NAN,
        _ => value,
    }
}
