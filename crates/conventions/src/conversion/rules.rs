//! From one rule of decoupled decay to another.
//!
//! # Symbols
//! | symbol | meaning |
//! |---|---|
//! | s_t = k c η_t^p | shrink of a decoupled rule: coefficient k, scale c, power p of the rate |

use super::outcome::Found;
use crate::{ConventionError, Setting};
use wd_decay::{DecayRule, PeakLearningRate, Schedule, ScheduleKind};

/// The peak of the learning rate, by which two rules are compared.
fn positive(peak: Option<f64>, needed_for: String) -> Result<f64, ConventionError> {
    match peak {
        Some(peak) if peak > 0.0 => Ok(peak),
        Some(peak) => Err(ConventionError::InvalidSetting {
            key: "lr".to_owned(),
            given: peak.to_string(),
            reason: format!("{needed_for} needs a learning rate above 0: give its peak"),
        }),
        None => Err(ConventionError::Missing {
            needed_for,
            missing: "lr=…, the peak of the learning rate".to_owned(),
        }),
    }
}

/// (c, p) of a decoupled rule's shrink k c η_t^p, for the peak η_max.
fn power_of_rate(rule: DecayRule, peak: Option<f64>) -> Result<(f64, i32), ConventionError> {
    let peak = match rule {
        DecayRule::Independent | DecayRule::Corrected => {
            positive(peak, format!("the rule `{rule}` beside another"))?
        }
        // Plain SGD's coupled step is that of `decoupled`.
        DecayRule::CoupledL2 => return Ok((1.0, 1)),
        _ => peak.unwrap_or(1.0),
    };
    rule.power_of_rate(PeakLearningRate(peak)).ok_or_else(|| ConventionError::InvalidSetting {
        key: "rule".to_owned(),
        given: rule.to_string(),
        reason: "it holds norms, and has no λ to convert".to_owned(),
    })
}

/// Decoupled to decoupled: exact where both shrinks follow the same power of the learning rate.
pub(super) fn decoupled(
    setting: &Setting,
    coefficient: f64,
    from: DecayRule,
    to: DecayRule,
) -> Result<Found, ConventionError> {
    if from == to {
        return Ok(Found::exact(coefficient, format!("both decay by the rule `{from}`")));
    }
    let peak = setting.run.peak_learning_rate.map(|rate| rate.value);
    let (from_scale, from_power) = power_of_rate(from, peak)?;
    let (to_scale, to_power) = power_of_rate(to, peak)?;
    if from_power == to_power {
        let lambda = coefficient * from_scale / to_scale;
        let reason =
            format!("`{to}` has the same shrink as `{from}` at every step, under any schedule");
        return Ok(Found::exact(lambda, reason));
    }
    let peak = positive(peak, format!("`{from}` as `{to}`"))?;
    // λ' that gives the same shrink at the peak.
    let at_peak =
        coefficient * from_scale * peak.powi(from_power) / (to_scale * peak.powi(to_power));
    let Some(schedule) = setting.run.schedule else {
        return Ok(Found::approximate(
            at_peak,
            format!(
                "`{to}` follows the learning rate to the power {to_power}, `{from}` to the power \
                 {from_power}: equal at the peak and at a constant rate only; give schedule=… and \
                 steps=… for the λ with the same κ"
            ),
        ));
    };
    if schedule.kind == ScheduleKind::Constant && schedule.warmup == 0 {
        return Ok(Found::exact(
            at_peak,
            format!("the learning rate is constant, where `{to}` and `{from}` are the same"),
        ));
    }
    let total = |power: i32| match (setting.run.lambda_schedule, power) {
        (Some(lambda), power) => (0..schedule.steps)
            .map(|step| schedule.factor(step).powi(power) * lambda.factor(step))
            .sum(),
        (None, 0) => schedule.steps as f64,
        (None, 1) => schedule.sum(),
        (None, _) => schedule.sum_of_squares(),
    };
    let lambda = at_peak * total(from_power) / total(to_power);
    let difference = widest_difference(&schedule, from_power, to_power, lambda / at_peak);
    Ok(Found::approximate(
        lambda,
        format!(
            "κ, the total decay, is the same; its trajectory is not, since `{to}` follows the \
             learning rate to the power {to_power} and `{from}` to the power {from_power}: the \
             shrinks differ by up to {:.0} % of the peak shrink",
            100.0 * difference
        ),
    ))
}

/// max_t |f^p − r f^q| over the schedule's factors f.
fn widest_difference(schedule: &Schedule, from_power: i32, to_power: i32, ratio: f64) -> f64 {
    // Schedules are smooth: ten thousand moments, the peak among them, see the largest difference.
    const MOMENTS: u64 = 10_000;
    let stride = (schedule.steps / MOMENTS).max(1) as usize;
    (0..schedule.steps)
        .step_by(stride)
        .chain([schedule.warmup, schedule.steps.saturating_sub(1)])
        .map(|step| {
            let factor = schedule.factor(step);
            (factor.powi(from_power) - ratio * factor.powi(to_power)).abs()
        })
        .fold(0.0, f64::max)
}
