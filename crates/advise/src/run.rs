//! The run that is planned, as the laws see it.

use serde::Serialize;
use wd_decay::{OptimizerKind, Run, ScheduleKind, Unit, tokens_per_parameter};

use crate::AdviseError;

/// A planned run: nothing in it is negative, infinite or not a number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedRun {
    /// What amounts of data are counted in.
    pub unit: Unit,
    /// Parameters P of the model.
    pub parameters: Option<f64>,
    /// Data points processed in all, D.
    pub total: f64,
    /// Data points a step, B.
    pub batch: Option<f64>,
    /// Distinct data points N.
    pub data_points: f64,
    /// Passes over them, D/N.
    pub epochs: f64,
    /// Peak η of the learning rate.
    pub peak_learning_rate: Option<f64>,
    /// Shape of the learning-rate schedule; absent when it was not said.
    pub schedule: Option<ScheduleKind>,
    /// Where the schedule ends, as a fraction of its peak.
    pub floor: f64,
    /// What trains the matrices.
    pub optimizer: OptimizerKind,
    /// Width of the model.
    pub width: Option<f64>,
    /// Width of a smaller model on which λ was tuned.
    pub base_width: Option<f64>,
    /// The λ that was best there.
    pub base_lambda: Option<f64>,
    /// What that model was trained on in all.
    pub base_total: Option<f64>,
    /// Whether training starts from weights that were trained before.
    pub fine_tuning: bool,
}

/// A number of a run that is possible, and hardly what was meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Doubt {
    /// What is odd about it.
    pub reason: String,
    /// How the likelier thing is written.
    pub fix: String,
}

/// Fewer parameters than any network has that people train.
const FEWEST_PARAMETERS: f64 = 1000.0;
/// A model from this size on is trained with thousands of tokens a step; smaller ones may be
/// exercises with short sequences.
const LARGE_MODEL: f64 = 1e7;
/// Fewer tokens than a step of such a model has: the smallest batch of a recipe is 65,536.
const FEWEST_TOKENS: f64 = 2048.0;

impl PlannedRun {
    /// A run from scratch under AdamW; the fields say what else a law may ask.
    ///
    /// Where neither the distinct data nor the passes over them are known, the run is taken as one
    /// pass. Its numbers are still to be [checked](PlannedRun::checked).
    ///
    /// # Errors
    /// [`AdviseError::NoLength`] without an amount of data.
    pub fn new(run: &Run) -> Result<Self, AdviseError> {
        let total = run.total.ok_or(AdviseError::NoLength)?;
        let (schedule, floor) = run.kind_and_floor().unzip();
        Ok(PlannedRun {
            unit: run.unit,
            parameters: run.parameters.map(|parameters| parameters as f64),
            total,
            batch: run.batch,
            data_points: run.data_points.unwrap_or(total),
            epochs: run.epochs.unwrap_or(1.0),
            peak_learning_rate: run.peak_learning_rate.map(|rate| rate.value),
            schedule,
            floor: floor.unwrap_or(0.0),
            optimizer: OptimizerKind::Adamw,
            width: run.width.map(|width| width as f64),
            base_width: None,
            base_lambda: None,
            base_total: None,
            fine_tuning: false,
        })
    }

    /// The run, once every number is known to be possible.
    ///
    /// # Errors
    /// [`AdviseError::NotPositive`] for a number that is not finite and positive,
    /// [`AdviseError::BatchTooLarge`] where not one step would be made,
    /// [`AdviseError::LearningRateTooLarge`] where a step would move every weight by 1 or more.
    pub fn checked(self) -> Result<Self, AdviseError> {
        let run = &self;
        for (name, value) in [
            ("parameters", run.parameters),
            ("total", Some(run.total)),
            ("batch", run.batch),
            ("data", Some(run.data_points)),
            ("epochs", Some(run.epochs)),
            ("peak learning rate", run.peak_learning_rate),
            ("width", run.width),
            ("base width", run.base_width),
            ("base λ", run.base_lambda),
            ("base tokens", run.base_total),
        ] {
            if let Some(value) = value
                && !(value.is_finite() && value > 0.0)
            {
                return Err(AdviseError::NotPositive { name, value });
            }
        }
        if let Some(rate) = run.peak_learning_rate
            && run.optimizer.moves_by_the_rate()
            && rate >= 1.0
        {
            return Err(AdviseError::LearningRateTooLarge {
                rate,
                optimizer: run.optimizer.title(),
            });
        }
        match run.batch {
            Some(batch) if batch > run.total => {
                Err(AdviseError::BatchTooLarge { batch, total: run.total })
            }
            _ => Ok(self),
        }
    }

    /// Steps S = D/B.
    pub fn steps(&self) -> Option<f64> {
        Some(self.total / self.batch?)
    }

    /// Tokens a parameter, D/P; absent for images.
    pub fn tokens_per_parameter(&self) -> Option<f64> {
        let parameters = self.parameters.filter(|_| self.unit == Unit::Token)?;
        Some(tokens_per_parameter(self.total as u64, parameters as u64))
    }

    /// Whether the learning rate never falls from its peak.
    pub fn is_constant(&self) -> bool {
        match self.schedule {
            Some(ScheduleKind::Constant) => true,
            Some(_) => self.floor >= 1.0,
            None => false,
        }
    }

    /// Numbers that are surely meant otherwise.
    pub fn doubts(&self) -> Vec<Doubt> {
        let parameters = self.parameters.filter(|&parameters| parameters < FEWEST_PARAMETERS);
        let of_model = parameters.map(|parameters| Doubt {
            reason: format!("a model of {parameters} parameters is none that a law is about"),
            fix: format!("if millions are meant, write {parameters}M"),
        });
        let is_large = self.parameters.is_some_and(|parameters| parameters >= LARGE_MODEL);
        let batch = self.batch.filter(|&batch| batch < FEWEST_TOKENS && is_large);
        let of_batch = batch.filter(|_| self.unit == Unit::Token).map(|batch| Doubt {
            reason: format!("{batch} tokens a step is hardly one sequence of such a model"),
            fix: format!("if sequences are meant, write {batch}seq, and their tokens as context"),
        });
        of_model.into_iter().chain(of_batch).collect()
    }

    /// The same run with `factor` times as many data points a step.
    pub fn with_batch(&self, factor: f64) -> Self {
        PlannedRun { batch: self.batch.map(|batch| batch * factor), ..self.clone() }
    }

    /// The same run over `factor` times as much data: fresh data where it makes one pass, else more
    /// passes.
    pub fn with_budget(&self, factor: f64) -> Self {
        let total = self.total * factor;
        let data_points = match self.epochs <= 1.0 {
            true => self.data_points.max(total),
            false => self.data_points,
        };
        PlannedRun { total, data_points, epochs: total / data_points, ..self.clone() }
    }

    /// The same run with `factor` times as many parameters.
    pub fn with_parameters(&self, factor: f64) -> Self {
        PlannedRun {
            parameters: self.parameters.map(|parameters| parameters * factor),
            ..self.clone()
        }
    }
}
