//! Point 5: final loss over λ and peak learning rate, and what is left of the gain when each λ has
//! its own best rate.

use crate::{Arm, ComparisonKind};

use super::arrangement::{Study, same_method};
use super::constant::missing;
use super::{csv_row, numbered};
use crate::wording::cell as words;
use crate::wording::interval::half_width;
use wd_decay::ScheduleKind;
use wd_page::figure::{Cell, Figure, HeatMap};
use wd_page::{Content, Csv, FigureBlock, Section, Table, number};

/// Arms that differ only in λ and peak learning rate.
#[derive(Debug)]
struct Grid {
    arms: Vec<usize>,
    lambdas: Vec<f64>,
    rates: Vec<f64>,
}

/// The section.
pub(crate) fn section(study: &Study<'_>) -> Section {
    let grids = grids(&study.analysis.arms);
    let contents = match grids.first() {
        None => vec![Content::Absent(
            "Left out: no schedule of this study was trained at several peak learning rates. Add \
             an axis such as optim.lr=5e-3,8e-3,1.2e-2 to the sweep."
                .to_owned(),
        )],
        Some(grid) => {
            let mut contents = vec![Content::Paragraph(
                "A λ can seem to help only because it suits the learning rate at which it was \
                 tried. Here every λ meets several peak learning rates, so that each can be seen \
                 at its own best."
                    .to_owned(),
            )];
            contents.push(figure(study, grid, 0));
            let best = best_rates(study, grid);
            if !best.rows.is_empty() {
                contents.push(Content::Table(best));
            }
            if grids.len() > 1 {
                let more = grids[1..]
                    .iter()
                    .enumerate()
                    .map(|(index, grid)| figure(study, grid, index + 1))
                    .collect();
                let summary =
                    format!("The grid for {}", wd_page::counted(grids.len() - 1, "other setting"));
                contents.push(Content::More(summary, more));
            }
            contents
        }
    };
    Section::full("grid", "Does the gain survive the best learning rate?", contents)
        .named("λ × learning rate")
}

/// Every grid with at least two rates, the one with most cells first, decaying schedules before
/// constant ones.
fn grids(arms: &[Arm]) -> Vec<Grid> {
    let mut grids: Vec<Grid> = Vec::new();
    for (index, arm) in arms.iter().enumerate() {
        let fits = |grid: &&mut Grid| {
            let first = &arms[grid.arms[0]];
            first.schedule == arm.schedule
                && same_method(first, arm)
                && first.settings == arm.settings
        };
        match grids.iter_mut().find(fits) {
            Some(grid) => grid.arms.push(index),
            None => grids.push(Grid { arms: vec![index], lambdas: Vec::new(), rates: Vec::new() }),
        }
    }
    for grid in &mut grids {
        grid.lambdas = distinct(grid.arms.iter().map(|arm| arms[*arm].lambda));
        grid.rates = distinct(grid.arms.iter().filter_map(|arm| arms[*arm].peak_learning_rate));
    }
    grids.retain(|grid| grid.rates.len() > 1);
    grids.sort_by_key(|grid| {
        (
            arms[grid.arms[0]].schedule == Some(ScheduleKind::Constant),
            std::cmp::Reverse(grid.arms.len()),
        )
    });
    grids
}

fn distinct(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

impl Grid {
    fn arm<'a>(&self, arms: &'a [Arm], lambda: f64, rate: f64) -> Option<&'a Arm> {
        self.arms
            .iter()
            .map(|arm| &arms[*arm])
            .find(|arm| arm.lambda == lambda && arm.peak_learning_rate == Some(rate))
    }
}

