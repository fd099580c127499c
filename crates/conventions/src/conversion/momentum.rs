//! SGD's penalty in the gradient, and the shrink beside the update that does the same.

use super::outcome::Found;
use super::rules::decoupled;
use super::value::pasted;
use crate::library::LibraryEntry;
use crate::{ConventionError, Setting};
use wd_decay::{DecayRule, OptimizerKind};
use wd_page::counted;

/// Between a penalty in the gradient and a shrink beside the update; the coupled side must be SGD.
pub(super) fn across(
    setting: &Setting,
    entry: &LibraryEntry,
    coefficient: f64,
    from: DecayRule,
    to: DecayRule,
) -> Result<Found, ConventionError> {
    let to_coupled = to == DecayRule::CoupledL2;
    let (coupled, other_side) =
        if to_coupled { (entry, setting.entry) } else { (setting.entry, entry) };
    // A penalty on the loss goes through whichever optimizer there is: the other side's.
    let through = if coupled.optimizer.is_some() { coupled } else { other_side };
    if through.optimizer != Some(OptimizerKind::Sgd) {
        return Ok(Found::impossible(format!(
            "{} puts λθ into the gradient, and {} divides it by the size of each coordinate's \
             gradients: every coordinate would need a λ of its own, changing from step to step",
            if to_coupled { "the target" } else { "the source" },
            through.optimizer_title()
        )));
    }
    let momentum = setting.momenta();
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
        pasted(momentum.momentum),
        pasted(momentum.gain()),
        counted(pasted(momentum.momentum / (1.0 - momentum.momentum)), "step")
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
