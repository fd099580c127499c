//! MLflow's old file store: `mlruns/EXPERIMENT/RUN/{meta.yaml, params/KEY, metrics/KEY, tags/KEY}`.
//!
//! A line of a metric is `timestamp value step`, in newer versions with a data set's name and
//! digest behind it. MLflow's own reader takes step 0 where those follow; the third field is right.
//!
//! Source: `mlflow/store/tracking/file_store.py`.

use std::fs;
use std::path::Path;

use crate::ImportError;
use crate::files::{files_below, read_text};
use crate::formats::yaml;
use crate::run::{Run, State};

/// Is this the folder of a run?
pub fn is_run(folder: &Path) -> bool {
    folder.join("meta.yaml").is_file() && folder.join("metrics").is_dir()
}

/// Reads the folder of a run; absent when the run was deleted.
///
/// # Errors
/// [`ImportError::Io`], and [`ImportError::Damaged`] when `meta.yaml` is no YAML.
pub fn read(folder: &Path) -> Result<Option<Run>, ImportError> {
    let path = folder.join("meta.yaml");
    let meta = yaml::settings(&path, &read_text(&path)?)?;
    if meta.get("lifecycle_stage").is_some_and(|stage| stage == "deleted") {
        return Ok(None);
    }
    let folder_name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = meta.get("run_name").filter(|name| !name.is_empty()).cloned();
    let mut run = Run::new(name.unwrap_or(folder_name), folder);
    // 1 running, 2 scheduled, 3 finished, 4 failed, 5 killed.
    run.state = match meta.get("status").map(String::as_str) {
        Some("3" | "FINISHED") => State::Finished,
        Some("1" | "2" | "4" | "5" | "RUNNING" | "SCHEDULED" | "FAILED" | "KILLED") => {
            State::Unfinished
        }
        _ => State::Unknown,
    };
    for (key, path) in files_below(&folder.join("params"))? {
        run.set_text(&key, &read_text(&path)?);
    }
    for (key, path) in files_below(&folder.join("metrics"))? {
        let text = fs::read(&path).map_err(ImportError::io(&path))?;
        metric(&mut run, &key, &String::from_utf8_lossy(&text));
    }
    Ok(Some(run))
}

fn metric(run: &mut Run, key: &str, text: &str) {
    let mut points: Vec<(u64, f64)> = Vec::new();
    for line in text.lines() {
        let mut parts = line.split_whitespace().skip(1);
        let value = parts.next().and_then(|value| value.parse().ok());
        let step = parts.next().map_or(Some(0), |step| step.parse().ok());
        if let (Some(value), Some(step)) = (value, step) {
            points.push((step, value));
        }
    }
    let is_stepless = points.len() > 1 && points.iter().all(|(step, _)| *step == 0);
    if !is_stepless {
        points.sort_by_key(|(step, _)| *step);
    }
    for (number, (step, value)) in points.into_iter().enumerate() {
        run.push(key, if is_stepless { number as u64 } else { step }, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_three_and_of_five_fields_are_read() {
        let mut run = Run::default();
        metric(&mut run, "loss", "17 2.5 10 train abc\n18 nan 20\nbroken\n16 3.5 0 train abc\n");
        assert_eq!(run.curves["loss"].steps, [0, 10, 20]);
        assert!(run.curves["loss"].values[2].is_nan());
        metric(&mut run, "a", "1 5\n2 4\n");
        assert_eq!(run.curves["a"].steps, [0, 1]);
    }
}
