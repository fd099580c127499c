//! The answer for a terminal.

use std::fmt::Write as _;

use wd_advise::{Advice, Answer, Interval, Judged, PlannedRun, Sweep, Verdict};
use wd_conventions::Quantity;

use super::{planned::Context, tables, target::Converted};
use wd_page::words::quoted;

/// The whole answer.
pub(super) fn describe(
    advice: &Advice,
    converted: Option<&Converted>,
    context: &Context,
    colour: bool,
) -> String {
    let mut sections = vec![
        ("Planned run", run(&advice.run)),
        ("Answer", verdict(advice, converted, context)),
        ("Laws", laws(advice)),
    ];
    if !advice.elsewhere.is_empty() {
        sections.push(("λ elsewhere", tables::elsewhere(advice)));
    }
    sections.push(("Nearest public recipes", tables::recipes(advice)));
    let sections: Vec<String> = sections
        .into_iter()
        .map(|(title, body)| {
            let heading =
                if colour { format!("\u{1b}[1m{title}\u{1b}[0m") } else { title.to_owned() };
            format!("{heading}\n{}\n", body.trim_end())
        })
        .collect();
    sections.join("\n")
}

pub(super) fn line(out: &mut String, text: &str) {
    let _infallible = writeln!(out, "  {text}");
}

/// λ with two significant digits: as fine as it is ever tuned.
pub(super) fn lambda(value: f64) -> String {
    rate(format!("{value:.1e}").parse().unwrap_or(value))
}

/// A rate: `6e-4`, `0.003`.
pub(super) fn rate(value: f64) -> String {
    if (1e-3..1e3).contains(&value) {
        wd_page::number::short(value)
    } else {
        format!("{:e}", round(value))
    }
}

