//! DVCLive: `plots/metrics/NAME.tsv` (columns `step`, `timestamp` and the metric), with
//! `params.yaml` in the same folder or in the repository around it.
//!
//! Source: `dvclive/plots/metric.py`.

use std::path::Path;

use crate::ImportError;
use crate::files::{files_below, read_text};
use crate::formats::yaml;
use crate::names::whole;
use crate::run::Run;

/// Is this the folder of a run?
pub fn is_run(folder: &Path) -> bool {
    folder.join("plots/metrics").is_dir()
}

/// Reads a folder.
///
/// # Errors
/// [`ImportError::Io`], and [`ImportError::Damaged`] when `params.yaml` is no YAML.
pub fn read(name: &str, folder: &Path) -> Result<Run, ImportError> {
    let mut run = Run::new(name, folder);
    let own = folder.join("params.yaml");
    let around = folder.parent().map(|parent| parent.join("params.yaml"));
    if let Some(path) = [Some(own), around].into_iter().flatten().find(|path| path.is_file()) {
        run.settings = yaml::settings(&path, &read_text(&path)?)?;
    }
    for (key, path) in files_below(&folder.join("plots/metrics"))? {
        let Some(tag) = key.strip_suffix(".tsv") else { continue };
        curve(&mut run, tag, &read_text(&path)?);
    }
    Ok(run)
}

fn curve(run: &mut Run, tag: &str, text: &str) {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let Some(step_column) = header.iter().position(|name| *name == "step") else { return };
    // The metric's own column has the last part of its name.
    let value_column = header.iter().position(|name| !matches!(*name, "step" | "timestamp"));
    let Some(value_column) = value_column else { return };
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        let number = |column: usize| cells.get(column).and_then(|cell| cell.trim().parse().ok());
        if let (Some(step), Some(value)) =
            (number(step_column).and_then(whole), number(value_column))
        {
            run.push(tag, step, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_read_whatever_the_order_of_its_columns() {
        let mut run = Run::default();
        curve(&mut run, "train/loss", "timestamp\tstep\tloss\n1\t0\t2.5\n2\t10\tnan\n3\t20\t1.5\n");
        let curve = &run.curves["train/loss"];
        assert_eq!((&curve.steps[..], curve.values[2]), (&[0, 10, 20][..], 1.5));
    }
}
