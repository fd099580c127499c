//! To and from objectives: estimators of linear models, priors, and coupled penalties.
//!
//! # Symbols
//! | symbol | meaning |
//! |---|---|
//! | Σ_i ℓ_i + (P/2)‖w‖² + L‖w‖₁ | the common form: ℓ = ½(y − f)², or a negative log likelihood |
//! | c | scale of a coded loss: E[loss] = c Σ_i ℓ_i |
//! | k | coefficient of a coupled penalty, loss + (k/2)‖w‖²: P = k/c |

use super::loss_scale;
use super::outcome::Found;
use super::target::Target;
use super::value::pasted;
use crate::library::{Convention, KeyMeaning, LibraryEntry, Likelihood, Penalty, Variant};
use crate::{ConventionError, Setting};
use wd_decay::{DecayRule, Loss, OptimizerKind, Reduction, ScheduleKind};

/// From one objective to another: exact, since both are minimised outright.
pub(super) fn to_objective(
    setting: &Setting,
    entry: &LibraryEntry,
    (from, from_likelihood): (Penalty, Likelihood),
    (to, to_likelihood): (Penalty, Likelihood),
) -> Result<Found, ConventionError> {
    let likelihood = match joined(from_likelihood, to_likelihood) {
        Some(likelihood) => likelihood,
        None => return Ok(another_loss()),
    };
    let l1_ratio = setting.value(KeyMeaning::L1Ratio).map_or(0.0, |ratio| ratio.value);
    let strengths = from.strengths(setting.lambda.value, l1_ratio, likelihood, &setting.run)?;
    written(
        strengths,
        entry,
        to,
        likelihood,
        setting,
        "the objectives are the same up to a factor, hence so is the minimum",
    )
}

/// From an optimizer's step to the objective that it descends, where it has one.
pub(super) fn from_step(
    setting: &Setting,
    target: &Target,
    to: Penalty,
    to_likelihood: Likelihood,
) -> Result<Found, ConventionError> {
    let coefficient = match coupled_coefficient(setting)? {
        Ok(coefficient) => coefficient,
        Err(impossible) => return Ok(impossible),
    };
    let loss = step_loss(setting.run.loss.or(target.loss), to_likelihood)?;
    if !same_kind(loss, to_likelihood) {
        return Ok(another_loss());
    }
    let reduction = setting.run.reduction.unwrap_or(Reduction::Mean);
    let quadratic = coefficient / loss_scale::of(reduction, loss, &setting.run)?;
    let likelihood = if loss == Loss::NegativeLogLikelihood {
        Likelihood::Logistic
    } else {
        Likelihood::Squared
    };
    let reason = format!(
        "the minimum is the same, where training converges: λ‖w‖²/2 beside a {} of {} is P = {} \
         beside Σ_i ℓ_i",
        reduction.name(),
        loss.name(),
        pasted(quadratic)
    );
    written((quadratic, 0.0), target.entry, to, likelihood, setting, &reason)
}

/// From an objective to the coupled penalty (or plain SGD's decay) that has the same minimum.
pub(super) fn to_step(
    setting: &Setting,
    target: &Target,
    from: Penalty,
    from_likelihood: Likelihood,
    variant: &'static Variant,
) -> Result<Found, ConventionError> {
    let Convention::Step { rule, per_unit, .. } = variant.convention else {
        return Ok(Found::impossible("the target is no step"));
    };
    if per_unit == 0.0 {
        return Ok(Found::impossible(&variant.equation));
    }
    let plain = target.entry.optimizer == Some(OptimizerKind::Sgd) && rule == DecayRule::Decoupled;
    if rule != DecayRule::CoupledL2 && !plain {
        return Ok(no_objective(target.entry));
    }
    let loss = step_loss(target.loss.or(setting.run.loss), from_likelihood)?;
    if !same_kind(loss, from_likelihood) {
        return Ok(another_loss());
    }
    let likelihood = if loss == Loss::NegativeLogLikelihood {
        Likelihood::Logistic
    } else {
        Likelihood::Squared
    };
    let l1_ratio = setting.value(KeyMeaning::L1Ratio).map_or(0.0, |ratio| ratio.value);
    let (quadratic, absolute) =
        from.strengths(setting.lambda.value, l1_ratio, likelihood, &setting.run)?;
    if absolute != 0.0 {
        return Ok(has_l1(target.entry));
    }
    let reduction = target.reduction.or(setting.run.reduction).unwrap_or(Reduction::Mean);
    let lambda = quadratic * loss_scale::of(reduction, loss, &setting.run)? / per_unit;
    Ok(Found::exact(
        lambda,
        format!(
            "the minimum is the same, where training converges: P = {} beside Σ_i ℓ_i is λ‖w‖²/2 \
             beside a {} of {}",
            pasted(quadratic),
            reduction.name(),
            loss.name()
        ),
    ))
}

