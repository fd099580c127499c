//! Where the norm recursion holds, and where not.

use super::family::Family;
use super::{Claim, Supported};
use crate::analysis::RoleNorm;
use crate::wording::Ends;
use crate::wording::sentence::lambda;
use wd_decay::Role;
use wd_statistics::Interval;

/// A measured RMS within 10 % of the prediction counts as predicted: five times the error of the
/// recursion itself on pure noise.
const TOLERANCE: f64 = 0.1;

/// One line for each role of which the recursion predicts something.
pub(super) fn recursion(family: &Family<'_>) -> Vec<Claim> {
    Role::WEIGHTS.into_iter().filter_map(|role| line(family, role)).collect()
}

fn line(family: &Family<'_>, role: Role) -> Option<Claim> {
    let of_arm = |norms: &[RoleNorm], kind: &Option<String>| {
        norms
            .iter()
            .find(|norm| norm.role == role && norm.kind == *kind && norm.ratio.n > 0)
            .map(|norm| norm.ratio)
    };
    let whole: Vec<(String, Interval)> = family
        .members
        .iter()
        .filter_map(|(arm, _)| Some((lambda(arm), of_arm(&arm.weight_rms_by_role, &None)?)))
        .collect();
    if whole.is_empty() {
        return None;
    }
    let told: Vec<String> = whole
        .iter()
        .map(|(name, ratio)| {
            format!("{name} {}", Ends::Brackets.write(ratio, |ratio| format!("{ratio:.2}")))
        })
        .collect();
    let mut finding = format!("Measured / predicted RMS at the end: {}.", told.join("; "));

    let kinds: Vec<(String, Vec<f64>)> = family
        .members
        .first()
        .map(|(arm, _)| arm.weight_rms_by_role.iter())
        .into_iter()
        .flatten()
        .filter(|norm| norm.role == role && norm.kind.is_some())
        .map(|norm| {
            let ratios = family
                .members
                .iter()
                .filter_map(|(arm, _)| of_arm(&arm.weight_rms_by_role, &norm.kind))
                .map(|ratio| ratio.mean);
            (norm.kind.clone().unwrap_or_default(), ratios.collect())
        })
        .collect();
    let named = |keep: &dyn Fn(&[f64]) -> bool| -> Vec<String> {
        kinds
            .iter()
            .filter(|(_, ratios)| !ratios.is_empty() && keep(ratios))
            .map(|(kind, ratios)| format!("{kind} ({})", range(ratios)))
            .collect()
    };
    let predicted = |ratios: &[f64]| ratios.iter().all(|ratio| (ratio - 1.0).abs() <= TOLERANCE);
    let holds = named(&predicted);
    let fails = named(&|ratios| !predicted(ratios));
    if !holds.is_empty() {
        finding.push_str(&format!(" It holds for {}.", holds.join(", ")));
    }
    if !fails.is_empty() {
        finding.push_str(&format!(" It does not hold for {}.", fails.join(", ")));
    }

    let inside = |ratio: &Interval| ratio.low >= 1.0 - TOLERANCE && ratio.high <= 1.0 + TOLERANCE;
    let outside = |ratio: &Interval| ratio.high < 1.0 - TOLERANCE || ratio.low > 1.0 + TOLERANCE;
    Some(Claim {
        claim: format!(
            "Under {}, the norm recursion predicts {role} norms within 10 %",
            family.name
        ),
        finding,
        supported: Supported::decided(
            whole.iter().all(|(_, ratio)| inside(ratio)) && fails.is_empty(),
            whole.iter().any(|(_, ratio)| outside(ratio)) || !fails.is_empty() && holds.is_empty(),
        ),
    })
}

fn range(values: &[f64]) -> String {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = (format!("{low:.2}"), format!("{high:.2}"));
    if low == high { low } else { format!("{low}–{high}") }
}
