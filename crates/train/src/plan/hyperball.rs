//! Hyperball: λ is a switch, and a tensor whose norm is held decays to nothing.

use wd_decay::{Anchor, Choice};
use wd_nn::ParameterLayout;

use crate::config::{ConfigFault, DecaySection};

/// Refuses what has nothing to act on when norms are held.
pub(super) fn check(decay: &DecaySection) -> Result<(), ConfigFault> {
    let overrides = decay.overrides.iter();
    let written = std::iter::once(("decay.lambda".to_owned(), decay.lambda()))
        .chain(overrides.map(|(glob, lambda)| (format!("decay.overrides.{glob}"), *lambda)));
    for (key, lambda) in written {
        if lambda != 0.0 && lambda != 1.0 {
            return Err(ConfigFault::NoSwitch { key, lambda });
        }
    }
    if decay.schedule.is_some() {
        return Err(ConfigFault::Conflict {
            key: "decay.schedule",
            reason: "hyperball has no λ that a schedule could multiply",
            mend: "remove decay.schedule; the step's size follows the schedule of the learning \
                   rate",
        });
    }
    if decay.anchor != Anchor::Zero {
        return Err(ConfigFault::Conflict {
            key: "decay.anchor",
            reason: "hyperball holds norms and decays to no point",
            mend: "remove decay.anchor; { norm = 1.0 } with a rule that decays lets norms be drawn \
                   to a target",
        });
    }
    Ok(())
}

/// Why a tensor is held, or free.
pub(super) fn reason(choice: &Choice) -> String {
    choice.reason_for(if choice.lambda > 0.0 { "its norm is held" } else { "free" })
}

/// Refuses to hold what is no matrix.
pub(super) fn check_shapes(
    layout: &ParameterLayout,
    choices: &[Choice],
) -> Result<(), ConfigFault> {
    for (segment, choice) in layout.segments.iter().zip(choices) {
        if choice.lambda > 0.0 && segment.shape.len() < 2 {
            return Err(ConfigFault::HeldVector {
                path: segment.path.clone(),
                shape: segment.shape.clone(),
                reason: choice.reason(),
            });
        }
    }
    Ok(())
}
