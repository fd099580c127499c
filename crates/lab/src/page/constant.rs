//! Point 3: final training loss against λ under a constant learning rate.

use crate::Arm;

use super::arrangement::{Group, Study};
use super::curves::arm_dots;
use super::{csv_row, mean_point};
use crate::wording::cell as words;
use wd_page::figure::{Horizontal, Labels, Mark, Note, Panel, PanelFigure, Reference, Series};
use wd_page::{Content, Csv, FigureBlock, Section, Table, number};

/// The section.
pub(crate) fn section(study: &Study<'_>) -> Section {
    let contents = match study.group_with(true) {
        None => vec![Content::Absent(
            "Left out: no arm of this study trained under a constant learning rate. Add \
             schedule.kind=constant to the sweep."
                .to_owned(),
        )],
        Some(group) => {
            let introduction = format!(
                "Without annealing, a larger λ leaves a larger effective learning rate and so more \
                 noise in the final weights: the raw training loss is expected to rise with λ, the \
                 opposite of what a decaying schedule can show. These are losses of the raw \
                 weights, as those of every schedule here; a moving average of the weights \
                 (run.average) takes a part of that noise away, and `wd reproduce claims` shows \
                 which part. Learning rate: {}.",
                study.schedule(group)
            );
            vec![Content::Paragraph(introduction), figure(study, group)]
        }
    };
    Section::full("constant", "Under a constant learning rate", contents).named("Constant LR")
}

fn figure(study: &Study<'_>, group: &Group) -> Content {
    let arms = study.arms(group);
    let mut loss = Panel::new(format!("Final training loss ({})", study.loss_unit()), 190.0);
    for (place, (arm, data)) in arms.iter().enumerate() {
        loss.series.push(Series {
            label: String::new(),
            colour: study.colour(*arm),
            mark: Mark::Dots,
            points: vec![mean_point(place as f64, data.final_train)],
            annotations: vec![words::mean_interval(&data.final_train, 4)],
        });
        if !data.final_train.mean.is_finite() {
            loss.notes.push(Note { x: place as f64, text: missing(data) });
        }
    }
    let mut panels = vec![loss];
    let changes = || {
        arms.iter().map(|(arm, _)| {
            (*arm, study.comparison(*arm).map(|comparison| comparison.final_train.interval))
        })
    };
    if changes().any(|(_, change)| change.is_some_and(|change| change.mean.is_finite())) {
        let mut panel = Panel::new("Difference to λ = 0, paired by seed", 170.0);
        panel.series = arm_dots(study, changes());
        panel.references.push(Reference { y: 0.0, label: String::new(), dotted: false });
        panels.push(panel);
    }
    let paired = panels.len() > 1;
    let seeds = || arms.iter().map(|(_, arm)| arm.final_train.n);
    let name = "Final training loss under a constant learning rate.".to_owned();
    let caption = format!(
        "Look for a rise with λ. Dots are means of the last 5 % of the steps{}. {}",
        if paired { ", below their differences between runs of equal seed" } else { "" },
        words::intervals("Bars", seeds(), "seed"),
    );
    let description = arms
        .iter()
        .map(|(arm, data)| {
            format!("{}: {}.", study.label(*arm), words::mean_interval(&data.final_train, 4))
        })
        .collect::<Vec<_>>()
        .join(" ");
    let (table, csv) = numbers(study, &arms);
    let names = arms.iter().map(|(arm, data)| {
        let kappa = number::short(number::rounded(data.kappa()));
        format!("{}\nκ = {kappa}", study.label(*arm))
    });
    let horizontal = Horizontal::categories("", names);
    let figure = PanelFigure {
        description,
        labels: Labels::None,
        ..PanelFigure::along("constant-rate", horizontal, panels)
    };
    FigureBlock::new(figure, name, caption, table, csv).into()
}

/// Why an arm has no loss.
pub(crate) fn missing(arm: &Arm) -> String {
    if !arm.diverged.is_empty() {
        "diverged".to_owned()
    } else if !arm.unfinished.is_empty() {
        "not finished".to_owned()
    } else {
        "no data".to_owned()
    }
}

fn numbers(study: &Study<'_>, arms: &[(usize, &Arm)]) -> (Table, Csv) {
    let mut table =
        Table::new(&["arm", "κ", "final training loss", "difference to λ = 0", "seeds", "p"], 1);
    let mut csv = Csv::new(&["arm", "lambda", "kappa", "quantity", "mean", "low", "high", "n"]);
    for (arm, data) in arms {
        let difference = study.comparison(*arm).map(|comparison| &comparison.final_train);
        table.rows.push(vec![
            study.label(*arm).to_owned(),
            number::short(data.kappa()),
            words::mean_interval(&data.final_train, 4),
            difference.map_or(String::new(), |difference| {
                words::difference_interval(&difference.interval)
            }),
            data.final_train.n.to_string(),
            difference.map_or(String::new(), |difference| words::p_value(difference.p_value)),
        ]);
        let quantities = [
            ("final_training_loss", Some(data.final_train)),
            ("paired_difference", difference.map(|d| d.interval)),
        ];
        for (name, interval) in quantities {
            let Some(interval) = interval else { continue };
            let about =
                [study.label(*arm).into(), data.lambda.into(), data.kappa().into(), name.into()];
            csv_row(&mut csv, &about, &interval);
        }
    }
    (table, csv)
}
