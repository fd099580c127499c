//! From one optimizer's step to another's.
//!
//! # Symbols
//! | symbol | meaning |
//! |---|---|
//! | s_t = k c η_t^p | shrink of a decoupled rule: coefficient k, scale c, power p of the rate |

use super::Found;
use super::momentum::across;
use crate::library::{Convention, LibraryEntry, Optimizer, Variant};
use crate::{ConventionError, Setting};
use wd_decay::{DecayRule, ScheduleKind};

/// Converts between steps; the loss is the same on both sides.
pub(super) fn to_step(
    setting: &Setting,
    entry: &'static LibraryEntry,
    variant: &'static Variant,
) -> Result<Found, ConventionError> {
    let (
        Convention::Step { rule: from, cautious, .. },
        Convention::Step { rule: to, per_unit, cautious: to_cautious },
    ) = (setting.variant.convention, variant.convention)
    else {
        return Ok(Found::impossible("one of the two is no step"));
    };
    let optimizers = Optimizers::new(setting.entry, entry);
    let coefficient = setting.coefficient();
    if per_unit == 0.0 && coefficient != 0.0 {
        return Ok(Found::impossible(variant.equation));
    }
    let found = if coefficient == 0.0 {
        Found::exact(0.0, "there is no decay to convert")
    } else {
        match (from, to) {
            (DecayRule::CoupledL2, DecayRule::CoupledL2) => coupled(coefficient, optimizers),
            (DecayRule::CoupledL2, _) | (_, DecayRule::CoupledL2) => {
                across(setting, entry, coefficient, from, to)?
            }
            _ => decoupled(setting, coefficient, from, to)?,
        }
    };
    let mut found =
        Found { lambda: if per_unit == 0.0 { 0.0 } else { found.lambda / per_unit }, ..found };
    if found.fidelity == super::Fidelity::Impossible {
        return Ok(found);
    }
    if per_unit == 2.0 {
        found.reasons.push(
            "its penalty lacks the ½, so that its number is half of the coefficient".to_owned(),
        );
    }
    if cautious != to_cautious && coefficient != 0.0 {
        found = found.but(
            "only one of the two is cautious: a cautious decay leaves out every coordinate whose update and weight \
             differ in sign, about half of them while the signs are independent; λ is kept, as Chen et al. (2025, \
             arXiv 2510.12402) advise",
        );
    }
    match optimizers {
        Optimizers::Same => {}
        Optimizers::OtherEpsilon => {
            found = found.but(
                "ε is added before the bias correction on one side alone: at step t it counts as ε/√(1 − β₂ᵗ), so that the \
                 updates differ by a share of about ε/√v̂ · (1/√(1 − β₂ᵗ) − 1), which vanishes as t grows",
            );
        }
        Optimizers::OtherImplementation => {
            found = found.but(format!(
                "the shrinks are the same at every step, but {} is implemented differently in each library",
                entry.optimizer.name()
            ));
        }
        Optimizers::Other => {
            found = found.but(format!(
                "the optimizer is another one, {} for {}: at the same learning rate the decay is the same, the update \
                 beside it is not, nor is the equilibrium of the weights",
                entry.optimizer.name(),
                setting.entry.optimizer.name()
            ));
            if [entry.optimizer, setting.entry.optimizer] == [Optimizer::Lion, Optimizer::Adam] {
                found = found.but(
                    "Lion wants a learning rate 3 to 10 times smaller than AdamW's, and a λ 3 to 10 times larger than the \
                     one below, which is for the same learning rate (Chen et al. 2023, arXiv 2302.06675, section 5)",
                );
            }
        }
    }
    if setting.entry.scales_update_by_width() != entry.scales_update_by_width() {
        found = found.but(
            "exact for a width multiplier of 1 alone: with m, mup divides the update of the matrices by m and not their \
             decay, so that in shares of the update λ counts m times",
        );
    }
    Ok(found)
}

/// Whether both sides form the same update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Optimizers {
    Same,
    OtherEpsilon,
    OtherImplementation,
    Other,
}

