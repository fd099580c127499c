//! Which optimizer: directions, their hyper-parameters, and the combinations that are refused.

use wd_decay::{DecayRule, LearningRate, PeakLearningRate, Storage};

use crate::OptimError;

/// Hyper-parameters of Adam.
///
/// | name | default | range |
/// |---|---|---|
/// | `beta1` | 0.9 | \[0, 1) |
/// | `beta2` | 0.999 | \[0, 1) |
/// | `epsilon` | 1e-8 | ≥ 0 |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamParameters {
    /// Coefficient β₁ of the first moment.
    pub beta1: f64,
    /// Coefficient β₂ of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
}

impl Default for AdamParameters {
    fn default() -> Self {
        AdamParameters { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

/// How a direction u is made of the gradient g; the step subtracts ηu.
///
/// | direction | state | u | equals |
/// |---|---|---|---|
/// | `Sgd` | b | b ← μb + (1 − d)g (b ← g at first); u = b, or g + μb with Nesterov; u = g for μ = 0 | `torch.optim.SGD` |
/// | `Adam` | m, v | m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; u = m̂/(√v̂ + ε), hats for /(1 − βᵗ) | `torch.optim.Adam`, `AdamW` |
/// | `Lion` | m | u = sign(β₁m + (1 − β₁)g); m ← β₂m + (1 − β₂)g | Chen et al. 2023, algorithm 2 |
/// | `Muon` | m | m ← μm + (1 − μ)g; u = √max(1, rows/columns) · NS(m, or g + μ(m − g) with Nesterov) | `torch.optim.Muon`, in f32 |
///
/// NS is the Newton–Schulz iteration that carries a matrix near its orthogonal polar factor.
/// PyTorch's Muon iterates in bf16; here it is done in f32. The decay of Muon goes by η itself,
/// without the factor √max(1, rows/columns). PyTorch's Muon refuses convolutions; here, as in its
/// author's (KellerJordan/Muon) and in timm's, one is the matrix `[out, in·height·width]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Direction {
    /// Gradient descent with momentum.
    Sgd {
        /// Momentum μ, in \[0, 1).
        momentum: f64,
        /// Dampening d, in \[0, 1].
        dampening: f64,
        /// Look ahead by one step; needs momentum, and no dampening.
        nesterov: bool,
    },
    /// Adam; AdamW when the rule is decoupled.
    Adam(AdamParameters),
    /// Sign of an interpolated momentum.
    Lion {
        /// Coefficient β₁ of the interpolation, in \[0, 1).
        beta1: f64,
        /// Coefficient β₂ of the momentum, in \[0, 1).
        beta2: f64,
    },
    /// Orthogonalised momentum for matrices, Adam for the tensors marked
    /// [`auxiliary`](TensorSettings::auxiliary).
    Muon {
        /// Momentum μ, in \[0, 1).
        momentum: f64,
        /// Look ahead by one step.
        nesterov: bool,
        /// Newton–Schulz iterations, 1 to 99; 5 is usual.
        newton_schulz_steps: usize,
        /// Adam of the auxiliary tensors.
        auxiliary: AdamParameters,
        /// Their learning rate as a multiple of Muon's: it scales both η_t and η_max in their decay
        /// rule.
        auxiliary_learning_rate_ratio: f64,
    },
}

/// An optimizer, but for its tensors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OptimizerConfig {
    /// How a direction is made of the gradient.
    pub direction: Direction,
    /// How λ becomes a step's decay.
    pub rule: DecayRule,
    /// Decay only the coordinates where u·(w − a) ≥ 0.
    pub cautious: bool,
    /// Largest norm of all gradients taken together; larger ones are scaled down to it.
    pub clip: Option<f64>,
}

/// One tensor of the arena.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorSettings {
    /// First element in the arena.
    pub offset: usize,
    /// Shape, row-major, output dimension first.
    pub shape: Vec<usize>,
    /// λ of this tensor, at the peak of the λ schedule. Under
    /// [`Hyperball`](wd_decay::DecayRule::Hyperball) anything above 0 holds the tensor, which then
    /// has to be a matrix.
    pub lambda: f64,
    /// Under Muon: let Adam move this tensor. Needed for all that is no matrix, and usual for
    /// embeddings and the head.
    pub auxiliary: bool,
}

/// What changes from step to step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepSettings {
    /// η_t.
    pub learning_rate: LearningRate,
    /// η_max.
    pub peak_learning_rate: PeakLearningRate,
    /// Value of the λ schedule: multiplies the λ of every tensor. 1 where λ is constant.
    pub lambda_factor: f64,
}

impl TensorSettings {
    /// Number of elements.
    pub fn len(&self) -> usize {
        // Saturating, so that an absurd shape is found not to fit rather than to overflow.
        self.shape.iter().fold(1, |length: usize, size| length.saturating_mul(*size))
    }

    /// Rows and columns of the tensor as a matrix; absent for a vector. A convolution `[out, in,
    /// height, width]` is the matrix `[out, in·height·width]` that it multiplies patches by.
    pub fn matrix(&self) -> Option<(usize, usize)> {
        match self.shape[..] {
            [rows, _, ..] => Some((rows, self.shape[1..].iter().product())),
            _ => None,
        }
    }

    /// Has this tensor no elements?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn within(
    name: &'static str,
    value: f64,
    range: &'static str,
    holds: bool,
) -> Result<(), OptimError> {
    if holds { Ok(()) } else { Err(OptimError::OutOfRange { name, value, range }) }
}

