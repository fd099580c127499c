//! Late in training: are gradients and relative updates larger with λ?

use super::family::Family;
use super::{Claim, Supported};
use crate::analysis::{Arm, Comparison};
use crate::wording::sentence::{difference, lambda, quantity};
use wd_statistics::{Interval, PairedDifference};

/// The gradient norm line.
pub(super) fn gradient_norm(family: &Family<'_>) -> Option<Claim> {
    ordered(
        family,
        "gradient norm",
        |arm| &arm.late.late_gradient_norm,
        |comparison| &comparison.late_gradient_norm,
    )
}

/// The relative update line.
pub(super) fn relative_update(family: &Family<'_>) -> Option<Claim> {
    ordered(
        family,
        "relative update ‖Δw‖/‖w‖",
        |arm| &arm.late.late_relative_update,
        |comparison| &comparison.late_relative_update,
    )
}

fn ordered(
    family: &Family<'_>,
    what: &str,
    level: fn(&Arm) -> &Interval,
    against: fn(&Comparison) -> &PairedDifference,
) -> Option<Claim> {
    if level(family.baseline).n == 0 {
        return None;
    }
    let surely = |comparison: &Comparison, sign: f64| {
        let difference = against(comparison);
        difference.holds_after_correction() && difference.interval.mean * sign > 0.0
    };
    let means: Vec<f64> =
        family.members.iter().map(|(_, comparison)| against(comparison).interval.mean).collect();
    let rises = means.windows(2).all(|pair| pair[1] > pair[0]);
    let mut told = vec![format!("λ=0 {}", quantity(level(family.baseline)))];
    told.extend(family.members.iter().map(|(arm, comparison)| {
        let worth = against(comparison);
        let doubt = match worth.holds_after_correction() {
            true => String::new(),
            false => format!(" (change {})", difference(worth)),
        };
        format!("{} {}{doubt}", lambda(arm), quantity(level(arm)))
    }));
    Some(Claim {
        claim: format!(
            "Under {}, the {what} late in training (88–98 %) is higher the larger λ is",
            family.name
        ),
        finding: format!("{}.", told.join("; ")),
        supported: if family.members.iter().any(|(_, comparison)| surely(comparison, -1.0)) {
            Supported::Contradicted
        } else if rises && family.members.iter().all(|(_, comparison)| surely(comparison, 1.0)) {
            Supported::Supported
        } else {
            Supported::Undecided
        },
    })
}
