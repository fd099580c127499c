//! A run as this crate reads it: its settings, which of them play which role, how far it came, and
//! what it recorded.
//!
//! The only reader of run directories here: arms and verdicts, the page of one run and the studies
//! that are shipped all begin with a [`Record`]. Runs of other programs become records too, with a
//! [`Recording`] that says what their names mean.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use wd_store::{MetricsReader, Plan, PlannedTensor, RunDirectory, Status, StoreError};

use crate::LabError;
use crate::analysis::measured::Measured;
use crate::analysis::window::{part, window_mean};
use crate::configuration::Flat;

pub use crate::recording::{Recording, TrainingLoss};

/// The column of a run directory that holds the steps of another program: the rows themselves are
/// numbered from 1.
pub const RECORDED_STEP: &str = "recorded_step";

/// Which settings play which role in a study; empty where none does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles<'a> {
    /// λ.
    pub lambda: &'a str,
    /// The peak learning rate η.
    pub learning_rate: &'a str,
    /// The kind of the schedule of the learning rate.
    pub schedule: &'a str,
    /// The seed: the one setting in which paired runs agree and the trials of an arm differ.
    pub seed: &'a str,
}

impl Roles<'_> {
    /// The roles in a configuration of this program.
    pub const CONFIGURED: Roles<'static> = Roles {
        lambda: "decay.lambda",
        learning_rate: "optim.lr",
        schedule: "schedule.kind",
        seed: "run.seed",
    };
}

/// Values at some steps of a run, ascending by step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    /// The steps, each greater than the one before.
    pub steps: Vec<u64>,
    /// A value for each step.
    pub values: Vec<f64>,
}

/// Where the numbers of a run are.
#[derive(Debug, Clone)]
enum Source {
    Directory(PathBuf),
    Curves(Arc<BTreeMap<String, Curve>>),
}

/// A run as far as it got.
#[derive(Debug)]
pub struct Record {
    /// What was configured.
    pub settings: Flat,
    /// What the names of another program mean; absent for a run of this program.
    pub recording: Option<Arc<Recording>>,
    /// What was decided before the first step; absent when the run was never planned, and for runs
    /// of other programs.
    pub plan: Option<Plan>,
    /// How far it came.
    pub status: Status,
    source: Source,
    /// What is compared, once it was asked for: a record may be analysed many times.
    measured: OnceLock<Option<Measured>>,
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
        let source = Source::Directory(directory.to_owned());
        let measured = OnceLock::new();
        Ok(Record { settings, recording: None, plan, status, source, measured })
    }

    /// The run of another program that a run directory holds.
    ///
    /// # Errors
    /// As [`Record::read`].
    pub fn read_recorded(
        directory: &Path,
        settings: Flat,
        recording: Arc<Recording>,
    ) -> Result<Self, LabError> {
        let record = Record::read(directory, settings)?;
        Ok(Record { recording: Some(recording), plan: None, ..record })
    }

    /// A run of another program, from its curves.
    pub fn recorded(
        settings: Flat,
        recording: Arc<Recording>,
        status: Status,
        curves: Arc<BTreeMap<String, Curve>>,
    ) -> Self {
        let source = Source::Curves(curves);
        let measured = OnceLock::new();
        Record { settings, recording: Some(recording), plan: None, status, source, measured }
    }

    /// The numbers that are compared; absent unless every step that was planned was done and
    /// recorded. They are read once.
    ///
    /// # Errors
    /// [`LabError::Store`] when the metrics of a finished run are damaged or missing.
    pub(crate) fn measured(&self) -> Result<Option<&Measured>, LabError> {
        if self.measured.get().is_none() {
            let measured = Measured::of(self)?;
            return Ok(self.measured.get_or_init(|| measured).as_ref());
        }
        Ok(self.measured.get().and_then(Option::as_ref))
    }

    /// Which of its settings play which role.
    pub fn roles(&self) -> Roles<'_> {
        roles(self.recording.as_deref())
    }

    /// Its run directory; absent for runs of other programs that were never written into one.
    pub fn directory(&self) -> Option<&Path> {
        match &self.source {
            Source::Directory(directory) => Some(directory),
            Source::Curves(_) => None,
        }
    }

    /// The plan.
    ///
    /// # Errors
    /// [`LabError::Store`] when the run was never planned.
    pub fn planned(&self) -> Result<&Plan, LabError> {
        let path = match &self.source {
            Source::Directory(directory) => directory.join("plan.json"),
            Source::Curves(_) => PathBuf::from("plan.json"),
        };
        let missing =
            || StoreError::Missing { path, reason: "no run was planned in this directory" };
        Ok(self.plan.as_ref().ok_or_else(missing)?)
    }

    /// The seed that was planned, or else configured; 0 when neither says.
    pub fn seed(&self) -> u64 {
        let configured = || self.settings.get(self.roles().seed)?.parse().ok();
        self.plan.as_ref().map(|plan| plan.seed).or_else(configured).unwrap_or(0)
    }

    /// λ: as planned, or else as its setting says; absent when neither does.
    pub fn lambda(&self) -> Option<f64> {
        let set = || self.settings.get(self.roles().lambda)?.parse().ok();
        self.plan.as_ref().map(|plan| plan.lambda).or_else(set)
    }

    /// The peak learning rate, likewise.
    pub fn peak_learning_rate(&self) -> Option<f64> {
        let set = || self.settings.get(self.roles().learning_rate)?.parse().ok();
        self.plan.as_ref().map(|plan| plan.peak_learning_rate).or_else(set)
    }

    /// What was recorded so far.
    ///
    /// # Errors
    /// [`LabError::Store`] when the metrics are damaged.
    pub fn series(&self) -> Result<Series, LabError> {
        Ok(self.series_of(unless_missing(self.metrics())?))
    }

    /// The same of a run that finished, which must have recorded something.
    ///
    /// # Errors
    /// [`LabError::Store`] when the metrics are damaged or missing.
    pub fn whole_series(&self) -> Result<Series, LabError> {
        Ok(self.series_of(Some(self.metrics()?)))
    }

    fn series_of(&self, numbers: Option<Numbers>) -> Series {
        Series { numbers, recording: self.recording.clone() }
    }

    fn metrics(&self) -> Result<Numbers, StoreError> {
        match &self.source {
            Source::Directory(directory) => {
                Ok(Numbers::Metrics(RunDirectory::open(directory)?.metrics()?))
            }
            Source::Curves(curves) => Ok(Numbers::Curves(Arc::clone(curves))),
        }
    }
}