/// k of the penalty (k/2)‖w‖² whose minimum the step finds, or why there is none.
fn coupled_coefficient(setting: &Setting) -> Result<Result<f64, Found>, ConventionError> {
    let Some(rule) = setting.rule() else {
        return Ok(Err(Found::impossible("the source is no step")));
    };
    let coefficient = setting.coefficient();
    if rule == DecayRule::CoupledL2 {
        return Ok(Ok(coefficient));
    }
    if setting.entry.optimizer != Some(OptimizerKind::Sgd) {
        return Ok(Err(no_objective(setting.entry)));
    }
    let rate = || {
        setting.run.peak_learning_rate.map(|rate| rate.value).ok_or_else(|| {
            ConventionError::Missing {
                needed_for: format!("the objective of the rule `{rule}`"),
                missing: "lr=…, the peak of the learning rate".to_owned(),
            }
        })
    };
    let constant =
        setting.run.schedule.is_some_and(|schedule| schedule.kind == ScheduleKind::Constant);
    let decoupled = match rule {
        DecayRule::Decoupled => coefficient,
        DecayRule::Independent => coefficient / rate()?,
        DecayRule::Corrected if constant => coefficient,
        DecayRule::Constant if constant => coefficient / rate()?,
        DecayRule::SquaredLearningRate if constant => coefficient * rate()?,
        _ => {
            return Ok(Err(Found::impossible(format!(
                "under `{rule}` the balance of decay and gradient moves with the learning rate: \
                 only a constant rate (schedule=constant steps=…) has one objective"
            ))));
        }
    };
    // At rest the buffer passes the gradient on that much stronger, and the decay beside it once.
    Ok(Ok(decoupled / setting.momenta().gain()))
}

fn written(
    strengths: (f64, f64),
    entry: &LibraryEntry,
    to: Penalty,
    likelihood: Likelihood,
    setting: &Setting,
    reason: &str,
) -> Result<Found, ConventionError> {
    let has_l1_key = entry.key(KeyMeaning::L1Ratio).is_some();
    match to.value_of(strengths, likelihood, has_l1_key, &setting.run)? {
        Some((value, ratio)) => Ok(Found { l1_ratio: Some(ratio), ..Found::exact(value, reason) }),
        None if to == Penalty::SummedL1 => {
            Ok(Found::impossible(format!("{} has an L1 penalty only", entry.name)))
        }
        None => Ok(has_l1(entry)),
    }
}

/// The loss of a step whose counterpart has `likelihood`.
fn step_loss(stated: Option<Loss>, likelihood: Likelihood) -> Result<Loss, ConventionError> {
    match (stated, likelihood) {
        (Some(loss), _) => Ok(loss),
        (None, Likelihood::Logistic | Likelihood::Poisson) => Ok(Loss::NegativeLogLikelihood),
        (None, _) => Err(ConventionError::Missing {
            needed_for: "the loss beside the penalty".to_owned(),
            missing: "loss=mse (torch.nn.MSELoss, without ½), loss=half-mse, or loss=nll"
                .to_owned(),
        }),
    }
}

fn same_kind(loss: Loss, likelihood: Likelihood) -> bool {
    match likelihood {
        Likelihood::Any => true,
        Likelihood::Logistic | Likelihood::Poisson => loss == Loss::NegativeLogLikelihood,
        Likelihood::Squared => loss != Loss::NegativeLogLikelihood,
    }
}

fn joined(left: Likelihood, right: Likelihood) -> Option<Likelihood> {
    match (left, right) {
        (Likelihood::Any, other) | (other, Likelihood::Any) => Some(other),
        (left, right) => (left == right).then_some(left),
    }
}

fn another_loss() -> Found {
    Found::impossible(
        "the losses are of different kinds, such as a squared error and a logistic likelihood",
    )
}

fn has_l1(entry: &LibraryEntry) -> Found {
    Found::impossible(format!("there is an L1 part, and {} has none", entry.name))
}

fn no_objective(entry: &LibraryEntry) -> Found {
    Found::impossible(format!(
        "decay beside {}'s update is no penalty on a loss, hence no Gaussian prior: at rest it \
         balances the gradient divided by its size, coordinate by coordinate",
        entry.optimizer_title()
    ))
}