fn below_one(name: &'static str, value: f64) -> Result<(), OptimError> {
    within(name, value, "at least 0 and below 1", (0.0..1.0).contains(&value))
}

pub(crate) fn not_negative(name: &'static str, value: f64) -> Result<(), OptimError> {
    within(name, value, "finite and at least 0", value.is_finite() && value >= 0.0)
}

impl AdamParameters {
    fn validate(&self) -> Result<(), OptimError> {
        below_one("beta1", self.beta1)?;
        below_one("beta2", self.beta2)?;
        not_negative("epsilon", self.epsilon)
    }
}

impl OptimizerConfig {
    /// Are the numbers in range, and does the combination mean something?
    ///
    /// # Errors
    /// For a hyper-parameter out of its range; for Muon with coupled L2, for cautious coupled L2 or
    /// Hyperball, and for Nesterov's momentum without momentum or with dampening, each with the
    /// reason.
    pub fn validate(&self) -> Result<(), OptimError> {
        match self.direction {
            Direction::Sgd { momentum, dampening, nesterov } => {
                below_one("momentum", momentum)?;
                within(
                    "dampening",
                    dampening,
                    "between 0 and 1",
                    (0.0..=1.0).contains(&dampening),
                )?;
                if nesterov && (momentum == 0.0 || dampening != 0.0) {
                    return Err(OptimError::Refused(
                        "Nesterov's momentum needs a momentum above 0 and no dampening",
                    ));
                }
            }
            Direction::Adam(adam) => adam.validate()?,
            Direction::Lion { beta1, beta2 } => {
                below_one("beta1", beta1)?;
                below_one("beta2", beta2)?;
            }
            Direction::Muon {
                momentum,
                newton_schulz_steps,
                auxiliary,
                auxiliary_learning_rate_ratio,
                ..
            } => {
                below_one("momentum", momentum)?;
                let steps = newton_schulz_steps as f64;
                within(
                    "newton_schulz_steps",
                    steps,
                    "between 1 and 99",
                    (1..100).contains(&newton_schulz_steps),
                )?;
                not_negative("auxiliary_learning_rate_ratio", auxiliary_learning_rate_ratio)?;
                auxiliary.validate()?;
                if self.rule == DecayRule::CoupledL2 {
                    return Err(OptimError::Refused(
                        "Muon keeps only the singular directions of the gradient and drops their \
                         sizes, so a penalty added to the gradient is no weight decay of any \
                         strength: use a decoupled rule",
                    ));
                }
            }
        }
        if self.cautious && self.rule == DecayRule::CoupledL2 {
            return Err(OptimError::Refused(
                "the cautious modifier asks whether the decay goes along with the direction, but \
                 under coupled L2 the decay is a part of the direction: use a decoupled rule",
            ));
        }
        if self.cautious && self.rule == DecayRule::Hyperball {
            return Err(OptimError::Refused(
                "the cautious modifier picks the coordinates that decay, but hyperball brings \
                 whole tensors back to their norm: use a decoupled rule",
            ));
        }
        match self.clip {
            Some(clip) => {
                within("clip", clip, "finite and above 0", clip.is_finite() && clip > 0.0)
            }
            None => Ok(()),
        }
    }
}

impl OptimizerConfig {
    /// Does this way to store weights go with it?
    ///
    /// # Errors
    /// For the cautious modifier with weights rounded to nearest.
    pub fn validate_storage(&self, storage: Storage) -> Result<(), OptimError> {
        if self.cautious && storage == Storage::Bf16Nearest {
            return Err(OptimError::Refused(
                "bf16-nearest rounds weights after their decay and before their update, but the \
                 cautious modifier needs the update to decide what decays: round stochastically, or \
                 decay everywhere",
            ));
        }
        Ok(())
    }
}

impl StepSettings {
    /// The same with both learning rates times `ratio`.
    pub(crate) fn times(self, ratio: f64) -> Self {
        StepSettings {
            learning_rate: LearningRate(self.learning_rate.0 * ratio),
            peak_learning_rate: PeakLearningRate(self.peak_learning_rate.0 * ratio),
            ..self
        }
    }

    pub(crate) fn validate(&self) -> Result<(), OptimError> {
        not_negative("learning rate", self.learning_rate.0)?;
        not_negative("peak learning rate", self.peak_learning_rate.0)?;
        not_negative("factor of the weight decay", self.lambda_factor)
    }
}

/// Checks that λ is usable and that the tensors lie in order within the arena.
pub(crate) fn validate_tensors(
    config: &OptimizerConfig,
    tensors: &[TensorSettings],
    parameters: usize,
) -> Result<(), OptimError> {
    let mut free_from = 0;
    for (tensor, settings) in tensors.iter().enumerate() {
        not_negative("weight decay", settings.lambda)?;
        let (start, end) = (settings.offset, settings.offset.saturating_add(settings.len()));
        if start < free_from || end > parameters {
            return Err(OptimError::Misplaced { tensor, start, end, free_from, parameters });
        }
        free_from = end;
        let is_matrix = settings.matrix().is_some();
        if config.rule == DecayRule::Hyperball && settings.lambda > 0.0 && !is_matrix {
            return Err(OptimError::HeldNoMatrix { tensor, shape: settings.shape.clone() });
        }
        if matches!(config.direction, Direction::Muon { .. }) && !settings.auxiliary && !is_matrix {
            return Err(OptimError::NotAMatrix { tensor, shape: settings.shape.clone() });
        }
    }
    Ok(())
}
