//! The planned run in words and numbers.

use wd_conventions::Quantity;
use wd_decay::ScheduleKind;
use wd_page::number::{self, rounded, short};
use wd_page::{Content, Section};

use crate::{Doubt, PlannedRun};

/// The planned run in two lines, and what in it is surely meant otherwise.
pub(super) fn section(run: &PlannedRun, doubts: &[Doubt]) -> Section {
    let mut lines = vec![Content::Paragraph(size(run)), Content::Paragraph(steps(run))];
    lines.extend(
        doubts.iter().cloned().map(|Doubt { reason, fix }| Content::Warning { reason, fix }),
    );
    Section::new("planned", "Planned run", lines)
}

fn amount(value: f64, unit: &str) -> String {
    match value {
        ..1e6 => format!("{} {unit}", number::count(value as u64)),
        _ => format!("{} {unit}", Quantity::new(value, None)),
    }
}

fn size(run: &PlannedRun) -> String {
    let unit = run.unit.words();
    let mut size = Vec::new();
    size.extend(run.parameters.map(|parameters| amount(parameters, "parameters")));
    let each = run
        .tokens_per_parameter()
        .map_or(String::new(), |ratio| format!(" ({} a parameter)", short(rounded(ratio))));
    size.push(format!("{}{each}", amount(run.total, unit)));
    size.push(if run.epochs == 1.0 {
        "one pass".to_owned()
    } else {
        format!("{} passes over {}", short(rounded(run.epochs)), amount(run.data_points, unit))
    });
    size.join(", ")
}

fn steps(run: &PlannedRun) -> String {
    let mut steps = vec![run.optimizer.title().to_owned()];
    if let (Some(batch), Some(count)) = (run.batch, run.steps()) {
        let batch = amount(batch, run.unit.words());
        steps.push(format!("{} of {batch}", amount(count.floor(), "steps")));
    }
    if let Some(peak) = run.peak_learning_rate {
        steps.push(format!("peak learning rate {}", short(peak)));
    }
    if let Some(kind) = run.schedule {
        steps.push(match (run.is_constant(), run.floor) {
            (true, _) => "constant".to_owned(),
            (false, 0.0) => format!("{kind} to zero"),
            (false, floor) => format!("{kind} to {} %", short(rounded(100.0 * floor))),
        });
    }
    if run.fine_tuning {
        steps.push("from trained weights".to_owned());
    }
    steps.join(", ")
}

/// Optimizer and schedule, in a sentence.
pub(super) fn regime(run: &PlannedRun) -> String {
    let schedule = match (run.schedule, run.floor) {
        (None, _) => "a schedule that was not given".to_owned(),
        (Some(kind), _) if run.is_constant() && kind != ScheduleKind::Constant => {
            "a constant rate".to_owned()
        }
        (Some(kind), 0.0) => format!("{kind} schedule"),
        (Some(kind), floor) => format!("{kind} schedule to {}", number::percent(floor)),
    };
    format!("{}, {schedule}.", run.optimizer.title())
}

/// The run in numbers.
pub(super) fn facts(run: &PlannedRun) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: Option<f64>| {
        if let Some(value) = value {
            // Whole numbers as they were typed, others as fine as they are read.
            let text = match value {
                1e6.. => Quantity::new(value, None).to_string(),
                whole if whole >= 1e3 => number::count(whole as u64),
                _ => short(rounded(value)),
            };
            facts.push((name.to_owned(), text));
        }
    };
    fact("Parameters", run.parameters);
    fact(run.unit.words(), Some(run.total));
    fact("Passes", Some(run.epochs));
    fact("Batch", run.batch);
    fact("Steps", run.steps());
    fact("Peak LR", run.peak_learning_rate);
    fact("Tokens a parameter", run.tokens_per_parameter());
    facts
}
