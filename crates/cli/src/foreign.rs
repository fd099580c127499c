//! Runs of other programs on the command line: what `wd import` and `wd report` share.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use wd_audit::checkpoint::{ReadOptions as CheckpointOptions, Value, find};
use wd_import::{Format, Import, ReadOptions, RoleOptions};
use wd_lab::{AnalysisOptions, TrainingLoss};

use crate::diagnostics::CommandError;

/// What the names of another program mean
#[derive(Debug, Args)]
#[command(next_help_heading = "Runs of other programs")]
pub(crate) struct ForeignArguments {
    /// The setting that is λ [default: the one that is called like it and varies]
    #[arg(long, value_name = "KEY")]
    lambda_from: Option<String>,

    /// The setting that is the peak learning rate
    #[arg(long, value_name = "KEY")]
    rate_from: Option<String>,

    /// The setting that is the seed; runs without one are not paired
    #[arg(long, value_name = "KEY")]
    seed_from: Option<String>,

    /// The curve that is the training loss
    #[arg(long, value_name = "TAG")]
    train: Option<String>,

    /// The curve that is the validation loss
    #[arg(long, value_name = "TAG")]
    validation: Option<String>,

    /// What the training loss is: only that of a fixed set can show a force
    #[arg(long, value_name = "KIND")]
    train_is: Option<TrainingLossArgument>,

    /// Largest relative difference of the first logged losses of two runs of one seed that are
    /// paired; 1e-3 suits a GPU [default: 1e-6]
    #[arg(long, value_name = "SHARE")]
    pair_tolerance: Option<f64>,

    /// A setting that does not tell runs apart
    #[arg(long, value_name = "KEY")]
    ignore: Vec<String>,

    /// The format, where a folder holds several
    #[arg(long, value_name = "NAME", value_parser = format_of)]
    format: Option<Format>,

    /// Sibling folders of event files are one run, as `add_scalars` and Keras make them
    #[arg(long)]
    merge_siblings: bool,

    /// How a line of a text log is read: named groups are `step` and curves; without `step`,
    /// settings
    #[arg(long, value_name = "REGEX")]
    regex: Vec<String>,

    /// The column of a table that names the run
    #[arg(long, value_name = "KEY")]
    run_from: Vec<String>,

    /// The column of a table that is the step
    #[arg(long, value_name = "KEY")]
    step: Option<String>,

    /// Test each arm's final loss against this one
    #[arg(long, value_name = "LOSS")]
    target: Option<f64>,

    /// The standard deviation of a run's final loss, where it is known, for --target
    #[arg(long, requires = "target")]
    sigma: Option<f64>,

    /// A CSV of further settings; its first column names runs, files or folders
    #[arg(long, value_name = "FILE.csv")]
    settings: Option<PathBuf>,
}

impl ForeignArguments {
    /// Does any of them say what names mean, which a study file says itself?
    pub(crate) fn say_what_names_mean(&self) -> bool {
        let names = [&self.lambda_from, &self.rate_from, &self.seed_from, &self.train];
        names.iter().any(|name| name.is_some())
            || self.validation.is_some()
            || self.train_is.is_some()
            || self.pair_tolerance.is_some()
            || !self.regex.is_empty()
    }

    /// How the runs are analysed.
    pub(crate) fn analysis(&self) -> AnalysisOptions {
        let target = self.target.map(|target| (target, self.sigma));
        AnalysisOptions { target, ..AnalysisOptions::default() }
    }
}

/// [`TrainingLoss`] as it is typed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum TrainingLossArgument {
    FixedSet,
    Batch,
    RunningMean,
}

fn format_of(word: &str) -> Result<Format, String> {
    let known = Format::ALL.iter().find(|(_, known)| *known == word);
    known.map(|(format, _)| *format).ok_or_else(|| {
        let words: Vec<&str> = Format::ALL.iter().map(|(_, word)| *word).collect();
        format!("the formats are {}", words.join(", "))
    })
}

/// Reads the runs at some paths.
pub(crate) fn read(
    paths: &[PathBuf],
    arguments: &ForeignArguments,
) -> Result<Import, CommandError> {
    let reading = ReadOptions {
        format: arguments.format,
        regex: arguments.regex.clone(),
        run_from: arguments.run_from.clone(),
        step: arguments.step.clone(),
        curves: Vec::new(),
        merge_siblings: arguments.merge_siblings,
        settings: arguments.settings.clone(),
        checkpoint: Some(&checkpoint_settings),
    };
    let roles = RoleOptions {
        lambda_from: arguments.lambda_from.clone(),
        rate_from: arguments.rate_from.clone(),
        seed_from: arguments.seed_from.clone(),
        train: arguments.train.clone(),
        validation: arguments.validation.clone(),
        train_is: arguments.train_is.map(|kind| match kind {
            TrainingLossArgument::FixedSet => TrainingLoss::FixedSet,
            TrainingLossArgument::Batch => TrainingLoss::Batch,
            TrainingLossArgument::RunningMean => TrainingLoss::RunningMean,
        }),
        pair_tolerance: arguments.pair_tolerance,
        ignore: arguments.ignore.clone(),
    };
    Ok(wd_import::import(paths, &reading, &roles)?)
}

/// The settings that a checkpoint's folder holds: those of its training arguments, else λ and rate
/// of its optimizer. The audit reads the files, which never runs what they hold.
fn checkpoint_settings(folder: &Path) -> Vec<(String, String)> {
    let mut settings: Vec<(String, String)> = Vec::new();
    let Ok(found) = find(folder, &CheckpointOptions::default()) else { return settings };
    let Some(checkpoint) = found.checkpoints.last() else { return settings };
    for embedded in &checkpoint.embedded {
        if let Value::Table(pairs) = &embedded.value {
            let plain = pairs.iter().filter(|(key, _)| !key.starts_with('_'));
            settings.extend(plain.filter_map(|(key, value)| Some((key.clone(), text(value)?))));
        }
    }
    if settings.is_empty() {
        // Trainers put norms and biases into a group of their own, without decay.
        let groups = checkpoint.optimizers.iter().flat_map(|optimizer| &optimizer.groups);
        let largest = groups
            .filter(|group| group.lambda.is_some())
            .max_by(|a, b| a.lambda.unwrap_or(0.0).total_cmp(&b.lambda.unwrap_or(0.0)));
        if let Some(group) = largest {
            let numbers = [("weight_decay", group.lambda), ("learning_rate", group.initial_rate)];
            let known = numbers.into_iter().filter_map(|(key, value)| Some((key, value?)));
            settings.extend(known.map(|(key, value)| (key.to_owned(), value.to_string())));
        }
    }
    settings
}

/// A value that can be compared.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Text(text) => Some(text.clone()),
        Value::None | Value::List(_) | Value::Table(_) | Value::Other(_) => None,
    }
}
