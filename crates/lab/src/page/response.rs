//! The first figure: final loss over λ, each difference to λ = 0 paired by seed.

use wd_page::figure::{
    Colour, Horizontal, Labels, Mark, Panel, PanelFigure, Point, Reference, Series,
};
use wd_page::{Content, Csv, FigureBlock, Section, Table, number};
use wd_statistics::{Interval, PairedDifference};

use super::arrangement::{Group, Study};
use super::{csv_row, numbered, other_settings};
use crate::wording::cell as words;
use crate::{Arm, Comparison};

/// One of the two losses of a run's end.
struct Loss {
    /// Name and unit, above the panel.
    title: &'static str,
    /// Name in the CSV file.
    key: &'static str,
    of_arm: fn(&Arm) -> &Interval,
    against: fn(&Comparison) -> &PairedDifference,
}

const LOSSES: [Loss; 2] = [
    Loss {
        title: "Validation loss of the final weights",
        key: "validation_loss",
        of_arm: |arm| &arm.final_validation,
        against: |comparison| &comparison.final_validation,
    },
    Loss {
        title: "Training loss, last 5 % of the steps",
        key: "training_loss_last_5_percent",
        of_arm: |arm| &arm.final_train,
        against: |comparison| &comparison.final_train,
    },
];

/// The section; none where λ is not varied against λ = 0 at equal settings, as there is then no
/// difference to draw.
pub(crate) fn section(study: &Study<'_>) -> Option<Section> {
    let groups: Vec<&Group> =
        study.groups.iter().filter(|group| !compared(study, group).is_empty()).collect();
    let (first, others) = groups.split_first()?;
    let mut contents = vec![figure(study, first, 0)];
    let shown = |group: &Group, index| vec![figure(study, group, index)];
    contents.extend(other_settings("The same", others, shown));
    let section = Section::full("response", "Final loss over λ", contents);
    Some(section.named("Loss over λ"))
}

/// The arms of a group that are compared with λ = 0, by rising λ.
fn compared<'a>(study: &Study<'a>, group: &Group) -> Vec<(usize, &'a Arm, &'a Comparison)> {
    let arms = study.arms(group).into_iter();
    let drawn = |comparison: &Comparison| {
        LOSSES.iter().any(|loss| (loss.against)(comparison).interval.mean.is_finite())
    };
    arms.filter(|(_, arm)| arm.lambda > 0.0 && arm.lambda.is_finite())
        .filter_map(|(index, arm)| Some((index, arm, study.comparison(index)?)))
        .filter(|(_, _, comparison)| drawn(comparison))
        .collect()
}

fn figure(study: &Study<'_>, group: &Group, index: usize) -> Content {
    let members = compared(study, group);
    let mut table = Table::new(&["λ", "loss", "against λ = 0", "from", "to", "seeds"], 2);
    let mut csv = Csv::new(&["lambda", "loss", "against_lambda_0", "low", "high", "n"]);
    let mut panels = Vec::new();
    for loss in &LOSSES {
        let baseline = members.iter().find_map(|(_, _, comparison)| {
            let arm = study.analysis.arms.get(comparison.baseline)?;
            (loss.of_arm)(arm).mean.is_finite().then_some((loss.of_arm)(arm).mean)
        });
        let Some(baseline) = baseline else { continue };
        let mut panel = Panel::new(format!("{} ({})", loss.title, study.loss_unit()), 210.0);
        let label = format!("λ = 0: {}", number::fixed(baseline, 4));
        panel.references.push(Reference { y: baseline, label, dotted: false });
        let mut line = Vec::new();
        for (arm, data, comparison) in &members {
            let change = &(loss.against)(comparison).interval;
            if !change.mean.is_finite() {
                continue;
            }
            line.push(Point::at(data.lambda, baseline + change.mean));
            panel.series.push(Series::new(
                "",
                study.colour(*arm),
                Mark::Dots,
                vec![Point::with_interval(
                    data.lambda,
                    baseline + change.mean,
                    baseline + change.low,
                    baseline + change.high,
                )],
            ));
            let signed = |value: f64| match value.is_finite() {
                true => number::signed(value, 4),
                false => String::new(),
            };
            table.rows.push(vec![
                number::short(data.lambda),
                loss.title.to_owned(),
                words::difference_interval(change),
                signed(change.low),
                signed(change.high),
                change.n.to_string(),
            ]);
            csv_row(&mut csv, &[data.lambda.into(), loss.key.into()], change);
        }
        // Below the dots, which it joins.
        panel.series.insert(0, Series::new(loss.title, Colour::Ink, Mark::Line, line));
        panel.domain = domain(&panel);
        panels.push(panel);
    }
    let seeds = || members.iter().map(|(_, _, comparison)| comparison.final_loss().interval.n);
    let is_paired = members.iter().all(|(_, _, comparison)| comparison.pairing.is_paired());
    let name = format!("Final loss over λ{}.", group.suffix());
    let caption = format!(
        "Look for the lowest point, and at whether its bar stays below the line of λ = 0. A dot is \
         the loss at λ = 0 and the mean difference to it{}. {}",
        if is_paired { " between runs of equal seed" } else { "" },
        words::intervals("Bars", seeds(), if is_paired { "paired seed" } else { "run" }),
    );
    let told = members.iter().map(|(arm, _, comparison)| {
        let change = words::difference_interval(&comparison.final_loss().interval);
        format!("{}: {change} against λ = 0.", study.label(*arm))
    });
    let figure = PanelFigure {
        description: told.collect::<Vec<_>>().join(" "),
        columns: 2,
        labels: Labels::None,
        ..PanelFigure::along(
            numbered("response-figure", index),
            Horizontal::logarithmic("λ"),
            panels,
        )
    };
    FigureBlock::new(figure, name, caption, table, csv).into()
}

/// What holds the means, and the bars as far as they are not much longer than what the means span:
/// with two seeds a bar may be a hundred times that.
fn domain(panel: &Panel) -> Option<(f64, f64)> {
    let points = || panel.series.iter().flat_map(|series| &series.points);
    let means = points().map(|point| point.y);
    let all = means.chain(panel.references.iter().map(|reference| reference.y));
    let (low, high) = all
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    let span = (high - low).max(1e-9 * high.abs());
    let ends = points().flat_map(|point| [point.low, point.high]);
    let reached = (low - 0.6 * span)..=(high + 0.6 * span);
    let (low, high) = ends
        .filter(|end| end.is_finite())
        .map(|end| end.clamp(*reached.start(), *reached.end()))
        .fold((low, high), |(low, high), end| (low.min(end), high.max(end)));
    let margin = 0.06 * (high - low).max(span);
    (low <= high).then_some((low - margin, high + margin))
}
