//! Point 4, second half: the weight norm that theory predicts, drawn over the measured one, role by
//! role.

use crate::RoleNorm;

use super::arrangement::{Group, Study};
use crate::wording::cell as words;
use wd_decay::Role;
use wd_page::figure::{
    Figure, Horizontal, Labels, Mark, Panel, PanelFigure, Point, Series, Transform,
};
use wd_page::number;
use wd_page::{Content, Csv, FigureBlock, Table};

/// A ratio of measured to predicted norm further from 1 than this is called a miss.
const TOLERANCE: f64 = 0.1;

/// Name of a role or of one kind of its tensors.
fn name(norm: &RoleNorm) -> String {
    match &norm.kind {
        Some(kind) => kind.trim_end_matches(".weight").to_owned(),
        None => match norm.role {
            Role::Matrix => "all matrices".to_owned(),
            Role::Convolution => "all convolutions".to_owned(),
            Role::ClassToken => "class token".to_owned(),
            Role::Norm => "norm gains".to_owned(),
            Role::Bias => "biases".to_owned(),
            role => role.to_string(),
        },
    }
}

/// The figure, the table of ratios, and where the theory misses.
pub(crate) fn contents(study: &Study<'_>, group: &Group, index: usize) -> Vec<Content> {
    let arms = study.arms(group);
    // The roles and kinds of all arms, in the order in which they first appear.
    let mut names: Vec<String> = Vec::new();
    for norm in arms.iter().flat_map(|(_, arm)| &arm.weight_rms_by_role) {
        // Kinds of matrices only for the first group: the page would grow by megabytes.
        if index > 0 && norm.kind.is_some() {
            continue;
        }
        let name = name(norm);
        if !names.contains(&name) && norm.measured.iter().any(|band| band.mean.is_finite()) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return Vec::new();
    }
    let find = |arm: usize, wanted: &str| -> Option<&RoleNorm> {
        study.analysis.arms[arm].weight_rms_by_role.iter().find(|norm| name(norm) == wanted)
    };

    let mut csv = Csv::new(&["tensors", "arm", "quantity", "step", "mean", "low", "high", "n"]);
    let mut panels = Vec::new();
    for wanted in &names {
        let mut panel = Panel::new(wanted.clone(), 130.0);
        for (arm, _) in &arms {
            let Some(norm) = find(*arm, wanted) else {
                continue;
            };
            panel.series.push(Series {
                label: study.label(*arm).to_owned(),
                colour: study.colour(*arm),
                mark: Mark::Line,
                points: norm
                    .measured
                    .iter()
                    .map(|band| Point {
                        x: band.step,
                        y: band.mean,
                        low: band.low,
                        high: band.high,
                    })
                    .collect(),
                annotations: Vec::new(),
            });
            for band in &norm.measured {
                csv.row(&[
                    wanted.as_str().into(),
                    study.label(*arm).into(),
                    "measured".into(),
                    band.step.into(),
                    band.mean.into(),
                    band.low.into(),
                    band.high.into(),
                    band.n.into(),
                ]);
            }
        }
        for (arm, _) in &arms {
            let Some(norm) = find(*arm, wanted) else {
                continue;
            };
            if norm.predicted.is_empty() {
                continue;
            }
            let drawn = thinned(&norm.predicted);
            for (step, rms) in &drawn {
                csv.row(&[
                    wanted.as_str().into(),
                    study.label(*arm).into(),
                    "predicted".into(),
                    (*step).into(),
                    (*rms).into(),
                    f64::NAN.into(),
                    f64::NAN.into(),
                    f64::NAN.into(),
                ]);
            }
            panel.series.push(Series {
                label: format!("{}, predicted", study.label(*arm)),
                colour: study.colour(*arm),
                mark: Mark::Dashes,
                points: drawn
                    .into_iter()
                    .map(|(x, y)| Point { x, y, low: f64::NAN, high: f64::NAN })
                    .collect(),
                annotations: Vec::new(),
            });
        }
        panels.push(panel);
    }

    let setting = group.suffix();
    let title = format!("Weight norms, measured and predicted{setting}.");
    let seeds = || {
        arms.iter()
            .flat_map(|(_, arm)| &arm.weight_rms_by_role)
            .flat_map(|norm| norm.measured.first())
            .map(|band| band.n)
    };
    let caption = format!(
        "Root mean square of the weights over the run. Look at whether each dashed line lies on \
         the solid line of its colour: dashes are the norm recursion \
         ρ\u{a0}←\u{a0}(1\u{a0}−\u{a0}s)²ρ\u{a0}+\u{a0}η²D (D = 1 for Adam) with nothing fitted, \
         which assumes gradients that are mostly noise and coordinates that are all updated at \
         every step. {}",
        words::intervals("Bands", seeds(), "seed"),
    );
    let table = ratios(study, group, &names, &find);
    let misses = misses(study, group, &names, &find);
    let figure = Content::Figure(Box::new(FigureBlock {
        figure: Figure::Panels(PanelFigure {
            id: if index == 0 {
                "weight-norms".to_owned()
            } else {
                format!("weight-norms-{index}")
            },
            title: title.clone(),
            description: format!(
                "Small multiples, one for each of: {}. {misses}",
                names.join(", ")
            ),
            horizontal: Horizontal::Quantity {
                label: "step".to_owned(),
                transform: Transform::Linear,
            },
            panels,
            columns: 3,
            labels: Labels::Key,
            dashes: "predicted by the norm recursion".to_owned(),
        }),
        name: title,
        caption,
        table,
        csv,
    }));
    let mut contents = vec![figure];
    if !misses.is_empty() {
        contents.push(Content::Paragraph(misses));
    }
    contents
}

