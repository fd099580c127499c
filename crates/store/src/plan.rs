//! `plan.json`: what a run is about to do, resolved before its first step.

use serde::{Deserialize, Serialize};

/// Everything that was decided before the first step of a run.
///
/// Written once as `plan.json`; every later reader (sweeps, reports) learns from it what the run was, without
/// needing the code that trained it.
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
    /// What the counts of data below are counts of; tokens where it is not said.
    #[serde(default, skip_serializing_if = "DataUnit::is_token")]
    pub unit: DataUnit,
    /// Tokens a step (sequences × context), or images.
    pub tokens_per_step: u64,
    /// Distinct training tokens available, or images.
    pub training_tokens: u64,
    /// Tokens held out for validation, or test images.
    pub validation_tokens: u64,
    /// Passes over the training data; at most 1 unless more were asked for.
    pub epochs: f64,
    /// Hash of the prepared corpus, or of the images.
    pub corpus_hash: String,
    /// What was settled about the images of a run on images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<PlannedImages>,
    /// Number of trainable parameters.
    pub parameters: u64,
    /// Number of parameters that decay.
    pub decayed_parameters: u64,
    /// `adamw`, `adam`, `sgd`, `lion`, `muon`.
    pub optimizer: String,
    /// First momentum coefficient β₁ (or momentum), used by norm predictions.
    pub beta1: f64,
    /// Decay rule, as written in the configuration (`decoupled`, `coupled-l2`, …).
    pub rule: String,
    /// Is the cautious modifier on?
    pub cautious: bool,
    /// λ as written in the configuration.
    pub lambda: f64,
    /// Peak learning rate η_max.
    pub peak_learning_rate: f64,
    /// Learning-rate schedule (`cosine`, `constant`, …).
    pub schedule: String,
    /// One line that describes the schedule fully, for tables.
    pub schedule_description: String,
    /// κ = Σ_t s_t: total decay exponent; e^−κ of the initial weights is left. Zero where [`Plan::hides_shrink`].
    pub kappa: f64,
    /// τ = 1/(peak shrink): the averaging timescale in steps; absent when nothing decays.
    pub tau_steps: Option<f64>,
    /// τ as a fraction of the run.
    pub tau_fraction: Option<f64>,
    /// Training tokens (or images) seen per parameter.
    pub tokens_per_parameter: f64,
    /// Learning rate of every step.
    pub learning_rates: Vec<f64>,
    /// Per-step shrink s_t (w ← w − s_t(w − anchor)) of a tensor with multiplier 1, for every step. Coupled L2 under SGD: η_tλ times what
    /// a lasting push gains through the momentum, 1/(1 − μ). Zero where [`Plan::hides_shrink`].
    pub shrinks: Vec<f64>,
    /// Every tensor, in layout order.
    pub tensors: Vec<PlannedTensor>,
}

impl Plan {
    /// The version of `plan.json` that this crate writes, and the newest it reads.
    pub const FORMAT: u32 = 1;

    /// What the data that are not trained on are called.
    pub fn held_out(&self) -> &'static str {
        match self.unit {
            DataUnit::Token => "validation",
            DataUnit::Image => "test",
        }
    }

    /// What its losses are in: `nats a token`, `nats an image`, or `mean squared error an image`.
    pub fn loss_unit(&self) -> String {
        let squared = self.images.as_ref().is_some_and(|images| images.squared_error);
        let measure = if squared { "mean squared error" } else { "nats" };
        format!("{measure} {}", self.unit.one())
    }

    /// Does λ act in a way that the configuration cannot tell? So under coupled L2 with an optimizer that divides the gradient, or takes
    /// its sign: κ and the shrinks are 0 then, though something decays.
    pub fn hides_shrink(&self) -> bool {
        self.rule == "coupled-l2" && self.lambda != 0.0 && self.steps > 0 && self.kappa == 0.0
    }
}

/// What a run's counts of data are counts of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataUnit {
    /// Tokens of text.
    #[default]
    Token,
    /// Images.
    Image,
}

impl DataUnit {
    /// `token`, `image`.
    pub fn name(self) -> &'static str {
        match self {
            DataUnit::Token => "token",
            DataUnit::Image => "image",
        }
    }

    /// `a token`, `an image`.
    pub fn one(self) -> &'static str {
        match self {
            DataUnit::Token => "a token",
            DataUnit::Image => "an image",
        }
    }

    /// `tokens`, `images`.
    pub fn plural(self) -> &'static str {
        match self {
            DataUnit::Token => "tokens",
            DataUnit::Image => "images",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_token(&self) -> bool {
        *self == DataUnit::Token
    }
}

/// The images of a run: what they are and how their pixels become numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedImages {
    /// Rows, columns and channels of every image.
    pub shape: [usize; 3],
    /// Names of the classes, in the order of their labels.
    pub classes: Vec<String>,
    /// Mean of each channel of the training images, as a share of full brightness: it is subtracted.
    pub mean: Vec<f32>,
    /// Standard deviation of each channel of the training images: what is left is divided by it.
    pub std: Vec<f32>,
    /// What the shifted test images are; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shifted: Option<String>,
    /// Is the loss a mean squared error, and not the negative log-likelihood?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub squared_error: bool,
}

/// One tensor of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedTensor {
    /// Path in the model, for example `block.0.mlp.up.weight`.
    pub path: String,
    /// Shape, row-major, output dimension first.
    pub shape: Vec<usize>,
    /// `matrix`, `convolution`, `embedding`, `position`, `class_token`, `head`, `norm`, `bias`.
    pub role: String,
    /// Number of elements.
    pub parameters: u64,
    /// λ of this tensor at the peak of the λ schedule.
    pub lambda: f64,
    /// Why this tensor has this λ.
    pub reason: String,
    /// Root mean square of the initial weights, from the initialisation's formula.
    pub initial_rms: f64,
}
