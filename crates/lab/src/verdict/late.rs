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
        "late gradients",
        |arm| &arm.late.late_gradient_norm,
        |comparison| &comparison.late_gradient_norm,
    )
}

/// The relative update line.
pub(super) fn relative_update(family: &Family<'_>) -> Option<Claim> {
    ordered(
        family,
        "late relative updates ‖Δw‖/‖w‖",
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
    let changes: Vec<&PairedDifference> =
        family.members.iter().map(|(_, comparison)| against(comparison)).collect();
    let rises = changes.windows(2).all(|pair| pair[1].interval.mean > pair[0].interval.mean);
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
        claim: format!("Under {}, {what} are larger the larger λ is", family.name),
        finding: format!("Between 88 and 98 % of the run: {}.", told.join("; ")),
        supported: Supported::decided(
            rises && changes.iter().all(|change| change.surely_has_sign(1.0)),
            changes.iter().any(|change| change.surely_has_sign(-1.0)),
        ),
    })
}
