//! The same data, with a loss that is coded otherwise: mean or sum, with or without ½.

use super::target::Target;
use super::value::pasted;
use crate::library::KeyMeaning;
use crate::{ConventionError, Setting};
use wd_decay::{DecayRule, Loss, OptimizerKind, Reduction, Run};

/// How many times Σ_i ℓ_i over the data one step's expected loss is: c in E[loss] = c Σ_i ℓ_i, with
/// ℓ = ½(y − f)² summed over the outputs, or a negative log likelihood.
///
/// With N data points, B of them a step and D outputs:
///
/// | loss | mean | sum |
/// |---|---|---|
/// | `nll` | 1/N | B/N |
/// | `half-mse` | 1/(ND) | B/N |
/// | `mse`, without ½ | 2/(ND) | 2B/N |
///
/// Without a batch the sum is taken to be over all N.
///
/// # Errors
/// When N, or D for a mean squared error, is needed and absent.
pub(crate) fn of(reduction: Reduction, loss: Loss, run: &Run) -> Result<f64, ConventionError> {
    let missing = |what: &str| ConventionError::Missing {
        needed_for: format!("the scale of a {} loss", reduction.name()),
        missing: what.to_owned(),
    };
    let share = match (reduction, run.batch, run.data_points) {
        (Reduction::Mean, _, Some(data)) => 1.0 / data,
        (Reduction::Mean, _, None) => return Err(missing("data=N, the number of data points")),
        (Reduction::Sum, None, _) => 1.0,
        (Reduction::Sum, Some(batch), Some(data)) => batch / data,
        (Reduction::Sum, Some(_), None) => {
            return Err(missing("data=N, the number of data points"));
        }
    };
    let outputs = match (reduction, loss) {
        (Reduction::Mean, Loss::SquaredError | Loss::HalfSquaredError) => {
            run.outputs.unwrap_or(1) as f64
        }
        _ => 1.0,
    };
    let half = if loss == Loss::SquaredError { 2.0 } else { 1.0 };
    Ok(share * half / outputs)
}

/// The setting with its loss coded as the target's, and what that did to its numbers.
///
/// A loss c times as large takes the same steps when SGD's learning rate is divided by c; Adam,
/// Lion and Muon do not see the scale but for Adam's ε. A coupled λ grows by c with the loss, and
/// so does a decoupled one where the learning rate has shrunk.
///
/// # Errors
/// When the two losses are of different kinds, or the batch that relates a mean to a sum is absent.
pub(super) fn rescale(
    setting: &Setting,
    target: &Target,
) -> Result<(Setting, Option<String>), ConventionError> {
    let from = (
        setting.run.reduction.unwrap_or(Reduction::Mean),
        setting.run.loss.unwrap_or(Loss::NegativeLogLikelihood),
    );
    let to = (target.reduction.unwrap_or(from.0), target.loss.unwrap_or(from.1));
    if from == to {
        return Ok((setting.clone(), None));
    }
    if (from.1 == Loss::NegativeLogLikelihood) != (to.1 == Loss::NegativeLogLikelihood) {
        return Err(ConventionError::InvalidSetting {
            key: "loss".to_owned(),
            given: to.1.name().to_owned(),
            reason: format!(
                "the setting's loss is {}: they measure different things",
                from.1.name()
            ),
        });
    }
    // The ratio of two losses on one batch: N drops out, so that any N will do, but B must be
    // there.
    let mut run = setting.run.clone();
    run.data_points = run.data_points.or(run.batch);
    if from.0 != to.0 && run.batch.is_none() {
        return Err(ConventionError::Missing {
            needed_for: "mean against sum".to_owned(),
            missing: "batch=…, the data points that a step's loss joins".to_owned(),
        });
    }
    run.data_points = run.data_points.or(Some(1.0));
    let scale = of(to.0, to.1, &run)? / of(from.0, from.1, &run)?;
    let Some(rule) = setting.rule() else {
        return Ok((setting.clone(), None));
    };
    let mut scaled = setting.clone();
    scaled.run.reduction = Some(to.0);
    scaled.run.loss = Some(to.1);
    let mut words = format!(
        "the loss is {scale} times as large ({} {} for {} {})",
        to.0.name(),
        to.1.name(),
        from.0.name(),
        from.1.name()
    );
    let is_sgd = setting.entry.optimizer == Some(OptimizerKind::Sgd);
    match is_sgd {
        true => {
            if let Some(rate) = &mut scaled.run.peak_learning_rate {
                rate.value /= scale;
                words.push_str(&format!(
                    ": the learning rate is {} for {}",
                    pasted(rate.value),
                    pasted(rate.value * scale)
                ));
            }
        }
        false => {
            if let Some(epsilon) = scaled.values.get_mut(&KeyMeaning::Epsilon) {
                epsilon.value *= scale;
                words.push_str(": ε grows with it");
            }
        }
    }
    scaled.lambda.value *= match (rule, is_sgd) {
        (DecayRule::CoupledL2, _) | (DecayRule::Decoupled | DecayRule::Corrected, true) => scale,
        (DecayRule::SquaredLearningRate, true) => scale * scale,
        _ => 1.0,
    };
    Ok((scaled, Some(words)))
}
