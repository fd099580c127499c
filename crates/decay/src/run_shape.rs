//! The run around a λ: rates, lengths and sizes that have been checked against each other.

use serde::{Deserialize, Serialize};

use crate::{Schedule, ScheduleKind, Unit};

/// A value, and whether a person gave it or it is a library's default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Given<T> {
    /// The value.
    pub value: T,
    /// Whether it is a default that nobody typed.
    pub default: bool,
}

impl<T> Given<T> {
    /// A value that was typed.
    pub const fn typed(value: T) -> Self {
        Given { value, default: false }
    }

    /// A library's default.
    pub const fn default(value: T) -> Self {
        Given { value, default: true }
    }
}

/// Whether the loss is a mean or a sum over the data points it is computed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reduction {
    /// Mean over the data points of a batch: what nearly every network is trained with.
    Mean,
    /// Sum over the data points of a batch.
    Sum,
}

impl Reduction {
    /// Both reductions.
    pub const ALL: [Reduction; 2] = [Reduction::Mean, Reduction::Sum];

    /// The name used on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Reduction::Mean => "mean",
            Reduction::Sum => "sum",
        }
    }
}

/// What one data point contributes to the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// A negative log likelihood such as the cross-entropy.
    NegativeLogLikelihood,
    /// (y − f)² without ½, also a mean over the D outputs where the reduction is a mean: `torch.nn.MSELoss`.
    SquaredError,
    /// ½(y − f)²; where the reduction is a mean, over the D outputs too.
    HalfSquaredError,
}

impl Loss {
    /// Every loss.
    pub const ALL: [Loss; 3] =
        [Loss::NegativeLogLikelihood, Loss::SquaredError, Loss::HalfSquaredError];

    /// The name used on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Loss::NegativeLogLikelihood => "nll",
            Loss::SquaredError => "mse",
            Loss::HalfSquaredError => "half-mse",
        }
    }
}

/// The number format of the weights that the optimizer updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    /// 24 significant bits.
    F32,
    /// 8 significant bits: w(1 − s) rounds back to w when s < 2⁻⁹.
    Bf16,
}

impl Dtype {
    /// Both formats.
    pub const ALL: [Dtype; 2] = [Dtype::F32, Dtype::Bf16];

    /// The name used on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Dtype::F32 => "f32",
            Dtype::Bf16 => "bf16",
        }
    }
}

/// A checked run: what conversions, explanations and laws need to know beside λ.
///
/// An absent number is one that was neither given nor follows from others. Amounts of data are all
/// in [`RunShape::unit`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunShape {
    /// Peak η_max of the learning rate.
    pub peak_learning_rate: Option<Given<f64>>,
    /// Shape of the schedule, also where the number of steps is unknown.
    #[serde(skip)]
    pub schedule_kind: Option<ScheduleKind>,
    /// Floor of that schedule, a fraction of the peak.
    #[serde(skip)]
    pub schedule_floor: f64,
    /// Learning-rate schedule; absent when it was not given, or the number of steps is unknown.
    pub schedule: Option<Schedule>,
    /// Steps S.
    pub steps: Option<u64>,
    /// What batch, total and data points are counted in.
    pub unit: Unit,
    /// Data points a step, B.
    pub batch: Option<f64>,
    /// Data points processed in all, repetitions included.
    pub total: Option<f64>,
    /// Distinct data points N.
    pub data_points: Option<f64>,
    /// Passes over the data.
    pub epochs: Option<f64>,
    /// Tokens in a sequence.
    pub context: Option<u64>,
    /// Parameters of the model.
    pub parameters: Option<u64>,
    /// Width of the model.
    pub width: Option<u64>,
    /// Outputs D of a regression.
    pub outputs: Option<u64>,
    /// Standard deviation of the initial weights.
    pub init_std: Option<f64>,
    /// Root mean square of a coordinate of the gradient.
    pub gradient_rms: Option<f64>,
    /// Standard deviation of the response, divided by N.
    pub response_std: Option<f64>,
    /// Standard deviation of a regression's noise.
    pub noise_std: Option<f64>,
    /// Mean or sum; absent when it was not said.
    pub reduction: Option<Reduction>,
    /// What a data point contributes to the loss; absent when it was not said.
    pub loss: Option<Loss>,
    /// Format of the weights.
    pub dtype: Dtype,
}

impl RunShape {
    /// Tokens trained on, for a run that counts in tokens.
    pub fn tokens(&self) -> Option<f64> {
        self.total.filter(|_| self.unit == Unit::Token)
    }

    /// Tokens a parameter.
    pub fn tokens_per_parameter(&self) -> Option<f64> {
        Some(self.tokens()? / self.parameters? as f64)
    }

    /// Steps a pass over the data takes.
    pub fn steps_per_epoch(&self) -> Option<f64> {
        Some(self.data_points? / self.batch?)
    }
}