/// The roles of the settings of a run of this program, or of a recording.
pub(crate) fn roles(recording: Option<&Recording>) -> Roles<'_> {
    match recording {
        None => Roles::CONFIGURED,
        Some(recording) => Roles {
            lambda: &recording.lambda,
            learning_rate: recording.learning_rate.as_deref().unwrap_or_default(),
            schedule: "",
            seed: recording.seed.as_deref().unwrap_or(Recording::RUN_NUMBER),
        },
    }
}

/// What is there; absent where the file or directory is.
fn unless_missing<T>(found: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match found {
        Err(StoreError::Missing { .. }) => Ok(None),
        found => found.map(Some),
    }
}

#[derive(Debug)]
enum Numbers {
    Metrics(MetricsReader),
    Curves(Arc<BTreeMap<String, Curve>>),
}

/// What a run recorded: by name, a number for each step that was done; of another program a number
/// for each step at which it wrote one.
#[derive(Debug, Default)]
pub struct Series {
    numbers: Option<Numbers>,
    recording: Option<Arc<Recording>>,
}

impl Series {
    /// Steps that were recorded.
    pub fn rows(&self) -> usize {
        match &self.numbers {
            Some(Numbers::Metrics(metrics)) => metrics.rows(),
            _ => 0,
        }
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

    /// The number of the last step; NaN where nothing was measured. Of another program's run the
    /// last number of the curve that plays this role.
    pub fn at_end(&self, name: &str) -> f64 {
        let values = match &self.recording {
            Some(_) => self.curve(name).values,
            None => self.column(name),
        };
        values.last().copied().unwrap_or(f64::NAN)
    }

    /// A column as a curve. Of another program's run the curve that plays the role of this column,
    /// or that has this name.
    pub fn curve(&self, name: &str) -> Curve {
        let Some(recording) = &self.recording else {
            return every_step(self.column(name));
        };
        let name = recording.curve_of(name).unwrap_or(name);
        match &self.numbers {
            Some(Numbers::Curves(curves)) => curves.get(name).cloned().unwrap_or_default(),
            Some(Numbers::Metrics(metrics)) => stored(metrics, name),
            None => Curve::default(),
        }
    }

    /// The names of everything that was recorded.
    pub fn names(&self) -> Vec<String> {
        match &self.numbers {
            Some(Numbers::Curves(curves)) => curves.keys().cloned().collect(),
            Some(Numbers::Metrics(metrics)) => metrics
                .columns()
                .iter()
                .map(|column| column.name.clone())
                .filter(|name| name != "step" && name != RECORDED_STEP)
                .collect(),
            None => Vec::new(),
        }
    }

    /// The curve that is the validation loss of another program's run.
    pub(crate) fn recorded_validation(&self) -> Option<&String> {
        self.recording.as_ref()?.validation.as_ref()
    }

    /// The mean of a column between two shares of the run, each of 0 to 1; NaN where nothing was
    /// measured there.
    pub fn mean(&self, name: &str, from: f64, to: f64) -> f64 {
        window_mean(&every_step(self.column(name)), part(self.rows(), from, to))
    }

    /// The same of a measure of some tensors taken together.
    pub fn mean_combined(
        &self,
        measure: &str,
        tensors: &[&PlannedTensor],
        from: f64,
        to: f64,
    ) -> f64 {
        window_mean(&every_step(self.combined(measure, tensors)), part(self.rows(), from, to))
    }

    /// What the metrics have. They were read when they were opened: an error says that there is no
    /// such column.
    fn found(&self, of: impl Fn(&MetricsReader) -> Result<Vec<f64>, StoreError>) -> Vec<f64> {
        let found = match &self.numbers {
            Some(Numbers::Metrics(metrics)) => of(metrics).ok(),
            _ => None,
        };
        found.unwrap_or_else(|| vec![f64::NAN; self.rows()])
    }
}

/// A column as a curve: row i holds step i + 1.
fn every_step(values: Vec<f64>) -> Curve {
    Curve { steps: (1..=values.len() as u64).collect(), values }
}

/// A curve of another program from a run directory: the rows in which it has a number.
fn stored(metrics: &MetricsReader, name: &str) -> Curve {
    let (Ok(steps), Ok(values)) = (metrics.column(RECORDED_STEP), metrics.column(name)) else {
        return Curve::default();
    };
    let mut curve = Curve::default();
    for (step, value) in steps.into_iter().zip(values).filter(|(_, value)| !value.is_nan()) {
        curve.steps.push(step as u64);
        curve.values.push(value);
    }
    curve
}
