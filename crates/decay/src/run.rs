//! The run around a λ: rates, lengths and sizes that have been checked against each other.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{Schedule, ScheduleKind, Unit};

/// A number, and whether it was stated or is a default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Declared {
    /// The number.
    pub value: f64,
    /// Whether it is a default that nobody stated.
    pub default: bool,
}

impl Declared {
    /// A number that was stated.
    pub const fn stated(value: f64) -> Self {
        Declared { value, default: false }
    }

    /// A default, such as a library's.
    pub const fn by_default(value: f64) -> Self {
        Declared { value, default: true }
    }
}

/// Whether the loss is a mean or a sum over the data points it is computed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[derive(VariantArray, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Reduction {
    /// Mean over the data points of a batch: what nearly every network is trained with.
    Mean,
    /// Sum over the data points of a batch.
    Sum,
}

impl Reduction {
    /// The name used on the command line.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What one data point contributes to the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[derive(VariantArray, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Loss {
    /// A negative log likelihood such as the cross-entropy.
    #[strum(serialize = "nll")]
    NegativeLogLikelihood,
    /// (y − f)² without ½, also a mean over the D outputs where the reduction is a mean:
    /// `torch.nn.MSELoss`.
    #[strum(serialize = "mse")]
    SquaredError,
    /// ½(y − f)²; where the reduction is a mean, over the D outputs too.
    #[strum(serialize = "half-mse")]
    HalfSquaredError,
}

impl Loss {
    /// The name used on the command line.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The number format of the weights that the optimizer updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(VariantArray, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Dtype {
    /// 24 significant bits.
    #[default]
    F32,
    /// 8 significant bits: w(1 − s) rounds back to w when s < 2⁻⁹.
    Bf16,
}

impl Dtype {
    /// The name used on the command line.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The tensors that a run leaves out of its decay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[derive(VariantArray, IntoStaticStr)]
pub enum Spared {
    /// Gains of norms, and biases.
    #[strum(serialize = "norms")]
    Norms,
    /// These and the embeddings.
    #[strum(serialize = "norms,embeddings")]
    NormsAndEmbeddings,
}

/// A checked run: what conversions, explanations and laws need to know beside λ.
///
/// An absent number is one that was neither given nor follows from others. Amounts of data are all
/// in [`Run::unit`].
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Run {
    /// Peak η_max of the learning rate.
    pub peak_learning_rate: Option<Declared>,
    /// Learning-rate schedule; absent when it was not given, or the number of steps is unknown.
    pub schedule: Option<Schedule>,
    /// Schedule of λ itself, as a factor on it; absent: constant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lambda_schedule: Option<Schedule>,
    /// Kind and floor of a schedule whose number of steps is unknown.
    #[serde(skip)]
    pub unsized_schedule: Option<(ScheduleKind, f64)>,
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
    /// The tensors that do not decay; absent where it is left to what the optimizer is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spares: Option<Spared>,
}

impl Run {
    /// A run of which nothing is known but the peak of its learning rate.
    pub fn at_peak(learning_rate: f64) -> Self {
        Run { peak_learning_rate: Some(Declared::stated(learning_rate)), ..Run::default() }
    }

    /// Kind and floor of the schedule, also where the number of steps is unknown.
    pub fn kind_and_floor(&self) -> Option<(ScheduleKind, f64)> {
        let sized = self.schedule.map(|schedule| (schedule.kind, schedule.floor));
        sized.or(self.unsized_schedule)
    }

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
