//! What a study found: its arms, their paired differences, and the verdict in words and numbers.
//!
//! An *arm* is every trial that differs only in `run.seed`. A *comparison* pairs the seeds of one arm with the same
//! seeds of its baseline (λ = 0, every other setting equal): both runs of a pair saw the same batches from the same
//! initial weights, so their difference is far less noisy than either loss.
//!
//! | name | meaning |
//! |---|---|
//! | final training loss | mean of `train_loss` over the last 5 % of the steps |
//! | final validation loss | `validation_loss` of the final weights |
//! | gap | `validation_loss` − `train_eval_loss`, both of the final weights |
//! | late | between 88 % and 98 % of the steps |
//!
//! Every interval is a two-sided 95 % Student interval over seeds; with one seed its ends are NaN (`null` in JSON).

mod arm;
mod arms;
mod comparison;
mod norm;
mod pairs;
mod trial;
pub(crate) mod window;

use std::path::PathBuf;

use serde::Serialize;
use wd_store::RunDirectory;

use crate::LabError;
use crate::configuration::flatten;
use crate::study::{Study, Trial};
use crate::verdict::judge;

pub use crate::verdict::{ActsAs, Verdict};
pub use arm::{Arm, Band, Diverged, Late, RoleNorm};
pub use comparison::{Comparison, ComparisonKind};
pub use norm::predicted_rms;

use trial::TrialRecord;

/// Everything a report needs to know about a study.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Analysis {
    /// One entry for each group of trials that differ only in their seed, ordered by schedule, peak learning rate, λ.
    pub arms: Vec<Arm>,
    /// Paired comparisons of arms with λ > 0 against their baseline with λ = 0.
    pub comparisons: Vec<Comparison>,
    /// What follows from them.
    pub verdict: Verdict,
}

/// How a study is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnalysisOptions {
    /// Largest change of the generalisation gap, in nats a token, that counts as none. The default, 0.01, is a change of 1 % in
    /// perplexity.
    pub gap_margin: f64,
}

impl Default for AnalysisOptions {
    fn default() -> Self {
        AnalysisOptions { gap_margin: 0.01 }
    }
}

/// Analyses the trials of a study, as far as they are finished.
///
/// # Errors
/// [`LabError::NothingToAnalyse`] when no trial has finished or diverged yet; [`LabError::Store`] when a run directory
/// is damaged.
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
    let records = study
        .trials()
        .iter()
        .filter(|trial| is_wanted(trial))
        .map(|trial| TrialRecord::read(&trial.directory, flatten(&trial.configuration)?))
        .collect::<Result<Vec<_>, LabError>>()?;
    conclude(records, options)
}

/// Analyses run directories that no study made; each is described by its `config.toml`.
///
/// # Errors
/// As [`analyse`], and when a directory holds no run.
pub fn analyse_directories(
    directories: &[PathBuf],
    options: &AnalysisOptions,
) -> Result<Analysis, LabError> {
    let records = directories
        .iter()
        .map(|directory| {
            let text = RunDirectory::open(directory)?.read_config()?;
            TrialRecord::read(directory, flatten(&text)?)
        })
        .collect::<Result<Vec<_>, LabError>>()?;
    conclude(records, options)
}

fn conclude(records: Vec<TrialRecord>, options: &AnalysisOptions) -> Result<Analysis, LabError> {
    let trials = records.len();
    let members = arms::gather(records);
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
    let arms: Vec<Arm> = members.into_iter().map(|members| members.arm).collect();
    let verdict = judge(&arms, &comparisons, options.gap_margin);
    Ok(Analysis { arms, comparisons, verdict })
}