fn figure(study: &Study<'_>, grid: &Grid, index: usize) -> Content {
    let arms = &study.analysis.arms;
    let first = &arms[grid.arms[0]];
    let rows: Vec<f64> = grid.lambdas.iter().rev().copied().collect();
    let cells = rows
        .iter()
        .map(|lambda| {
            grid.rates.iter().map(|rate| grid.arm(arms, *lambda, *rate).map(cell)).collect()
        })
        .collect();
    let mut table =
        Table::new(&["λ", "peak LR", "final training loss", "validation loss", "seeds", "κ"], 0);
    let mut csv = Csv::new(&[
        "lambda",
        "peak_learning_rate",
        "kappa",
        "quantity",
        "mean",
        "low",
        "high",
        "n",
    ]);
    for (lambda, rate) in
        rows.iter().flat_map(|lambda| grid.rates.iter().map(move |rate| (lambda, rate)))
    {
        let Some(arm) = grid.arm(arms, *lambda, *rate) else {
            continue;
        };
        table.rows.push(vec![
            number::short(*lambda),
            number::short(*rate),
            if arm.final_train.mean.is_finite() {
                words::mean_interval(&arm.final_train, 4)
            } else {
                missing(arm)
            },
            words::mean_interval(&arm.final_validation, 4),
            arm.final_train.n.to_string(),
            number::short(arm.kappa()),
        ]);
        for (quantity, interval) in
            [("final_training_loss", arm.final_train), ("validation_loss", arm.final_validation)]
        {
            let about = [(*lambda).into(), (*rate).into(), arm.kappa().into(), quantity.into()];
            csv_row(&mut csv, &about, &interval);
        }
    }
    let setting: String =
        first.settings.iter().map(|(key, value)| format!(", {key} = {value}")).collect();
    let schedule = first.schedule.map_or_else(String::new, |kind| format!(", {kind}"));
    let name = format!("Final training loss over λ and peak learning rate{schedule}{setting}.");
    let caption = format!(
        "Look at how the dot, which marks the best learning rate of each λ, moves from row to row, \
         and at whether the outlined best cell lies above λ = 0. Values are means of the last 5 % \
         of the steps {} with the half-width of the 95 % t-interval where there are at least two; \
         darker on a light page, or brighter on a dark one, is lower.",
        words::over_seeds(grid.arms.iter().map(|arm| arms[*arm].final_train.n), "seed"),
    );
    Content::from(FigureBlock {
        figure: Figure::HeatMap(HeatMap {
            id: numbered("rate-grid", index),
            title: name.clone(),
            description: best_sentence(arms, grid),
            column_label: "peak learning rate".to_owned(),
            columns: grid.rates.iter().map(|rate| number::short(*rate)).collect(),
            row_label: "λ".to_owned(),
            rows: rows.iter().map(|lambda| number::short(*lambda)).collect(),
            cells,
        }),
        name,
        caption: format!("{caption} {}", best_sentence(arms, grid)),
        table,
        csv,
    })
}

fn cell(arm: &Arm) -> Cell {
    let loss = arm.final_train;
    if !loss.mean.is_finite() {
        return Cell { value: f64::NAN, label: missing(arm), detail: String::new() };
    }
    let half = half_width(&loss);
    let seeds = wd_page::counted(loss.n, "seed");
    let mut detail = if half.is_finite() {
        format!("±{} · {seeds}", number::fixed(half, number::decimals_for(half, 4).min(4)))
    } else {
        seeds
    };
    if !arm.diverged.is_empty() {
        detail = format!("{} of {} diverged", arm.diverged.len(), arm.diverged.len() + loss.n);
    }
    Cell { value: loss.mean, label: number::fixed(loss.mean, 4), detail }
}

/// The best rate of each λ, in a sentence.
fn best_sentence(arms: &[Arm], grid: &Grid) -> String {
    let best: Vec<String> = grid
        .lambdas
        .iter()
        .filter_map(|lambda| {
            let candidates = grid.rates.iter().filter_map(|rate| grid.arm(arms, *lambda, *rate));
            let best = candidates
                .filter(|arm| arm.final_train.mean.is_finite())
                .min_by(|a, b| a.final_train.mean.total_cmp(&b.final_train.mean))?;
            Some(format!(
                "{} for λ = {}",
                best.peak_learning_rate.map_or_else(String::new, number::short),
                number::short(*lambda)
            ))
        })
        .collect();
    if best.is_empty() {
        String::new()
    } else {
        format!("Best peak learning rate: {}.", best.join(", "))
    }
}

fn rate(arm: &Arm) -> String {
    arm.peak_learning_rate.map_or_else(String::new, number::short)
}

fn best_rates(study: &Study<'_>, grid: &Grid) -> Table {
    let mut table = Table::new(
        &[
            "λ at its best learning rate",
            "λ = 0 at its best",
            "training loss, paired",
            "p",
            "validation loss, paired",
            "p",
            "seeds",
        ],
        2,
    );
    for comparison in &study.analysis.comparisons {
        if comparison.kind != ComparisonKind::BestLearningRate
            || !grid.arms.contains(&comparison.arm)
        {
            continue;
        }
        let (arm, baseline) =
            (&study.analysis.arms[comparison.arm], &study.analysis.arms[comparison.baseline]);
        table.rows.push(vec![
            format!("λ = {}, peak LR {}", number::short(arm.lambda), rate(arm)),
            format!("peak LR {}", rate(baseline)),
            words::difference_interval(&comparison.final_train.interval),
            words::p_value(comparison.final_train.p_value),
            words::difference_interval(&comparison.final_validation.interval),
            words::p_value(comparison.final_validation.p_value),
            comparison.final_train.interval.n.to_string(),
        ]);
    }
    table
}
