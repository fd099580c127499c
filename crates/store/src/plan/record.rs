//! A run as it was planned.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wd_decay::{
    Anchor, Application, DecayRule, Dtype, LearningRate, Momenta, OptimizerKind, PeakLearningRate,
    Preset, Schedule, Storage, Timescale, Unit,
};

use super::{PlannedImages, PlannedTensor, PlannedText};

/// Everything that was decided before the first step of a run.
///
/// Written once as `plan.json`; every later reader (sweeps, reports) learns from it what the run
/// was, without needing the code that trained it. What it does not hold follows from it: the
/// learning rate, λ and the shrink of each step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of this format.
    pub format: u32,
    /// Version of the program that wrote it.
    pub program: String,
    /// Seed of the initial weights, the data order and dropout.
    pub seed: u64,
    /// Number of optimizer steps.
    pub steps: u64,
    /// What the samples below are: tokens or images.
    pub unit: Unit,
    /// Samples a step: sequences × context, or images.
    pub samples_per_step: u64,
    /// Distinct training samples available.
    pub training_samples: u64,
    /// Samples held out for validation, or for the test.
    pub validation_samples: u64,
    /// Passes over the training data; at most 1 unless more were asked for.
    pub epochs: f64,
    /// Training samples seen per parameter.
    pub samples_per_parameter: f64,
    /// Where the data were.
    pub data_path: PathBuf,
    /// Hash of the prepared corpus, or of the images.
    pub corpus_hash: String,
    /// The text of a run on text; absent where format 1 did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<PlannedText>,
    /// The images of a run on images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<PlannedImages>,
    /// The network in a few words, for tables.
    pub model: String,
    /// The file of weights that the run started from, instead of random ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_from: Option<PathBuf>,
    /// Number of trainable parameters.
    pub parameters: u64,
    /// Number of parameters that decay.
    pub decayed_parameters: u64,
    /// Number format of the weights.
    pub dtype: Dtype,
    /// How they are stored between steps, and rounded to that format.
    #[serde(default, skip_serializing_if = "Storage::is_f32")]
    pub storage: Storage,
    /// The optimizer.
    pub optimizer: OptimizerKind,
    /// How it remembers earlier gradients.
    pub momenta: Momenta,
    /// The global gradient norm is clipped to this; 0: never.
    pub clip: f64,
    /// Which tensors decay.
    pub policy: Preset,
    /// How λ becomes the shrink of a step.
    pub rule: DecayRule,
    /// Is the cautious modifier on?
    pub cautious: bool,
    /// What the weights decay to.
    pub anchor: Anchor,
    /// λ as written in the configuration.
    pub lambda: f64,
    /// Factor on λ, by step.
    pub lambda_schedule: Schedule,
    /// Peak learning rate η_max.
    pub peak_learning_rate: f64,
    /// Factor on the learning rate, by step.
    pub schedule: Schedule,
    /// The run whose effective learning rate this one takes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_rate_of: Option<PathBuf>,
    /// κ = Σ_t s_t: total decay exponent; e^−κ of the initial weights is left. Zero where
    /// [`Plan::hides_shrink`].
    pub kappa: f64,
    /// τ = 1/(peak shrink): the averaging timescale in steps; absent when nothing decays.
    pub tau_steps: Option<f64>,
    /// τ as a fraction of the run.
    pub tau_fraction: Option<f64>,
    /// Every tensor, in layout order.
    pub tensors: Vec<PlannedTensor>,
}

impl Plan {
    /// The version of `plan.json` that this crate writes, and the newest it reads.
    pub const FORMAT: u32 = 2;

    /// What the data that are not trained on are called.
    pub fn held_out(&self) -> &'static str {
        if self.unit == Unit::Image { "test" } else { "validation" }
    }

    /// What its losses are in: `nats a token`, `nats an image`, or `mean squared error an image`.
    pub fn loss_unit(&self) -> String {
        let squared = self.images.as_ref().is_some_and(|images| images.squared_error);
        let measure = if squared { "mean squared error" } else { "nats" };
        format!("{measure} {}", self.unit.each())
    }

    /// η_t at a step, counted from 0.
    pub fn learning_rate(&self, step: u64) -> f64 {
        self.peak_learning_rate * self.schedule.factor(step)
    }

    /// λ_t at a step, counted from 0.
    pub fn lambda_at(&self, step: u64) -> f64 {
        self.lambda * self.lambda_schedule.factor(step)
    }

    /// The shrink s_t of a step (counted from 0), in w ← w − s_t(w − anchor), of a tensor that has
    /// the run's λ.
    ///
    /// Under coupled L2 with SGD it is η_tλ_t times what a lasting push gains through the momentum.
    /// It is 0 where a norm is held, and where [`Plan::hides_shrink`].
    pub fn shrink(&self, step: u64) -> f64 {
        let rate = LearningRate(self.learning_rate(step));
        match self.rule.apply(self.lambda_at(step), rate, PeakLearningRate(self.peak_learning_rate))
        {
            Application::Shrink(shrink) => shrink.0,
            Application::Gradient(lambda) if self.optimizer == OptimizerKind::Sgd => {
                rate.0 * lambda * self.momenta.gain()
            }
            Application::Gradient(_) | Application::Sphere => 0.0,
        }
    }

    /// κ and τ of the shrinks of all steps.
    pub fn timescale(&self) -> Timescale {
        (0..self.steps).map(|step| self.shrink(step)).collect()
    }

    /// Does any tensor decay, or have its norm held?
    pub fn decays(&self) -> bool {
        self.tensors.iter().any(|tensor| tensor.lambda != 0.0)
    }

    /// Are norms held, instead of a decay applied?
    pub fn holds_norms(&self) -> bool {
        self.rule == DecayRule::Hyperball
    }

    /// Does λ act in a way that the configuration cannot tell? It does under coupled L2 with an
    /// optimizer that divides the gradient or takes its sign: κ and the shrinks are 0 then, though
    /// something decays.
    pub fn hides_shrink(&self) -> bool {
        self.rule == DecayRule::CoupledL2
            && self.optimizer != OptimizerKind::Sgd
            && self.lambda != 0.0
            && self.steps > 0
    }

    /// Do the weights start at their random initialisation, and decay to zero?
    pub fn starts_from_initialisation(&self) -> bool {
        self.init_from.is_none() && self.anchor == Anchor::Zero
    }
}
