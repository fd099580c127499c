//! The table of all arms, and the facts under the title.

use crate::{Analysis, Arm};
use wd_decay::Unit;
use wd_page::{Content, Section, Table, counted, number};

use super::arrangement::Study;
use crate::wording::cell as words;

/// The section with every arm.
pub(crate) fn section(study: &Study<'_>) -> Section {
    let mut contents = Vec::new();
    let arms = &study.analysis.arms;
    if arms.is_empty() {
        contents.push(Content::Absent("This study has no trial yet.".to_owned()));
    } else {
        contents.push(Content::Paragraph(format!(
            "κ = Σ s is the total decay exponent (exp(−κ) of the initial weights is left) and τ = \
             1/s at the peak is the averaging timescale of the weights, as a share of the run. \
             These, rather than λ, carry over to other sizes, learning rates and lengths. Losses \
             are in {} with 95 % t-intervals over seeds.",
            study.loss_unit()
        )));
        contents.push(Content::Table(table(arms)));
    }
    Section::full("arms", "All arms", contents)
}

fn table(arms: &[Arm]) -> Table {
    let runs_lost = arms.iter().any(|arm| !arm.diverged.is_empty() || !arm.unfinished.is_empty());
    let mut columns = vec![
        "arm",
        "κ",
        "exp(−κ)",
        "τ (share of run)",
        "seeds",
        "final training",
        "validation",
        "gap",
    ];
    if runs_lost {
        columns.push("not in the means");
    }
    let mut table = Table::new(&columns, 1);
    for arm in arms {
        let mut row = vec![
            arm.label.clone(),
            number::short(number::rounded(arm.kappa)),
            number::fixed((-arm.kappa).exp(), 2),
            arm.tau_fraction.map_or(number::MISSING.to_owned(), share),
            arm.seeds.len().to_string(),
            words::mean_interval(&arm.final_train, 4),
            words::mean_interval(&arm.final_validation, 4),
            words::difference_interval(&arm.gap),
        ];
        if runs_lost {
            row.push(lost(arm));
        }
        table.rows.push(row);
    }
    table
}

/// A timescale as a share of the run: per cent below 1, a multiple above.
fn share(fraction: f64) -> String {
    if fraction < 1.0 {
        number::percent(fraction)
    } else {
        counted(number::short(number::rounded(fraction)), "run")
    }
}

/// Runs of an arm that are in no mean, and why.
pub(crate) fn lost(arm: &Arm) -> String {
    let diverged = arm
        .diverged
        .iter()
        .map(|run| format!("seed {} diverged at step {}", run.seed, number::count(run.step)));
    let unfinished = arm.unfinished.iter().map(|seed| format!("seed {seed} not finished"));
    diverged.chain(unfinished).collect::<Vec<_>>().join("; ")
}

/// The facts under the title.
pub(crate) fn facts(analysis: &Analysis) -> Vec<(String, String)> {
    let arms = &analysis.arms;
    if arms.is_empty() {
        return Vec::new();
    }
    let finished: usize = arms.iter().map(|arm| arm.seeds.len()).sum();
    let diverged: usize = arms.iter().map(|arm| arm.diverged.len()).sum();
    let unfinished: usize = arms.iter().map(|arm| arm.unfinished.len()).sum();
    let mut runs = format!("{finished} finished");
    if diverged > 0 {
        runs += &format!(", {diverged} diverged");
    }
    if unfinished > 0 {
        runs += &format!(", {unfinished} not finished");
    }
    let fact = |name: &str, value: String| (name.to_owned(), value);
    vec![
        fact("Runs", runs),
        fact("Model", each(arms, |arm| counted(number::count(arm.parameters), "parameter"))),
        fact(
            "Training",
            each(arms, |arm| {
                format!(
                    "{} × {}",
                    counted(number::count(arm.steps), "step"),
                    counted(number::count(arm.samples_per_step), arm.unit.noun())
                )
            }),
        ),
        fact(
            if arms[0].unit == Unit::Image { "Images a parameter" } else { "Tokens a parameter" },
            each(arms, |arm| number::short(number::rounded(arm.samples_per_parameter))),
        ),
        fact("λ", each(arms, |arm| number::short(arm.lambda))),
        fact("Schedule", each(arms, |arm| arm.schedule.to_string())),
        fact("Peak LR", each(arms, |arm| number::short(arm.peak_learning_rate))),
    ]
}

/// Distinct values in order of appearance; the first few and a count when there are many.
fn each(arms: &[Arm], of: impl Fn(&Arm) -> String) -> String {
    let mut values: Vec<String> = Vec::new();
    for value in arms.iter().map(of) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    if values.len() > 6 {
        let more = values.len() - 5;
        values.truncate(5);
        values.push(format!("{more} more"));
    }
    values.join(", ")
}
