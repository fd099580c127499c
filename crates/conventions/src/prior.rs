//! The Gaussian prior that a penalty is, with the reduction, the ½ and N spelled out.

use serde::Serialize;

use crate::conversion::loss_scale;
use crate::library::{Convention, Likelihood, Penalty};
use crate::{ConventionError, DeclaredDecay};
use wd_decay::{Anchor, DecayRule, Loss, OptimizerKind, Reduction, Schedule, ScheduleKind};

/// A Gaussian prior N(0, σ²) on each weight: what λ says about the weights before any data.
///
/// The negative log posterior of N independent data points is Σ_i ℓ_i + (α/2)‖w‖² + const, with
/// ℓ_i the negative log likelihood of one of them and α = 1/σ². So λ = α only where the loss is the
/// *sum* over all data points and the penalty has its ½:
///
/// | loss as coded, with (λ/2)‖w‖² | α |
/// |---|---|
/// | mean of ℓ over the batch | λN |
/// | sum of ℓ over a batch of B points | λN/B, which is λ for the whole data at once |
/// | mean of (y − f)² over the batch and D outputs | ½ λND/σ_noise² |
/// | mean of ½(y − f)² over the batch and D outputs | λND/σ_noise² |
///
/// A penalty λ‖w‖² without ½ is twice as strong. Source: Bishop 2006, section 3.3.
///
/// # Symbols
/// | symbol | meaning |
/// |---|---|
/// | α | precision of the prior, 1/σ² |
/// | N, B, D | data points, data points in a batch, outputs of a regression |
///
/// # Example
/// ```
/// use wd_conventions::{DeclaredDecay, Prior, Setting};
/// use wd_decay::Reduction;
///
/// // λ = 1e-4 on a mean loss over 50,000 images.
/// let prior = Prior::of_penalty(1e-4, Reduction::Mean, 50_000.0);
/// assert!((prior.precision() - 5.0).abs() < 1e-12);
/// assert!((prior.lambda(Reduction::Mean, 50_000.0) - 1e-4).abs() < 1e-16);
///
/// // AdamW's λ is none.
/// let adamw = Setting::read(&["torch.AdamW", "weight_decay=0.1", "lr=1e-3", "data=50000"])?;
/// assert!(Prior::of(&DeclaredDecay::from(&adamw)).is_err());
/// # Ok::<(), wd_conventions::ConventionError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Prior {
    /// σ, in units of [`Prior::unit`].
    pub standard_deviation: f64,
    /// What σ is measured in.
    pub unit: PriorUnit,
}

/// What a prior's σ is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriorUnit {
    /// The weights' own unit.
    Weights,
    /// The standard deviation of a regression's noise, which was not given.
    NoiseStandardDeviation,
}

impl Prior {
    /// The prior with precision α = 1/σ².
    pub fn of_precision(precision: f64) -> Self {
        Prior { standard_deviation: precision.sqrt().recip(), unit: PriorUnit::Weights }
    }

    /// The prior that (λ/2)‖w‖² is beside the mean or the sum of `data_points` negative log
    /// likelihoods.
    pub fn of_penalty(lambda: f64, reduction: Reduction, data_points: f64) -> Self {
        Prior::of_precision(match reduction {
            Reduction::Mean => lambda * data_points,
            Reduction::Sum => lambda,
        })
    }

    /// α = 1/σ².
    pub fn precision(&self) -> f64 {
        self.standard_deviation.powi(-2)
    }

    /// λ of the penalty (λ/2)‖w‖² that is this prior: the inverse of [`Prior::of_penalty`].
    pub fn lambda(&self, reduction: Reduction, data_points: f64) -> f64 {
        match reduction {
            Reduction::Mean => self.precision() / data_points,
            Reduction::Sum => self.precision(),
        }
    }

