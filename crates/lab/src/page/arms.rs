//! The table of all arms, and the facts under the title.

use crate::{Analysis, Arm, Setup};
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
        contents.push(Content::Paragraph(match arms.iter().any(|arm| arm.setup.is_some()) {
            true => format!(
                "κ = Σ s is the total decay exponent (exp(−κ) of the initial weights is left) and \
                 τ = 1/s at the peak is the averaging timescale of the weights, as a share of the \
                 run. These, rather than λ, carry over to other sizes, learning rates and lengths. \
                 Losses are in {} with 95 % t-intervals over seeds; training, validation and their \
                 gap are those of the final weights.",
                study.loss_unit()
            ),
            false => {
                "Losses are as their program logged them, with 95 % t-intervals over seeds. κ \
                      and τ follow from the schedule, which it did not record: `wd explain` gives \
                      them from λ, learning rate and schedule."
                    .to_owned()
            }
        }));
        contents.push(Content::Table(table(arms)));
    }
    Section::full("arms", "All arms", contents)
}

fn table(arms: &[Arm]) -> Table {
    let runs_lost = arms.iter().any(|arm| !arm.diverged.is_empty() || !arm.unfinished.is_empty());
    let has_setup = arms.iter().any(|arm| arm.setup.is_some());
    let mut columns = vec!["arm"];
    if has_setup {
        columns.extend(["κ", "exp(−κ)", "τ (share of run)"]);
    }
    columns.push("seeds");
    let is_evaluated = arms.iter().any(super::summary::is_evaluated);
    columns.extend(is_evaluated.then_some("training"));
    columns.extend(["validation", "gap"]);
    columns.push(if is_evaluated { "training, last 5 % of the steps" } else { "training" });
    if runs_lost {
        columns.push("not in the means");
    }
    let mut table = Table::new(&columns, 1);
    for arm in arms {
        let mut row = vec![arm.label.clone()];
        if has_setup {
            let tau = arm.setup.as_ref().and_then(|setup| setup.tau_fraction);
            row.extend([
                number::short(number::rounded(arm.kappa())),
                number::fixed((-arm.kappa()).exp(), 2),
                tau.map_or(number::MISSING.to_owned(), share),
            ]);
        }
        row.push(arm.seeds.len().to_string());
        row.extend(is_evaluated.then(|| words::mean_interval(&arm.final_train_evaluation, 4)));
        row.extend([
            words::mean_interval(&arm.final_validation, 4),
            words::difference_interval(&arm.gap),
            words::mean_interval(&arm.final_train, 4),
        ]);
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
    let rate = |arm: &Arm| arm.peak_learning_rate.map(number::short);
    let mut facts = vec![fact("Runs", runs)];
    if let Some(recording) = &analysis.recording {
        facts.push(fact("Recorded by", recording.program.clone()));
        facts.push(fact("Steps", each(arms, |arm| Some(number::count(arm.steps)))));
        facts.push(fact("λ", each(arms, |arm| Some(number::short(arm.lambda)))));
        let rates = each(arms, rate);
        facts.extend((!rates.is_empty()).then(|| fact("Peak LR", rates)));
        return facts;
    }
    let planned = |of: &dyn Fn(&Arm, &Setup) -> String| {
        each(arms, |arm| arm.setup.as_ref().map(|setup| of(arm, setup)))
    };
    let is_image = arms[0].setup.as_ref().is_some_and(|setup| setup.unit == Unit::Image);
    facts.extend([
        fact("Model", planned(&|_, setup| counted(number::count(setup.parameters), "parameter"))),
        fact(
            "Training",
            planned(&|arm, setup| {
                format!(
                    "{} × {}",
                    counted(number::count(arm.steps), "step"),
                    counted(number::count(setup.samples_per_step), setup.unit.noun())
                )
            }),
        ),
        fact(
            if is_image { "Images a parameter" } else { "Tokens a parameter" },
            planned(&|_, setup| number::short(number::rounded(setup.samples_per_parameter))),
        ),
        fact("λ", each(arms, |arm| Some(number::short(arm.lambda)))),
        fact("Schedule", each(arms, |arm| arm.schedule.map(|kind| kind.to_string()))),
        fact("Peak LR", each(arms, rate)),
    ]);
    facts
}

/// Distinct values in order of appearance; the first few and a count when there are many.
fn each(arms: &[Arm], of: impl Fn(&Arm) -> Option<String>) -> String {
    let mut values: Vec<String> = Vec::new();
    for value in arms.iter().filter_map(of) {
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
