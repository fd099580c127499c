//! The tables of a study, row by row.

use wd_lab::{Analysis, Study};
use wd_statistics::{Interval, PairedDifference};
use wd_store::Status;

use super::Sink;
use crate::ImportError;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Integer,
}

/// A column by its name.
pub(super) type Column = (&'static str, Kind);

/// A value; absent ones are null, as is a number that is NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Text(&'a str),
    Number(f64),
    Integer(u64),
    Absent,
}

const RUNS: [Column; 6] = [
    ("run", Kind::Text),
    ("lambda", Kind::Number),
    ("learning_rate", Kind::Number),
    ("seed", Kind::Integer),
    ("status", Kind::Text),
    ("steps", Kind::Integer),
];

const SETTINGS: [Column; 3] = [("run", Kind::Text), ("key", Kind::Text), ("value", Kind::Text)];

const SERIES: [Column; 4] =
    [("run", Kind::Text), ("step", Kind::Integer), ("metric", Kind::Text), ("value", Kind::Number)];

const ARMS: [Column; 8] = [
    ("arm", Kind::Text),
    ("lambda", Kind::Number),
    ("learning_rate", Kind::Number),
    ("quantity", Kind::Text),
    ("mean", Kind::Number),
    ("low", Kind::Number),
    ("high", Kind::Number),
    ("n", Kind::Integer),
];

const COMPARISONS: [Column; 10] = [
    ("arm", Kind::Text),
    ("baseline", Kind::Text),
    ("quantity", Kind::Text),
    ("paired", Kind::Text),
    ("difference", Kind::Number),
    ("low", Kind::Number),
    ("high", Kind::Number),
    ("n", Kind::Integer),
    ("p", Kind::Number),
    ("p_holm", Kind::Number),
];

/// Hands every table to a sink.
pub(super) fn write_all(
    study: &Study,
    analysis: Option<&Analysis>,
    sink: &mut impl Sink,
) -> Result<(), ImportError> {
    runs(study, sink)?;
    settings(study, sink)?;
    series(study, sink)?;
    sink.begin("arms", &ARMS)?;
    analysis.map_or(Ok(()), |analysis| arms(analysis, sink))?;
    sink.end()?;
    sink.begin("comparisons", &COMPARISONS)?;
    analysis.map_or(Ok(()), |analysis| comparisons(analysis, sink))?;
    sink.end()
}

fn runs(study: &Study, sink: &mut impl Sink) -> Result<(), ImportError> {
    sink.begin("runs", &RUNS)?;
    for trial in study.trials() {
        let record = study.record(trial)?;
        let number = |value: Option<f64>| value.map_or(Cell::Absent, Cell::Number);
        let (status, step) = match record.status {
            Status::New => ("new", None),
            Status::Running { step } => ("running", Some(step)),
            Status::Interrupted { step } => ("interrupted", Some(step)),
            Status::Diverged { step, .. } => ("diverged", Some(step)),
            Status::Finished { step } => ("finished", Some(step)),
        };
        sink.row(&[
            Cell::Text(&trial.name),
            number(record.lambda()),
            number(record.peak_learning_rate()),
            Cell::Integer(record.seed()),
            Cell::Text(status),
            step.map_or(Cell::Absent, Cell::Integer),
        ])?;
    }
    sink.end()
}

fn settings(study: &Study, sink: &mut impl Sink) -> Result<(), ImportError> {
    sink.begin("settings", &SETTINGS)?;
    for trial in study.trials() {
        for (key, value) in &study.record(trial)?.settings {
            sink.row(&[Cell::Text(&trial.name), Cell::Text(key), Cell::Text(value)])?;
        }
    }
    sink.end()
}

/// Numbers that were not measured have no row.
fn series(study: &Study, sink: &mut impl Sink) -> Result<(), ImportError> {
    sink.begin("series", &SERIES)?;
    for trial in study.trials() {
        let series = study.record(trial)?.series()?;
        for name in series.names() {
            let curve = series.curve(&name);
            for (step, value) in curve.steps.iter().zip(&curve.values) {
                if !value.is_nan() {
                    sink.row(&[
                        Cell::Text(&trial.name),
                        Cell::Integer(*step),
                        Cell::Text(&name),
                        Cell::Number(*value),
                    ])?;
                }
            }
        }
    }
    sink.end()
}

fn arms(analysis: &Analysis, sink: &mut impl Sink) -> Result<(), ImportError> {
    for arm in &analysis.arms {
        let quantities: [(&str, &Interval); 4] = [
            ("final_training_loss", &arm.final_train),
            ("final_validation_loss", &arm.final_validation),
            ("final_training_evaluation", &arm.final_train_evaluation),
            ("gap", &arm.gap),
        ];
        for (quantity, interval) in quantities {
            sink.row(&[
                Cell::Text(&arm.label),
                Cell::Number(arm.lambda),
                arm.peak_learning_rate.map_or(Cell::Absent, Cell::Number),
                Cell::Text(quantity),
                Cell::Number(interval.mean),
                Cell::Number(interval.low),
                Cell::Number(interval.high),
                Cell::Integer(interval.n as u64),
            ])?;
        }
    }
    Ok(())
}

fn comparisons(analysis: &Analysis, sink: &mut impl Sink) -> Result<(), ImportError> {
    let label = |arm: usize| analysis.arms.get(arm).map_or("", |arm| arm.label.as_str());
    for comparison in &analysis.comparisons {
        let quantities: [(&str, &PairedDifference); 4] = [
            ("early_training_loss", &comparison.early_train),
            ("final_training_loss", &comparison.final_train),
            ("final_validation_loss", &comparison.final_validation),
            ("gap", &comparison.gap),
        ];
        for (quantity, difference) in quantities {
            let interval = &difference.interval;
            let number = |value: Option<f64>| value.map_or(Cell::Absent, Cell::Number);
            sink.row(&[
                Cell::Text(label(comparison.arm)),
                Cell::Text(label(comparison.baseline)),
                Cell::Text(quantity),
                Cell::Text(if comparison.pairing.is_paired() { "pairs" } else { "welch" }),
                Cell::Number(interval.mean),
                Cell::Number(interval.low),
                Cell::Number(interval.high),
                Cell::Integer(interval.n as u64),
                number(difference.p_value),
                number(difference.adjusted_p),
            ])?;
        }
    }
    Ok(())
}
