//! A public recipe, and the run that it is.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use wd_decay::shrink::{PenaltyPath, shrink};
use wd_decay::{
    DecayRule, LearningRate, Momenta, MuonScale, OptimizerKind, PeakLearningRate, ScheduleKind,
    Unit, UpdateNoise, coupled_sgd_equilibrium,
};

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
    /// Momentum of SGD or Muon.
    #[serde(default)]
    pub momentum: f64,
    /// Whether that momentum looks ahead.
    #[serde(default)]
    pub nesterov: bool,
    /// β₁ of Adam.
    #[serde(default = "usual_beta1")]
    pub beta1: f64,
    /// Whether decay leaves out the coordinates that the update moves away from zero.
    #[serde(default)]
    pub cautious: bool,
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

const fn usual_beta1() -> f64 {
    0.9
}

impl Recipe {
    /// The part that a step at the peak takes off weights that no gradient moves; 0 where that
    /// depends on gradients, or where norms are held, which no recipe of the table does.
    ///
    /// It is what [`wd_decay::shrink::shrink`] makes of λ, as in an explanation.
    pub fn shrink(&self) -> f64 {
        let path = PenaltyPath {
            optimizer: Some(self.optimizer),
            momenta: self.momenta(),
            ..PenaltyPath::default()
        };
        let (rate, peak) =
            (LearningRate(self.peak_learning_rate), PeakLearningRate(self.peak_learning_rate));
        shrink(self.rule, self.lambda, rate, peak, &path).share().unwrap_or(0.0)
    }

    /// λ of the same peak shrink under `decoupled` decay.
    pub fn decoupled_lambda(&self) -> f64 {
        self.shrink() / self.peak_learning_rate
    }

    /// The angle, in radians, by which a step at the peak turns weights that have settled on noise;
    /// absent where theory gives none: under cautious decay, and for what has no noise model.
    pub fn equilibrium_angle(&self) -> Option<f64> {
        if self.cautious {
            return None;
        }
        let noise = match self.optimizer {
            OptimizerKind::Adam | OptimizerKind::Adamw => UpdateNoise::Adam { beta1: self.beta1 },
            // An angle depends neither on the size of the gradients nor on the scale of the update.
            OptimizerKind::Sgd if self.rule == DecayRule::CoupledL2 && !self.nesterov => {
                let (rate, momentum) = (self.peak_learning_rate, self.momentum);
                return Some(coupled_sgd_equilibrium(rate, self.lambda, momentum, 1.0).angle);
            }
            OptimizerKind::Sgd => UpdateNoise::Sgd {
                momentum: self.momentum,
                nesterov: self.nesterov,
                gradient_mean_square: 1.0,
            },
            OptimizerKind::Muon => UpdateNoise::Muon {
                momentum: self.momentum,
                nesterov: self.nesterov,
                scale: MuonScale::MatchRms,
            },
            _ => return None,
        };
        Some(noise.equilibrium(self.peak_learning_rate, self.shrink()).angle)
    }

    fn momenta(&self) -> Momenta {
        let Recipe { momentum, nesterov, beta1, .. } = *self;
        Momenta { momentum, nesterov, beta1, ..Momenta::default() }
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
            base_total: None,
            fine_tuning: false,
        }
    }
}
