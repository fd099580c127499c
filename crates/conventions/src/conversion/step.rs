//! From one optimizer's step to another's.

use super::momentum::across;
use super::outcome::{Fidelity, Found};
use super::rules::decoupled;
use crate::library::{Convention, LibraryEntry, Variant};
use crate::{ConventionError, Setting};
use wd_decay::{DecayRule, OptimizerKind};

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
        return Ok(Found::impossible(&variant.equation));
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
    if found.fidelity == Fidelity::Impossible {
        return Ok(found);
    }
    if per_unit == 2.0 {
        found.reasons.push(
            "its penalty lacks the ½, so that its number is half of the coefficient".to_owned(),
        );
    }
    if cautious != to_cautious && coefficient != 0.0 {
        found = found.but(
            "only one of the two is cautious: a cautious decay leaves out every coordinate whose \
             update and weight differ in sign, about half of them while the signs are independent; \
             λ is kept, as Chen et al. (2025, arXiv 2510.12402) advise",
        );
    }
    match optimizers {
        Optimizers::Same => {}
        Optimizers::OtherEpsilon => {
            found = found.but(
                "ε is added before the bias correction on one side alone: at step t it counts as \
                 ε/√(1 − β₂ᵗ), so that the updates differ by a share of about ε/√v̂ · (1/√(1 − \
                 β₂ᵗ) − 1), which vanishes as t grows",
            );
        }
        Optimizers::OtherImplementation => {
            found = found.but(format!(
                "the shrinks are the same at every step, but {} is implemented differently in each \
                 library",
                entry.optimizer_title()
            ));
        }
        Optimizers::Other => {
            found = found.but(format!(
                "the optimizer is another one, {} for {}: at the same learning rate the decay is \
                 the same, the update beside it is not, nor is the equilibrium of the weights",
                entry.optimizer_title(),
                setting.entry.optimizer_title()
            ));
            if [entry.optimizer, setting.entry.optimizer]
                == [Some(OptimizerKind::Lion), Some(OptimizerKind::Adam)]
            {
                found = found.but(
                    "Lion wants a learning rate 3 to 10 times smaller than AdamW's, and a λ 3 to \
                     10 times larger than the one below, which is for the same learning rate (Chen \
                     et al. 2023, arXiv 2302.06675, section 5)",
                );
            }
        }
    }
    if setting.entry.scales_update_by_width != entry.scales_update_by_width {
        found = found.but(
            "exact for a width multiplier of 1 alone: with m, mup divides the update of the \
             matrices by m and not their decay, so that in shares of the update λ counts m times",
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
        let (Some(left), Some(right)) = (from.optimizer, to.optimizer) else {
            return Optimizers::Same;
        };
        match left {
            _ if left != right => Optimizers::Other,
            OptimizerKind::Adam
                if from.epsilon_before_correction != to.epsilon_before_correction =>
            {
                Optimizers::OtherEpsilon
            }
            // Their golden trajectories follow one formula in every library.
            OptimizerKind::Sgd | OptimizerKind::Adam | OptimizerKind::Lion => Optimizers::Same,
            _ if from.library() == to.library() => Optimizers::Same,
            _ => Optimizers::OtherImplementation,
        }
    }
}

/// Coupled to coupled: the same penalty.
fn coupled(coefficient: f64, optimizers: Optimizers) -> Found {
    match optimizers {
        Optimizers::Other => Found::approximate(
            coefficient,
            "both add λ‖θ‖²/2 to the loss, so that the objective is the same; the path to its \
             minimum is not",
        ),
        _ => Found::exact(coefficient, "both add λθ to the gradient"),
    }
}
