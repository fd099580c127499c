//! The run that is planned, as the laws see it.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use wd_decay::{RunShape, ScheduleKind, Unit, tokens_per_parameter};

use crate::AdviseError;

/// The family of the optimizer that trains the weight matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// Adam with decoupled decay (Loshchilov & Hutter 2019).
    #[default]
    Adamw,
    /// Adam with a coupled L2 penalty.
    Adam,
    /// SGD, with or without momentum.
    Sgd,
    /// Lion.
    Lion,
    /// Muon on the hidden matrices.
    Muon,
}

impl Optimizer {
    /// Every family, in the order of tables.
    pub const ALL: [Optimizer; 5] =
        [Optimizer::Adamw, Optimizer::Adam, Optimizer::Sgd, Optimizer::Lion, Optimizer::Muon];

    /// The name used in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Optimizer::Adamw => "adamw",
            Optimizer::Adam => "adam",
            Optimizer::Sgd => "sgd",
            Optimizer::Lion => "lion",
            Optimizer::Muon => "muon",
        }
    }

    /// The name as a sentence has it.
    pub const fn title(self) -> &'static str {
        match self {
            Optimizer::Adamw => "AdamW",
            Optimizer::Adam => "Adam",
            Optimizer::Sgd => "SGD",
            Optimizer::Lion => "Lion",
            Optimizer::Muon => "Muon",
        }
    }
}

impl fmt::Display for Optimizer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

impl FromStr for Optimizer {
    type Err = AdviseError;

    fn from_str(text: &str) -> Result<Self, AdviseError> {
        Optimizer::ALL.into_iter().find(|optimizer| optimizer.name() == text).ok_or_else(|| {
            AdviseError::UnknownName {
                what: "optimizer",
                given: text.to_owned(),
                known: Optimizer::ALL.map(Optimizer::name).join(", "),
            }
        })
    }
}

/// What a law may ask about a run beside its [`RunShape`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Circumstances {
    /// What trains the matrices.
    pub optimizer: Optimizer,
    /// Width of a smaller model on which λ was tuned.
    pub base_width: Option<f64>,
    /// The λ (of `torch.optim.AdamW`) that was best there.
    pub base_lambda: Option<f64>,
    /// Whether training starts from weights that were trained before.
    pub fine_tuning: bool,
}

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
    pub optimizer: Optimizer,
    /// Width of the model.
    pub width: Option<f64>,
    /// Width of a smaller model on which λ was tuned.
    pub base_width: Option<f64>,
    /// The λ that was best there.
    pub base_lambda: Option<f64>,
    /// Whether training starts from weights that were trained before.
    pub fine_tuning: bool,
}

impl PlannedRun {
    /// The run of this shape.
    ///
    /// Where neither the distinct data nor the passes over them are known, the run is taken as one pass.
    ///
    /// # Errors
    /// [`AdviseError::NoLength`] without an amount of data, and what [`PlannedRun::checked`] refuses.
    pub fn new(shape: &RunShape, circumstances: Circumstances) -> Result<Self, AdviseError> {
        let total = shape.total.ok_or(AdviseError::NoLength)?;
        PlannedRun {
            unit: shape.unit,
            parameters: shape.parameters.map(|parameters| parameters as f64),
            total,
            batch: shape.batch,
            data_points: shape.data_points.unwrap_or(total),
            epochs: shape.epochs.unwrap_or(1.0),
            peak_learning_rate: shape.peak_learning_rate.map(|rate| rate.value),
            schedule: shape.schedule_kind,
            floor: shape.schedule_floor,
            optimizer: circumstances.optimizer,
            width: shape.width.map(|width| width as f64),
            base_width: circumstances.base_width,
            base_lambda: circumstances.base_lambda,
            fine_tuning: circumstances.fine_tuning,
        }
        .checked()
    }

    /// The run, once every number is known to be possible.
    ///
    /// # Errors
    /// [`AdviseError::NotPositive`] for a number that is not finite and positive, [`AdviseError::BatchTooLarge`]
    /// where not one step would be made, [`AdviseError::LearningRateTooLarge`] where a step would move every weight by 1 or more.
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
        ] {
            if let Some(value) = value
                && !(value.is_finite() && value > 0.0)
            {
                return Err(AdviseError::NotPositive { name, value });
            }
        }
        let moves_by_one =
            matches!(run.optimizer, Optimizer::Adamw | Optimizer::Adam | Optimizer::Lion);
        if let Some(rate) = run.peak_learning_rate
            && moves_by_one
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

    /// The same run with `factor` times as many data points a step.
    pub fn with_batch(&self, factor: f64) -> Self {
        PlannedRun { batch: self.batch.map(|batch| batch * factor), ..self.clone() }
    }

    /// The same run over `factor` times as much data: fresh data where it makes one pass, else more passes.
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
