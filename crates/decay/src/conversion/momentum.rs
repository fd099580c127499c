//! SGD's penalty in the gradient, and the shrink beside the update that does the same.
//!
//! # Symbols
//! | symbol | meaning |
//! |---|---|
//! | μ, τ | momentum, dampening: b ← μb + (1 − τ)g |
//! | x | ηλ, the coupled penalty's push on w per step |

use super::Found;
use super::call::short;
use super::step::decoupled;
use crate::library::{KeyMeaning, LibraryEntry, Optimizer};
use crate::{DecayError, DecayRule, Setting, counted};

/// SGD's momentum, as far as decay is concerned: b ← μb + (1 − τ)g.
#[derive(Debug, Clone, Copy)]
pub struct Momentum {
    /// Momentum μ, below 1.
    pub momentum: f64,
    /// Dampening τ.
    pub dampening: f64,
    /// Does the step look ahead?
    pub nesterov: bool,
}

impl Momentum {
    /// That of a setting; none where it has none.
    pub(super) fn of(setting: &Setting) -> Self {
        let value = |meaning| setting.value(meaning).map_or(0.0, |given| given.value);
        Momentum {
            momentum: value(KeyMeaning::Momentum),
            dampening: value(KeyMeaning::Dampening),
            nesterov: value(KeyMeaning::Nesterov) != 0.0,
        }
    }

    /// How many times as strong a constant push arrives through the buffer: (1 − τ)/(1 − μ), and with
    /// Nesterov 1 + μ(1 − τ)/(1 − μ). Under coupled L2 a step takes ηλ times as much off the weights.
    pub fn gain(self) -> f64 {
        let passed_on = (1.0 - self.dampening) / (1.0 - self.momentum);
        match (self.momentum, self.nesterov) {
            (0.0, _) => 1.0,
            (_, false) => passed_on,
            (momentum, true) => 1.0 + momentum * passed_on,
        }
    }

    /// How far the rate at which w decays under x is from its first order x · gain, as a share.
    ///
    /// (w, b) ← M(w, b) is linear; its slow eigenvalue is 1 − rate. `None` when it is complex.
    fn rate_error(self, x: f64) -> Option<f64> {
        let (momentum, push) = (self.momentum, 1.0 - self.dampening);
        let (trace, determinant) = if self.nesterov {
            (1.0 - x - momentum * push * x + momentum, momentum * (1.0 - x))
        } else {
            (1.0 - push * x + momentum, momentum)
        };
        let discriminant = trace * trace - 4.0 * determinant;
        let first_order = x * self.gain();
        if discriminant < 0.0 || first_order == 0.0 {
            return None;
        }
        let rate = 1.0 - 0.5 * (trace + discriminant.sqrt());
        Some((rate - first_order).abs() / first_order)
    }
}

/// Between a penalty in the gradient and a shrink beside the update; the coupled side must be SGD.
pub(super) fn across(
    setting: &Setting,
    entry: &LibraryEntry,
    coefficient: f64,
    from: DecayRule,
    to: DecayRule,
) -> Result<Found, DecayError> {
    let to_coupled = to == DecayRule::CoupledL2;
    let (coupled, other_side) = if to_coupled {
        (entry.optimizer, setting.entry.optimizer)
    } else {
        (setting.entry.optimizer, entry.optimizer)
    };
    // A penalty on the loss goes through whichever optimizer there is: the other side's.
    let optimizer = match coupled {
        Optimizer::Any => other_side,
        own => own,
    };
    match optimizer {
        Optimizer::Sgd => {}
        other => {
            return Ok(Found::impossible(format!(
                "{} puts λθ into the gradient, and {} divides it by the size of each coordinate's gradients: every \
                 coordinate would need a λ of its own, changing from step to step",
                if to_coupled { "the target" } else { "the source" },
                other.name()
            )));
        }
    }
    let momentum = Momentum::of(setting);
    let other = if to_coupled { from } else { to };
    let gain = if to_coupled { 1.0 / momentum.gain() } else { momentum.gain() };
    // Plain SGD's coupled step is `decoupled`, from which the other rules follow.
    let mut found = if to_coupled {
        decoupled(setting, coefficient, other, DecayRule::Decoupled)?
    } else {
        decoupled(setting, coefficient, DecayRule::Decoupled, other)?
    };
    found.lambda *= gain;
    if other == DecayRule::Decoupled {
        // That `decoupled` is `decoupled` explains nothing here.
        found.reasons.clear();
    }
    if momentum.momentum == 0.0 {
        found.reasons.insert(
            0,
            "for SGD without momentum g + λθ and a shrink of η_tλ are the same step".to_owned(),
        );
        return Ok(found);
    }
    let coupled_lambda = if to_coupled { found.lambda } else { coefficient };
    let mut reason = format!(
        "momentum {} passes the penalty on {} times as strong and about {} late",
        short(momentum.momentum),
        short(momentum.gain()),
        counted(short(momentum.momentum / (1.0 - momentum.momentum)), "step")
    );
    if let Some(peak) = setting.run.peak_learning_rate {
        let error = momentum.rate_error(peak.value * coupled_lambda);
        reason.push_str(&match error {
            Some(error) => {
                format!("; at the peak the rates of decay differ by {:.2} %", 100.0 * error)
            }
            None => "; at the peak the coupled side oscillates instead of decaying".to_owned(),
        });
    }
    Ok(found.but(reason))
}
