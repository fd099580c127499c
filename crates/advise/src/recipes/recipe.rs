//! A public recipe, and the run that it is.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use wd_decay::{DecayRule, OptimizerKind, PeakLearningRate, ScheduleKind, Unit};

use crate::PlannedRun;

/// How well the numbers of a recipe are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
pub enum Mark {
    /// The configuration, the code or the authors' model card was read.
    P,
    /// A secondary note quotes the paper.
    S,
}

impl Mark {
    /// The letter.
    pub fn letter(self) -> &'static str {
        self.into()
    }
}

/// A public recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The model.
    pub name: String,
    /// How well its numbers are known.
    pub mark: Mark,
    /// Where they were read.
    pub source: String,
    /// What trains the matrices.
    #[serde(default)]
    pub optimizer: OptimizerKind,
    /// Peak learning rate η.
    pub peak_learning_rate: f64,
    /// Shape of the schedule, as near as this program has one; absent where it has none.
    pub schedule: Option<ScheduleKind>,
    /// The schedule in words.
    pub schedule_words: String,
    /// Where it ends, a fraction of its peak.
    #[serde(default)]
    pub floor: f64,
    /// λ as the recipe writes it.
    pub lambda: f64,
    /// The rule that λ belongs to.
    #[serde(default = "decoupled")]
    pub rule: DecayRule,
    /// What amounts of data are counted in.
    pub unit: Unit,
    /// Parameters, as the model is named where the source says nothing more exact; absent for
    /// images.
    pub parameters: Option<f64>,
    /// Data points a step (the largest, where it grows).
    pub batch: f64,
    /// Data points processed in all.
    pub total: f64,
    /// Distinct data points.
    pub data_points: f64,
}

const fn decoupled() -> DecayRule {
    DecayRule::Decoupled
}

impl Recipe {
    /// λ of the same peak shrink under `decoupled` decay.
    ///
    /// Coupled L2 is taken as SGD applies it without momentum: g ← g + λw shrinks by ηλ.
    pub fn decoupled_lambda(&self) -> f64 {
        let peak = PeakLearningRate(self.peak_learning_rate);
        match self.rule.power_of_rate(peak) {
            Some((scale, power)) => self.lambda * scale * peak.0.powi(power - 1),
            None if self.rule == DecayRule::CoupledL2 => self.lambda,
            // No recipe of the table holds norms; held, nothing shrinks.
            None => 0.0,
        }
    }

    /// The run as the laws see it.
    pub fn run(&self) -> PlannedRun {
        PlannedRun {
            unit: self.unit,
            parameters: self.parameters,
            total: self.total,
            batch: Some(self.batch),
            data_points: self.data_points,
            epochs: self.total / self.data_points,
            peak_learning_rate: Some(self.peak_learning_rate),
            schedule: self.schedule,
            floor: self.floor,
            optimizer: self.optimizer,
            width: None,
            base_width: None,
            base_lambda: None,
            fine_tuning: false,
        }
    }
}