/// Three significant digits.
pub(super) fn round(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

fn amount(value: f64, unit: &str) -> String {
    match value {
        ..1e6 => format!("{} {unit}", wd_page::number::count(value as u64)),
        _ => format!("{} {unit}", Quantity::new(value, None)),
    }
}

fn run(run: &PlannedRun) -> String {
    let mut out = String::new();
    let unit = run.unit.words();
    let mut size = Vec::new();
    if let Some(parameters) = run.parameters {
        size.push(amount(parameters, "parameters"));
    }
    let each = run.tokens_per_parameter().map_or(String::new(), |ratio| {
        format!(" ({} a parameter)", wd_page::number::short(round(ratio)))
    });
    size.push(format!("{}{each}", amount(run.total, unit)));
    size.push(if run.epochs == 1.0 {
        "one pass".to_owned()
    } else {
        format!(
            "{} passes over {}",
            wd_page::number::short(round(run.epochs)),
            amount(run.data_points, unit)
        )
    });
    line(&mut out, &size.join(", "));
    let mut steps = vec![run.optimizer.title().to_owned()];
    if let (Some(batch), Some(count)) = (run.batch, run.steps()) {
        steps.push(format!("{} of {}", amount(count.floor(), "steps"), amount(batch, unit)));
    }
    if let Some(peak) = run.peak_learning_rate {
        steps.push(format!("peak learning rate {}", rate(peak)));
    }
    if let Some(kind) = run.schedule {
        steps.push(match (run.is_constant(), run.floor) {
            (true, _) => "constant".to_owned(),
            (false, 0.0) => format!("{kind} to zero"),
            (false, floor) => {
                format!("{kind} to {} %", wd_page::number::short(round(100.0 * floor)))
            }
        });
    }
    if run.fine_tuning {
        steps.push("from trained weights".to_owned());
    }
    line(&mut out, &steps.join(", "));
    out
}

fn verdict(advice: &Advice, converted: Option<&Converted>, context: &Context) -> String {
    let mut out = String::new();
    let law = |id: &str| advice.laws.iter().find(|judged| judged.law.id == id);
    let name = |id: &str| law(id).map_or(id.to_owned(), |judged| judged.law.name.to_owned());
    match &advice.verdict {
        Verdict::Recommended { lambda: value, range, laws } => {
            line(
                &mut out,
                &format!(
                    "λ = {}, within {} to {}",
                    lambda(*value),
                    lambda(range.low),
                    lambda(range.high)
                ),
            );
            let names: Vec<String> = laws.iter().map(|id| name(id)).collect();
            line(
                &mut out,
                &match names.as_slice() {
                    [one] => format!("{one} alone applies."),
                    names => format!(
                        "{} agree: this part of their ranges is common.",
                        names.join(" and ")
                    ),
                },
            );
            if laws.iter().filter_map(|id| law(id)).all(is_half_step) {
                line(
                    &mut out,
                    "No interval is published: the range is half a step of a factor-of-two grid either side.",
                );
            }
        }
        Verdict::Disagreement { positions, factor } => {
            line(
                &mut out,
                &format!(
                    "The laws that apply disagree, by a factor of {}:",
                    wd_page::number::short(round(*factor))
                ),
            );
            for position in positions {
                line(
                    &mut out,
                    &format!(
                        "  {}: {} ({} to {})",
                        name(position.law),
                        lambda(position.lambda),
                        lambda(position.range.low),
                        lambda(position.range.high)
                    ),
                );
            }
        }
        Verdict::NotCovered { why, needs } => {
            let heading = if needs.is_empty() {
                "No law covers this run: no λ is recommended."
            } else {
                "No law covers this run with what is given: no λ is recommended."
            };
            line(&mut out, heading);
            for reason in why {
                line(&mut out, &format!("  {reason}"));
            }
            if !needs.is_empty() {
                line(&mut out, &format!("More could be said with --{}.", needs.join(", --")));
            }
        }
    }
    if let Some(converted) = converted {
        target(&mut out, converted);
    }
    if let Some((configured, rule)) = context.configured {
        line(
            &mut out,
            &format!("The configuration has λ = {} ({rule}).", wd_page::number::short(configured)),
        );
    }
    if let Some(axis) = &advice.sweep {
        line(&mut out, &sweep(&advice.verdict, axis, context));
    }
    out
}

fn is_half_step(judged: &Judged) -> bool {
    judged.law.interval == Interval::HalfStep
}

fn target(out: &mut String, converted: &Converted) {
    match (&converted.call, converted.lambda) {
        (Some(call), Some(_)) => {
            line(out, &format!("{}: {call}", converted.fidelity.name()));
            if let (Some(low), Some(high)) = (converted.low, converted.high) {
                line(out, &format!("  there within {} to {}", lambda(low), lambda(high)));
            }
        }
        _ => line(out, &format!("{} has no such decay:", converted.library)),
    }
    if converted.fidelity != wd_conventions::Fidelity::Exact {
        for reason in &converted.reasons {
            line(out, &format!("  {reason}"));
        }
    }
}

/// The command that checks or settles the answer.
pub(super) fn sweep(verdict: &Verdict, axis: &Sweep, context: &Context) -> String {
    let purpose = match verdict {
        Verdict::Recommended { .. } => "To check it",
        Verdict::Disagreement { .. } => "To settle it",
        Verdict::NotCovered { .. } => "To find out",
    };
    format!("{purpose}: {}", sweep_command(axis, context))
}

/// `wd sweep …`, ready to paste.
pub(super) fn sweep_command(axis: &Sweep, context: &Context) -> String {
    format!("{} {} run.seed=0..2", context.sweep.join(" "), quoted(&axis.axis))
}

fn laws(advice: &Advice) -> String {
    let mut out = String::new();
    let names = advice.laws.iter().map(|judged| judged.law.name.chars().count());
    let width = names.max().unwrap_or(0);
    for judged in &advice.laws {
        let (status, reasons) = standing(judged);
        let pad = " ".repeat(width - judged.law.name.chars().count());
        line(&mut out, &format!("{}{pad}  {status}", judged.law.name));
        for reason in reasons {
            line(&mut out, &format!("  {reason}"));
        }
    }
    out
}

/// An answer as a few words, and its reasons.
pub(super) fn standing(judged: &Judged) -> (String, Vec<String>) {
    match &judged.answer {
        Answer::Applies { lambda: value, range, working, caveats } => (
            format!(
                "applies: λ = {} ({} to {})",
                lambda(*value),
                lambda(range.low),
                lambda(range.high)
            ),
            [working.clone()]
                .into_iter()
                .chain(caveats.iter().cloned())
                .chain([judged.law.source.to_owned()])
                .collect(),
        ),
        Answer::OutsideRange { why, lambda: value } => (
            match value {
                Some(value) => {
                    format!("outside its range, where its formula gives {}", lambda(*value))
                }
                None => "outside its range".to_owned(),
            },
            why.clone(),
        ),
        Answer::Needs { what } => (format!("needs --{}", what.join(", --")), Vec::new()),
        Answer::Instead { what, how } => (what.clone(), vec![how.clone()]),
    }
}
