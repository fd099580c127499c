//! A run as this crate reads it: its settings, which of them play which role, how far it came, and
//! what it recorded.
//!
//! The only reader of run directories here: arms and verdicts, the page of one run and the studies
//! that are shipped all begin with a [`Record`].

use std::path::{Path, PathBuf};

use wd_store::{MetricsReader, Plan, PlannedTensor, RunDirectory, Status, StoreError};

use crate::LabError;
use crate::analysis::window::{part, window_mean};
use crate::configuration::Flat;

/// Which settings play which role in a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// λ.
    pub lambda: &'static str,
    /// The peak learning rate η.
    pub learning_rate: &'static str,
    /// The kind of the schedule of the learning rate.
    pub schedule: &'static str,
    /// The seed: the one setting in which paired runs agree and the trials of an arm differ.
    pub seed: &'static str,
}

impl Roles {
    /// The roles in a configuration of this program.
    pub const CONFIGURED: Roles = Roles {
        lambda: "decay.lambda",
        learning_rate: "optim.lr",
        schedule: "schedule.kind",
        seed: "run.seed",
    };
}

/// A run as far as it got.
#[derive(Debug)]
pub struct Record {
    /// What was configured.
    pub settings: Flat,
    /// Which of the settings play which role.
    pub roles: Roles,
    /// What was decided before the first step; absent when the run was never planned.
    pub plan: Option<Plan>,
    /// How far it came.
    pub status: Status,
    directory: PathBuf,
}

impl Record {
    /// Reads what `directory` holds of the run with these settings; it need not have begun.
    ///
    /// # Errors
    /// [`LabError::Store`] when a file of a run that has begun is damaged.
    pub fn read(directory: &Path, settings: Flat) -> Result<Self, LabError> {
        let (mut plan, mut status) = (None, Status::New);
        if let Some(run) = unless_missing(RunDirectory::open(directory))? {
            status = run.status()?;
            plan = unless_missing(run.read_plan())?;
        }
        let directory = directory.to_owned();
        Ok(Record { settings, roles: Roles::CONFIGURED, plan, status, directory })
    }

    /// The plan.
    ///
    /// # Errors
    /// [`LabError::Store`] when the run was never planned.
    pub fn planned(&self) -> Result<&Plan, LabError> {
        let missing = || StoreError::Missing {
            path: self.directory.join("plan.json"),
            reason: "no run was planned in this directory",
        };
        Ok(self.plan.as_ref().ok_or_else(missing)?)
    }

    /// The seed that was planned, or else configured; 0 when neither says.
    pub fn seed(&self) -> u64 {
        let configured = || self.settings.get(self.roles.seed)?.parse().ok();
        self.plan.as_ref().map(|plan| plan.seed).or_else(configured).unwrap_or(0)
    }

    /// What was recorded so far.
    ///
    /// # Errors
    /// [`LabError::Store`] when the metrics are damaged.
    pub fn series(&self) -> Result<Series, LabError> {
        Ok(Series(unless_missing(self.metrics())?))
    }

    /// The same of a run that finished, which must have recorded something.
    ///
    /// # Errors
    /// [`LabError::Store`] when the metrics are damaged or missing.
    pub fn whole_series(&self) -> Result<Series, LabError> {
        Ok(Series(Some(self.metrics()?)))
    }

    fn metrics(&self) -> Result<MetricsReader, StoreError> {
        RunDirectory::open(&self.directory)?.metrics()
    }
}

/// What is there; absent where the file or directory is.
fn unless_missing<T>(found: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match found {
        Err(StoreError::Missing { .. }) => Ok(None),
        found => found.map(Some),
    }
}

/// What a run recorded: by name, a number for each step that was done.
#[derive(Debug, Default)]
pub struct Series(Option<MetricsReader>);

impl Series {
    /// Steps that were recorded.
    pub fn rows(&self) -> usize {
        self.0.as_ref().map_or(0, MetricsReader::rows)
    }

    /// A column; NaN where nothing was measured.
    pub fn column(&self, name: &str) -> Vec<f64> {
        self.found(|metrics| metrics.column(name))
    }

    /// A measure of some tensors taken together, as
    /// [`combined_column`](MetricsReader::combined_column) has it; NaN where nothing was measured.
    pub fn combined(&self, measure: &str, tensors: &[&PlannedTensor]) -> Vec<f64> {
        self.found(|metrics| metrics.combined_column(measure, tensors))
    }

    /// The number of the last step; NaN where nothing was measured.
    pub fn at_end(&self, name: &str) -> f64 {
        self.column(name).last().copied().unwrap_or(f64::NAN)
    }

    /// The mean of a column between two shares of the run, each of 0 to 1; NaN where nothing was
    /// measured there.
    pub fn mean(&self, name: &str, from: f64, to: f64) -> f64 {
        window_mean(&self.column(name), part(self.rows(), from, to))
    }

    /// The same of a measure of some tensors taken together.
    pub fn mean_combined(
        &self,
        measure: &str,
        tensors: &[&PlannedTensor],
        from: f64,
        to: f64,
    ) -> f64 {
        window_mean(&self.combined(measure, tensors), part(self.rows(), from, to))
    }

    /// What the metrics have. They were read when they were opened: an error says that there is no
    /// such column.
    fn found(&self, of: impl Fn(&MetricsReader) -> Result<Vec<f64>, StoreError>) -> Vec<f64> {
        let found = self.0.as_ref().and_then(|metrics| of(metrics).ok());
        found.unwrap_or_else(|| vec![f64::NAN; self.rows()])
    }
}