/// At most about 60 points of a prediction that has one for every step; the last one is kept.
pub(crate) fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let stride = points.len().div_ceil(60).max(1);
    let last = points.len().saturating_sub(1);
    points
        .iter()
        .enumerate()
        .filter(|(index, _)| index % stride == 0 || *index == last)
        .map(|(_, point)| *point)
        .collect()
}

fn ratios<'a>(
    study: &Study<'_>,
    group: &Group,
    names: &[String],
    find: &impl Fn(usize, &str) -> Option<&'a RoleNorm>,
) -> Table {
    let mut table = Table::new(&["measured / predicted at the end"], 1);
    table.columns.extend(group.arms.iter().map(|arm| study.label(*arm).to_owned()));
    for wanted in names {
        let mut row = vec![wanted.clone()];
        row.extend(group.arms.iter().map(|arm| {
            find(*arm, wanted).map_or(String::new(), |norm| words::mean_interval(&norm.ratio, 3))
        }));
        table.rows.push(row);
    }
    table
}

/// Where the recursion holds and where it does not, in a sentence or two.
fn misses<'a>(
    study: &Study<'_>,
    group: &Group,
    names: &[String],
    find: &impl Fn(usize, &str) -> Option<&'a RoleNorm>,
) -> String {
    let (mut held, mut missed) = (Vec::new(), Vec::new());
    for wanted in names {
        let ratios: Vec<f64> = group
            .arms
            .iter()
            .filter_map(|arm| find(*arm, wanted))
            .map(|norm| norm.ratio.mean)
            .filter(|ratio| ratio.is_finite())
            .collect();
        if ratios.is_empty() {
            continue;
        }
        let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let high = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (low_text, high_text) = (number::fixed(low, 2), number::fixed(high, 2));
        let range =
            if low_text == high_text { low_text } else { format!("{low_text} to {high_text}") };
        if low >= 1.0 - TOLERANCE && high <= 1.0 + TOLERANCE {
            held.push(format!("{wanted} ({range})"));
        } else {
            missed.push(format!("{wanted} ({range})"));
        }
    }
    let _ = study;
    match (held.is_empty(), missed.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!(
            "At the end of the run, measured over predicted norm is within 10 % of 1 for {}.",
            held.join(", ")
        ),
        (true, false) => format!(
            "The recursion misses by more than 10 % everywhere: measured over predicted norm at \
             the end is {}.",
            missed.join(", ")
        ),
        (false, false) => format!(
            "Measured over predicted norm at the end is within 10 % of 1 for {}. The theory misses \
             for {}: it is expected to where gradients keep a direction, or where many coordinates \
             are rarely updated.",
            held.join(", "),
            missed.join(", ")
        ),
    }
}
