//! The regime in which a finding was made: that it holds in any other is not known.

use wd_decay::Unit;
use wd_page::counted;

use super::family::Family;
use crate::analysis::Arm;
use crate::setting::spell;
use crate::wording::sentence::lambda;
use wd_page::number::count;

/// `In one pass over the data under cosine (22.6 tokens per parameter, κ up to 2.47)`; of another
/// program's runs `In 400 steps under the schedule of these runs`.
pub(super) fn short(family: &Family<'_>) -> String {
    let Some(setup) = &family.baseline.setup else {
        let steps = counted(count(family.baseline.steps), "step");
        return format!("In {steps} under {}", family.name);
    };
    let kappa = family.members.iter().map(|(arm, _)| arm.kappa()).fold(0.0, f64::max);
    let decay = if kappa > 0.0 { format!(", κ up to {kappa:.2}") } else { String::new() };
    format!(
        "In {} under {} ({:.1} {} per parameter{decay})",
        passes(setup.epochs),
        family.name,
        setup.samples_per_parameter,
        setup.unit.words()
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
        let setup = setup(arm);
        if !setups.contains(&setup) {
            setups.push(setup);
        }
    }
    let mut schedules: Vec<(String, Vec<String>)> = Vec::new();
    for arm in arms {
        let rate = arm.peak_learning_rate.map(spell);
        let rate = rate.map_or_else(String::new, |rate| format!("peak learning rate {rate}"));
        let described = arm.setup.as_ref().map_or("", |setup| &setup.schedule_description);
        let parts = [described, &rate];
        let name: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let name = name.join(", ");
        let tau = arm.setup.as_ref().and_then(|setup| setup.tau_fraction);
        let tau = tau.map_or(String::new(), |tau| format!(", τ {tau:.2} of the run"));
        let member = match &arm.setup {
            Some(setup) if arm.lambda != 0.0 => {
                format!("{} (κ {:.2}{tau})", lambda(arm), setup.kappa)
            }
            _ => lambda(arm),
        };
        match schedules.iter_mut().find(|(other, _)| *other == name) {
            Some((_, members)) if !members.contains(&member) => members.push(member),
            Some(_) => {}
            None => schedules.push((name, vec![member])),
        }
    }
    let schedules: Vec<String> = schedules
        .into_iter()
        .map(|(name, members)| match name.as_str() {
            "" => members.join(", "),
            _ => format!("{name}: {}", members.join(", ")),
        })
        .collect();
    let unit = match arms.first().and_then(|arm| arm.setup.as_ref()) {
        Some(setup) => format!("in nats {}", setup.unit.each()),
        None if arms.is_empty() => format!("in nats {}", Unit::Token.each()),
        None => "as logged".to_owned(),
    };
    format!(
        "{}. {}. Losses are {unit}, intervals 95 %, p corrected by Holm's method over the λ \
         compared with one baseline.",
        setups.join("; or "),
        schedules.join(". "),
    )
}

fn setup(arm: &Arm) -> String {
    let Some(setup) = &arm.setup else {
        return format!(
            "{} of another program, which records neither its data nor its schedule; its training \
             loss is {}",
            counted(count(arm.steps), "step"),
            arm.training_loss.words()
        );
    };
    let unit = setup.unit.words();
    format!(
        "{} ({:.2} of the training {unit}), {:.1} {unit} per parameter, {}, {} of {}, {}, {} decay",
        passes(setup.epochs),
        setup.epochs,
        setup.samples_per_parameter,
        counted(count(setup.parameters), "parameter"),
        counted(count(arm.steps), "step"),
        counted(count(setup.samples_per_step), setup.unit.noun()),
        setup.optimizer,
        setup.rule
    )
}