    /// The prior that a declared decay is.
    ///
    /// A network's loss is taken to be a mean of negative log likelihoods where the run does not
    /// say otherwise.
    ///
    /// # Errors
    /// [`ConventionError::NotAPrior`] for a rule whose points of rest are those of no penalised
    /// loss; [`ConventionError::Missing`] where N was not given.
    pub fn of(decay: &DeclaredDecay) -> Result<Self, ConventionError> {
        let run = &decay.run;
        // P of the common form Σ_i ℓ_i + (P/2)‖w‖², in which a regression has ℓ = ½(y − f)².
        let (strength, is_regression) = match decay.convention {
            Convention::Penalty { penalty, likelihood } => {
                let value = decay.lambda.value;
                match penalty {
                    Penalty::PriorPrecision => return Ok(Prior::of_precision(value)),
                    Penalty::PriorStd => return Ok(Prior::of_precision(value.powi(-2))),
                    _ => {}
                }
                let (strength, absolute) =
                    penalty.strengths(value, decay.l1_ratio, likelihood, run)?;
                if absolute != 0.0 {
                    return refuse(
                        decay,
                        "its penalty has an L1 part, and the prior of that is a Laplace \
                         distribution",
                    );
                }
                (strength, likelihood == Likelihood::Squared)
            }
            Convention::Step { .. } => {
                let lambda = penalty_coefficient(decay)?;
                let loss = run.loss.unwrap_or(Loss::NegativeLogLikelihood);
                let reduction = run.reduction.unwrap_or(Reduction::Mean);
                let scale = loss_scale::of(reduction, loss, run)?;
                (lambda / scale, loss != Loss::NegativeLogLikelihood)
            }
        };
        if strength == 0.0 {
            return refuse(decay, "λ = 0 is a flat prior: every weight is as likely as any other");
        }
        Ok(match (is_regression, run.noise_std) {
            (false, _) => Prior::of_precision(strength),
            // ½Σ(y − f)² is the negative log likelihood times σ_noise².
            (true, Some(noise)) => Prior::of_precision(strength / (noise * noise)),
            (true, None) => {
                Prior { unit: PriorUnit::NoiseStandardDeviation, ..Prior::of_precision(strength) }
            }
        })
    }
}

fn refuse<T>(decay: &DeclaredDecay, reason: &str) -> Result<T, ConventionError> {
    Err(ConventionError::NotAPrior { name: decay.name.clone(), reason: reason.to_owned() })
}

/// The λ of g ← g + λw whose stationary points are those of these steps.
fn penalty_coefficient(decay: &DeclaredDecay) -> Result<f64, ConventionError> {
    let refuse = |reason| refuse(decay, reason);
    let Some(rule) = decay.rule() else {
        return refuse("it takes no steps");
    };
    let steady = |schedule: Option<Schedule>| {
        schedule.is_some_and(|schedule| schedule.kind == ScheduleKind::Constant)
    };
    if rule == DecayRule::Hyperball {
        return refuse("it holds norms: there is no decay that a prior could stand for");
    }
    if matches!(decay.anchor, Anchor::Norm(_)) {
        return refuse("the weights are drawn to a sphere, and a Gaussian has its mean at a point");
    }
    if decay.cautious() {
        return refuse("it decays only where the update agrees, which is no gradient of a penalty");
    }
    if decay.run.lambda_schedule.is_some() && !steady(decay.run.lambda_schedule) {
        return refuse("λ follows a schedule of its own, so that the point of rest moves with it");
    }
    match (rule, decay.optimizer) {
        (_, Some(OptimizerKind::Lion)) => refuse(
            "Lion moves by the sign of a gradient: where it rests, signs balance, not gradients",
        ),
        (_, Some(OptimizerKind::Muon)) => refuse(
            "Muon keeps the singular vectors of a gradient and drops its size: where it rests, \
             no gradient balances λw",
        ),
        (DecayRule::CoupledL2, _) => Ok(decay.coefficient()),
        (DecayRule::Decoupled, Some(OptimizerKind::Sgd)) => {
            Ok(decay.coefficient() / decay.momenta.gain())
        }
        (_, Some(OptimizerKind::Sgd)) => {
            // g · gain + (s_t/η_t) w = 0 is one point only where s_t/η_t stays the same.
            if rule != DecayRule::Independent && !steady(decay.run.schedule) {
                return refuse(
                    "decay and gradient follow different schedules, so that the point where they \
                     balance moves with the learning rate",
                );
            }
            match (decay.peak_learning_rate(), decay.peak_shrink()) {
                (Some(rate), Some(shrink)) => Ok(shrink / rate / decay.momenta.gain()),
                _ => Err(ConventionError::Missing {
                    needed_for: format!("the prior of {}", decay.name),
                    missing: "lr=…, the peak of the learning rate".to_owned(),
                }),
            }
        }
        _ => refuse(
            "the gradient is divided by √v and the decay is not: where it rests, g_i/√v_i + λw_i = \
             0, which no penalty on the loss gives",
        ),
    }
}
