//! The regime in which a finding was made: that it holds in any other is not known.

use wd_decay::Unit;
use wd_page::counted;
use wd_page::words::capitalised;

use super::family::Family;
use crate::analysis::Arm;
use crate::setting::spell;
use wd_page::number::count;

/// `In one pass over the data under cosine (22.6 tokens per parameter, κ up to 2.47)`; of another
/// program's runs `In 400 steps under the schedule of these runs`.
pub(super) fn short(family: &Family<'_>) -> String {
    let Some(setup) = &family.baseline.setup else {
        // One step is a result without a curve.
        return match family.baseline.steps {
            0 | 1 => format!("Under {}", family.name),
            steps => format!("In {} under {}", counted(count(steps), "step"), family.name),
        };
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

/// All of it: size, data, optimizer, then the schedules; κ and τ of each λ are in the table of arms.
pub(super) fn describe(arms: &[Arm]) -> String {
    let mut setups: Vec<String> = Vec::new();
    for arm in arms {
        let setup = setup(arm);
        if !setups.contains(&setup) {
            setups.push(setup);
        }
    }
    let mut schedules: Vec<String> = Vec::new();
    for arm in arms {
        let described = arm.setup.as_ref().map_or("", |setup| &setup.schedule_description);
        let rate = arm.peak_learning_rate.map(spell);
        let rate = rate.map_or_else(String::new, |rate| format!("peak learning rate {rate}"));
        let parts: Vec<&str> =
            [described, &rate].into_iter().filter(|part| !part.is_empty()).collect();
        let schedule = parts.join(", ");
        if !schedule.is_empty() && !schedules.contains(&schedule) {
            schedules.push(schedule);
        }
    }
    // The table of the arms has them all.
    if schedules.len() > 4 {
        let more = schedules.len() - 3;
        schedules.truncate(3);
        schedules.push(format!("{more} more"));
    }
    let schedules = if schedules.is_empty() {
        String::new()
    } else {
        format!("{}. ", capitalised(&schedules.join("; ")))
    };
    let unit = match arms.first().and_then(|arm| arm.setup.as_ref()) {
        Some(setup) => format!("in nats {}", setup.unit.each()),
        None if arms.is_empty() => format!("in nats {}", Unit::Token.each()),
        None => "as logged".to_owned(),
    };
    format!(
        "{}. {schedules}Losses are {unit}, intervals 95 %, p corrected by Holm's method over the λ \
         compared with one baseline.",
        setups.join("; or "),
    )
}

fn setup(arm: &Arm) -> String {
    let Some(setup) = &arm.setup else {
        return format!(
            "{} of another program, which records neither its data nor its schedule; its training \
             loss is {}",
            match arm.steps {
                0 | 1 => "results without curves".to_owned(),
                steps => counted(count(steps), "step"),
            },
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
