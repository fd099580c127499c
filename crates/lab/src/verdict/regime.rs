//! The regime in which a finding was made: that it holds in any other is not known.

use wd_decay::Unit;
use wd_page::counted;

use super::family::Family;
use crate::analysis::Arm;
use crate::setting::spell;
use crate::wording::sentence::lambda;
use wd_page::number::count;

/// `In one pass over the data under cosine (22.6 tokens per parameter, κ up to 2.47)`.
pub(super) fn short(family: &Family<'_>) -> String {
    let kappa = family.members.iter().map(|(arm, _)| arm.kappa).fold(0.0, f64::max);
    let decay = if kappa > 0.0 { format!(", κ up to {kappa:.2}") } else { String::new() };
    format!(
        "In {} under {} ({:.1} {} per parameter{decay})",
        passes(family.baseline.epochs),
        family.name,
        family.baseline.samples_per_parameter,
        family.baseline.unit.words()
    )
}

fn passes(epochs: f64) -> String {
    match epochs {
        // Rounding to whole steps may push a single pass a hair over one.
        _ if epochs <= 1.001 => "one pass over the data".to_owned(),
        _ => format!("{epochs:.1} passes over the data"),
    }
}

/// All of it: size, data, optimizer, then each schedule with κ and τ of its λ.
pub(super) fn describe(arms: &[Arm]) -> String {
    let mut setups: Vec<String> = Vec::new();
    for arm in arms {
        let unit = arm.unit.words();
        let setup = format!(
            "{} ({:.2} of the training {unit}), {:.1} {unit} per parameter, {}, {} of {}, {}, {} \
             decay",
            passes(arm.epochs),
            arm.epochs,
            arm.samples_per_parameter,
            counted(count(arm.parameters), "parameter"),
            counted(count(arm.steps), "step"),
            counted(count(arm.samples_per_step), arm.unit.noun()),
            arm.optimizer,
            arm.rule
        );
        if !setups.contains(&setup) {
            setups.push(setup);
        }
    }
    let mut schedules: Vec<(String, Vec<String>)> = Vec::new();
    for arm in arms {
        let name = format!(
            "{}, peak learning rate {}",
            arm.schedule_description,
            spell(arm.peak_learning_rate)
        );
        let tau = arm.tau_fraction.map_or(String::new(), |tau| format!(", τ {tau:.2} of the run"));
        let member = match arm.lambda {
            0.0 => lambda(arm),
            _ => format!("{} (κ {:.2}{tau})", lambda(arm), arm.kappa),
        };
        match schedules.iter_mut().find(|(other, _)| *other == name) {
            Some((_, members)) if !members.contains(&member) => members.push(member),
            Some(_) => {}
            None => schedules.push((name, vec![member])),
        }
    }
    let schedules: Vec<String> = schedules
        .into_iter()
        .map(|(name, members)| format!("{name}: {}", members.join(", ")))
        .collect();
    format!(
        "{}. {}. Losses are in nats {}, intervals 95 %, p corrected by Holm's method over the λ \
         compared with one baseline.",
        setups.join("; or "),
        schedules.join(". "),
        arms.first().map_or(Unit::Token, |arm| arm.unit).each()
    )
}
