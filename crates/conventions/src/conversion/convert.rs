//! From a setting to a target: which variant keeps most, and by which way.

use super::outcome::{Conversion, Fidelity, Found};
use super::target::Target;
use super::value::{Value, pasted};
use super::{call, loss_scale, objective, step};
use crate::library::{Convention, KeyMeaning, Variant};
use crate::setting::no_variant;
use crate::{ConventionError, Setting};
use wd_decay::{DecayRule, PeakLearningRate};

/// Carries `setting` over to `target`.
///
/// Where the target's switches are free, the variant that keeps most is taken, the default one
/// first.
///
/// # Errors
/// [`ConventionError::Missing`] when the answer needs a number that the setting lacks, such as the
/// number of data points.
///
/// # Example
/// ```
/// use wd_conventions::{Fidelity, Setting, convert};
///
/// let setting = Setting::read(&["torch.AdamW", "weight_decay=0.1", "lr=1e-3"])?;
/// let conversion = convert(&setting, &"big_vision.adam".parse()?)?;
/// assert_eq!(conversion.fidelity, Fidelity::Exact);
/// assert!((conversion.lambda().unwrap() - 1e-4).abs() < 1e-16);
/// # Ok::<(), wd_conventions::ConventionError>(())
/// ```
pub fn convert(setting: &Setting, target: &Target) -> Result<Conversion, ConventionError> {
    let mut best: Option<Conversion> = None;
    let mut missing = None;
    for variant in target.variants() {
        match to_variant(setting, target, variant) {
            Ok(conversion) => {
                if best.as_ref().is_none_or(|best| conversion.fidelity < best.fidelity) {
                    best = Some(conversion);
                }
            }
            Err(error) => missing = Some(error),
        }
    }
    match (best, missing) {
        (Some(best), None) => Ok(best),
        (Some(best), Some(_)) if best.fidelity == Fidelity::Exact => Ok(best),
        (_, Some(error)) => Err(error),
        (None, None) => Err(no_variant(target.entry, &target.switches)),
    }
}

fn to_variant(
    setting: &Setting,
    target: &Target,
    variant: &'static Variant,
) -> Result<Conversion, ConventionError> {
    let from = setting.variant.convention;
    let to = variant.convention;
    // The loss of an estimator is its own; a step's loss is whatever the user coded.
    let (setting, rescaled) = match (from, to) {
        (Convention::Step { .. }, Convention::Step { .. }) => loss_scale::rescale(setting, target)?,
        _ => (setting.clone(), None),
    };
    let mut found = match (from, to) {
        (Convention::Step { .. }, Convention::Step { .. }) => {
            let found = step::to_step(&setting, target.entry, variant)?;
            at_another_rate(&setting, target, variant, found)?
        }
        (Convention::Step { .. }, Convention::Penalty { penalty, likelihood }) => {
            objective::from_step(&setting, target, penalty, likelihood)?
        }
        (Convention::Penalty { penalty, likelihood }, Convention::Step { .. }) => {
            objective::to_step(&setting, target, penalty, likelihood, variant)?
        }
        (
            Convention::Penalty { penalty, likelihood },
            Convention::Penalty { penalty: to_penalty, likelihood: to_likelihood },
        ) => objective::to_objective(
            &setting,
            target.entry,
            (penalty, likelihood),
            (to_penalty, to_likelihood),
        )?,
    };
    if let Some(reason) = rescaled {
        found.reasons.push(reason);
    }
    let conversion = call::written(&setting, target, variant, found);
    refuse_out_of_range(&setting, &conversion)?;
    Ok(conversion)
}

/// The same where the target has a learning rate of its own: a decoupled λ is chosen so that a step
/// at the peak shrinks the weights as much, and a penalty stays the penalty that it is.
fn at_another_rate(
    setting: &Setting,
    target: &Target,
    variant: &Variant,
    found: Found,
) -> Result<Found, ConventionError> {
    if found.fidelity == Fidelity::Impossible || found.lambda == 0.0 {
        return Ok(found);
    }
    let Some(rate) = target.learning_rate else {
        return Ok(at_the_same_rate(setting, target, found));
    };
    let Some(own) = setting.run.peak_learning_rate.map(|own| own.value).filter(|&own| own > 0.0)
    else {
        return Err(ConventionError::Missing {
            needed_for: format!("a λ for a learning rate of {}", pasted(rate)),
            missing: "lr=…, the peak of the source's learning rate".to_owned(),
        });
    };
    if own == rate {
        return Ok(found);
    }
    let rates = format!("the learning rate is {} there and {} here", pasted(rate), pasted(own));
    let (Some(from), Some(to)) = (setting.rule(), variant.convention.rule()) else {
        return Ok(found);
    };
    if from == DecayRule::CoupledL2 && to == DecayRule::CoupledL2 {
        return Ok(found.but(format!(
            "{rates}: a penalty on the loss is the same at any rate, and is reached at another pace"
        )));
    }
    let at_peak = |rate: f64| match to {
        DecayRule::CoupledL2 => rate,
        rule => rule
            .power_of_rate(PeakLearningRate(rate))
            .map_or(1.0, |(scale, power)| scale * rate.powi(power)),
    };
    let factor = at_peak(own) / at_peak(rate);
    let lambda = factor * found.lambda;
    let why = match factor == 1.0 {
        true => "the shrink of a step does not depend on it".to_owned(),
        false => {
            format!("λ is {} × what it is at the same rate, so that ηλ is equal", pasted(factor))
        }
    };
    // Rates of two optimizers are no measure of each other's updates.
    let beside = match setting.entry.optimizer == target.entry.optimizer {
        true => format!("; the updates beside the decay are {} × as large", pasted(rate / own)),
        false => String::new(),
    };
    Ok(Found { lambda, ..found }.but(format!("{rates}: {why}{beside}")))
}

/// Another optimizer wants another rate: how to say it.
fn at_the_same_rate(setting: &Setting, target: &Target, mut found: Found) -> Found {
    let is_another = match (setting.entry.optimizer, target.entry.optimizer) {
        (Some(from), Some(to)) => from != to,
        _ => false,
    };
    if is_another && let Some(rate) = target.entry.key(KeyMeaning::LearningRate) {
        found.reasons.push(format!(
            "this is for the same learning rate; the rate there goes behind the target, --to \"{} \
             {}=…\"",
            target.entry.name, rate.name
        ));
    }
    found
}

/// Refuses numbers that a double does not hold: a product has overflowed, or a λ has vanished.
///
/// No decay is an infinite `C` or standard deviation, which libraries take.
fn refuse_out_of_range(setting: &Setting, conversion: &Conversion) -> Result<(), ConventionError> {
    let own = conversion.entry.lambda_name();
    let decays = setting.coefficient() != 0.0;
    for (name, value) in &conversion.keys {
        let Value::Number(number) = value else {
            continue;
        };
        let is_lambda = *name == own;
        let in_range = match (is_lambda, decays) {
            (true, true) => number.is_finite() && *number != 0.0,
            (true, false) => !number.is_nan(),
            (false, _) => number.is_finite(),
        };
        if !in_range {
            return Err(ConventionError::InvalidSetting {
                key: setting.entry.lambda_name().to_owned(),
                given: pasted(setting.lambda.value),
                reason: format!(
                    "with the other numbers given, {name} of {} would be {number}, which is no \
                     number to use: is one of them out of its usual range, or in another unit?",
                    conversion.entry.name
                ),
            });
        }
    }
    Ok(())
}
