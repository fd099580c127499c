//! From run directories to an answer: records → arms → pairs → verdict.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;
use wd_statistics::{TargetTest, below_target};
use wd_store::RunDirectory;

use crate::LabError;
use crate::analysis::{Arm, Comparison, NearBest, arms, near, pairs};
use crate::configuration::flatten;
use crate::record::{Record, Recording};
use crate::study::{Study, Trial};
use crate::verdict::{Verdict, judge};

/// Everything a report needs to know about a study.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Analysis {
    /// One entry for each group of trials that differ only in their seed, ordered by schedule, peak
    /// learning rate, λ.
    pub arms: Vec<Arm>,
    /// Paired comparisons of arms with λ > 0 against their baseline with λ = 0.
    pub comparisons: Vec<Comparison>,
    /// What follows from them.
    pub verdict: Verdict,
    /// Which λ are as good as the best, for each setting under which several finished.
    pub near_best: Vec<NearBest>,
    /// Each arm's final loss against a target, where one was given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetTest>,
    /// What the names of another program were taken for; absent for runs of this program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recording: Option<Recording>,
}

/// How the verdict on a study is reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnalysisOptions {
    /// Largest change of the generalisation gap, in nats a token, that counts as none. The default,
    /// 0.01, is a change of 1 % in perplexity.
    pub gap_margin: f64,
    /// ε: how far above the lowest loss, as a share of it, still counts as good. The default, 0.1 %,
    /// is what a factor of 1.4 in λ costs in the grids of Step Law (arXiv 2503.04715).
    pub near: f64,
    /// A loss that is to be reached, and the standard deviation of a run's loss where it is known.
    pub target: Option<(f64, Option<f64>)>,
}

impl Default for AnalysisOptions {
    fn default() -> Self {
        AnalysisOptions { gap_margin: 0.01, near: 0.001, target: None }
    }
}

/// Analyses the trials of a study, as far as they are finished.
///
/// # Errors
/// [`LabError::NothingToAnalyse`] when no trial has finished or diverged yet; [`LabError::Store`]
/// when a run directory is damaged.
pub fn analyse(study: &Study, options: &AnalysisOptions) -> Result<Analysis, LabError> {
    analyse_some(study, |_| true, options)
}

/// The same for some of the trials.
///
/// # Errors
/// As [`analyse`].
pub fn analyse_some(
    study: &Study,
    is_wanted: impl Fn(&Trial) -> bool,
    options: &AnalysisOptions,
) -> Result<Analysis, LabError> {
    let trials: Vec<_> = study.trials().iter().filter(|trial| is_wanted(trial)).collect();
    let records: Vec<_> = trials.into_par_iter().map(|trial| study.record(trial)).collect();
    analyse_records(records.into_iter().collect::<Result<_, LabError>>()?, options)
}

/// Analyses run directories that no study made; each is described by its `config.toml`. With the
/// analysis come the runs that are damaged, which are left out of it, each with what is wrong.
///
/// # Errors
/// As [`analyse`], and the first damage where no run is whole.
pub fn analyse_directories(
    directories: &[PathBuf],
    options: &AnalysisOptions,
) -> Result<(Analysis, Vec<(PathBuf, LabError)>), LabError> {
    let (mut records, mut damaged) = (Vec::new(), Vec::new());
    let read: Vec<_> = directories.par_iter().map(|directory| whole(directory)).collect();
    for (directory, read) in directories.iter().zip(read) {
        match read {
            Ok(record) => records.push(record),
            Err(error) => damaged.push((directory.clone(), error)),
        }
    }
    match damaged.pop() {
        Some((_, error)) if records.is_empty() => return Err(error),
        last => damaged.extend(last),
    }
    Ok((analyse_records(records, options)?, damaged))
}

/// The record of a run directory, once everything that an analysis needs of it was read.
fn whole(directory: &Path) -> Result<Record, LabError> {
    let text = RunDirectory::open(directory)?.read_config()?;
    let record = Record::read(directory, flatten(&text)?)?;
    record.measured()?;
    Ok(record)
}

/// Analyses runs that are at hand already: those of another program.
///
/// # Errors
/// As [`analyse`].
pub fn analyse_records(
    records: Vec<Record>,
    options: &AnalysisOptions,
) -> Result<Analysis, LabError> {
    analyse_again(&records.iter().collect::<Vec<_>>(), options)
}

/// The same of runs that are kept: what was read of a record is not read again.
///
/// # Errors
/// As [`analyse`].
pub fn analyse_again(records: &[&Record], options: &AnalysisOptions) -> Result<Analysis, LabError> {
    // Side by side; what cannot be read is met again below, where the first of the list is named.
    records.par_iter().for_each(|record| drop(record.measured()));
    let trials = records.len();
    let recording = records.first().and_then(|record| record.recording.as_deref().cloned());
    let members = arms::gather(records)?;
    let has_result =
        |members: &arms::Members| !members.finished.is_empty() || !members.arm.diverged.is_empty();
    if !members.iter().any(has_result) {
        return Err(LabError::NothingToAnalyse {
            problem: format!("none of the {trials} trials has finished"),
            fix: "run the sweep first; the same command continues what is unfinished".to_owned(),
        });
    }
    let mut comparisons = pairs::same_settings(&members);
    comparisons.extend(pairs::best_learning_rates(&members));
    let near_best = near::near_best(&members, options.near);
    let target = |members: &arms::Members| {
        let (target, sigma) = options.target?;
        let losses: Vec<f64> = members.finished.values().map(|run| run.final_loss()).collect();
        Some(below_target(&losses, target, sigma))
    };
    let targets = members.iter().filter_map(target).collect();
    let arms: Vec<Arm> = members.into_iter().map(|members| members.arm).collect();
    let verdict = judge(&arms, &comparisons, options.gap_margin);
    Ok(Analysis { arms, comparisons, verdict, near_best, targets, recording })
}