impl Optimizers {
    fn new(from: &LibraryEntry, to: &LibraryEntry) -> Self {
        let library = |entry: &LibraryEntry| entry.name.split('.').next();
        match (from.optimizer, to.optimizer) {
            (Optimizer::Any, _) | (_, Optimizer::Any) => Optimizers::Same,
            (left, right) if left != right => Optimizers::Other,
            (Optimizer::Adam, _)
                if from.epsilon_before_correction != to.epsilon_before_correction =>
            {
                Optimizers::OtherEpsilon
            }
            // Their golden trajectories follow one formula in every library.
            (Optimizer::Sgd | Optimizer::Adam | Optimizer::Lion, _) => Optimizers::Same,
            _ if library(from) == library(to) => Optimizers::Same,
            _ => Optimizers::OtherImplementation,
        }
    }
}

/// Coupled to coupled: the same penalty.
fn coupled(coefficient: f64, optimizers: Optimizers) -> Found {
    match optimizers {
        Optimizers::Other => Found::approximate(
            coefficient,
            "both add λ‖θ‖²/2 to the loss, so that the objective is the same; the path to its minimum is not",
        ),
        _ => Found::exact(coefficient, "both add λθ to the gradient"),
    }
}

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
fn shape(rule: DecayRule, peak: Option<f64>) -> Result<(f64, u32), ConventionError> {
    let peak = || positive(peak, format!("the rule `{rule}` beside another"));
    Ok(match rule {
        DecayRule::CoupledL2 | DecayRule::Decoupled => (1.0, 1),
        DecayRule::Independent => (1.0 / peak()?, 1),
        DecayRule::Constant => (1.0, 0),
        DecayRule::Corrected => (1.0 / peak()?, 2),
        DecayRule::SquaredLearningRate => (1.0, 2),
        DecayRule::Hyperball => {
            return Err(ConventionError::InvalidSetting {
                key: "rule".to_owned(),
                given: rule.to_string(),
                reason: "it holds norms, and has no λ to convert".to_owned(),
            });
        }
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
    let (from_scale, from_power) = shape(from, peak)?;
    let (to_scale, to_power) = shape(to, peak)?;
    if from_power == to_power {
        let lambda = coefficient * from_scale / to_scale;
        let reason =
            format!("`{to}` has the same shrink as `{from}` at every step, under any schedule");
        return Ok(Found::exact(lambda, reason));
    }
    let peak = positive(peak, format!("`{from}` as `{to}`"))?;
    // λ' that gives the same shrink at the peak.
    let at_peak = coefficient * from_scale * peak.powi(from_power as i32)
        / (to_scale * peak.powi(to_power as i32));
    let Some(schedule) = setting.run.schedule else {
        return Ok(Found::approximate(
            at_peak,
            format!(
                "`{to}` follows the learning rate to the power {to_power}, `{from}` to the power {from_power}: equal at the \
                 peak and at a constant rate only; give schedule=… and steps=… for the λ with the same κ"
            ),
        ));
    };
    if schedule.kind == ScheduleKind::Constant && schedule.warmup == 0 {
        return Ok(Found::exact(
            at_peak,
            format!("the learning rate is constant, where `{to}` and `{from}` are the same"),
        ));
    }
    let total = |power: u32| match power {
        0 => schedule.steps as f64,
        1 => schedule.sum(),
        _ => schedule.sum_of_squares(),
    };
    let lambda = at_peak * total(from_power) / total(to_power);
    let difference = widest_difference(&schedule, from_power, to_power, lambda / at_peak);
    Ok(Found::approximate(
        lambda,
        format!(
            "κ, the total decay, is the same; its course is not, since `{to}` follows the learning rate to the power \
             {to_power} and `{from}` to the power {from_power}: the shrinks differ by up to {:.0} % of the peak shrink",
            100.0 * difference
        ),
    ))
}

/// max_t |f^p − r f^q| over the schedule's factors f.
fn widest_difference(
    schedule: &wd_decay::Schedule,
    from_power: u32,
    to_power: u32,
    ratio: f64,
) -> f64 {
    // Schedules are smooth: ten thousand moments, the peak among them, see the largest difference.
    const MOMENTS: u64 = 10_000;
    let stride = (schedule.steps / MOMENTS).max(1) as usize;
    (0..schedule.steps)
        .step_by(stride)
        .chain([schedule.warmup, schedule.steps.saturating_sub(1)])
        .map(|step| {
            let factor = schedule.factor(step);
            (factor.powi(from_power as i32) - ratio * factor.powi(to_power as i32)).abs()
        })
        .fold(0.0, f64::max)
}
