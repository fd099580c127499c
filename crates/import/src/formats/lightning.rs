//! Lightning's `CSVLogger`: `metrics.csv` with `hparams.yaml` beside it.
//!
//! The training and the validation numbers of one step stand in two rows; empty cells were not
//! measured. `hparams.yaml` holds what `save_hyperparameters` saw.
//!
//! Source: `lightning_fabric/loggers/csv_logs.py`.

use std::path::Path;

use crate::ImportError;
use crate::files::read_text;
use crate::formats::yaml;
use crate::names::whole;
use crate::run::{Averaging, Run};

/// Reads a folder that holds `metrics.csv`.
///
/// # Errors
/// [`ImportError::Io`], and [`ImportError::Damaged`] when the table has no column `step` or cannot
/// be read.
pub fn read(name: &str, folder: &Path) -> Result<Run, ImportError> {
    let mut run = Run::new(name, folder);
    let path = folder.join("hparams.yaml");
    if path.is_file() {
        run.settings = yaml::settings(&path, &read_text(&path)?)?;
    }
    let path = folder.join("metrics.csv");
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(&path)
        .map_err(|error| ImportError::damaged(&path, error))?;
    let header = reader.headers().map_err(|error| ImportError::damaged(&path, error))?.clone();
    let step_column = header
        .iter()
        .position(|name| name == "step")
        .ok_or_else(|| ImportError::damaged(&path, "it has no column `step`"))?;
    // `on_epoch=True` makes means over an epoch, and says so in the name.
    if header.iter().any(|name| name.ends_with("_epoch") && name.contains("train")) {
        run.averaging = Averaging::Window;
    }
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                run.remarks.push(format!("its table ends where it cannot be read: {error}"));
                break;
            }
        }
        let step = record.get(step_column).and_then(|cell| cell.trim().parse().ok());
        let Some(step) = step.and_then(whole) else { continue };
        for (tag, cell) in header.iter().zip(&record) {
            let number = cell.trim().parse::<f64>().ok();
            if let (Some(number), false) = (number, matches!(tag, "step" | "epoch")) {
                run.push(tag, step, number);
            }
        }
    }
    Ok(run)
}
