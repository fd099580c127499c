//! Evidence and errors over λ, and what each criterion chooses.

use crate::comparison::{Curve, Measure};

use super::{EvidenceAnalysis, over_lambda, point};
use wd_page::figure::{Colour, Labels, Mark, Moment, Panel, Series, Transform};
use wd_page::number;
use wd_page::{Content, FigureBlock, Section, Table};

/// The section; `notes` are remarks of whoever made the fit.
pub(super) fn section(analysis: &EvidenceAnalysis, notes: &[String]) -> Section {
    let mut contents: Vec<Content> = notes.iter().cloned().map(Content::Paragraph).collect();
    contents.push(curves(analysis));
    contents.extend(choices(analysis));
    Section::full("choice", "Which λ, and by what", contents).named("Choice of λ")
}

fn series(label: &str, colour: Colour, mark: Mark, points: Vec<wd_page::figure::Point>) -> Series {
    Series { label: label.to_owned(), colour, mark, points, annotations: Vec::new() }
}

fn curves(analysis: &EvidenceAnalysis) -> Content {
    let lambdas = &analysis.comparison.lambdas;
    let along = |values: &[f64]| -> Vec<wd_page::figure::Point> {
        lambdas.iter().zip(values).map(|(x, y)| point(*x, *y)).collect()
    };
    let mut panels = Vec::new();
    for curve in &analysis.comparison.curves {
        if curve.measure == Measure::LogEvidence {
            panels.push(evidence(analysis, along(&curve.values)));
        }
    }
    let errors: Vec<&Curve> = analysis
        .comparison
        .curves
        .iter()
        .filter(|curve| curve.measure != Measure::LogEvidence)
        .collect();
    if !errors.is_empty() || !analysis.training_errors.is_empty() {
        panels.push(error_panel(analysis, &errors, &along));
    }
    let mut gamma = Panel::new("Effective parameters γ", 130.0);
    gamma.series = vec![series("", Colour::Ink, Mark::Line, along(&analysis.effective_parameters))];
    gamma.domain = Some((0.0, 1.04 * analysis.rank as f64));
    panels.push(gamma);
    Content::Figure(Box::new(FigureBlock::of_panels(
        over_lambda("choice-curves", panels, Labels::Key),
        "Evidence, prediction error and effective parameters over λ.",
        "Look at whether the criteria agree, and at how flat they are where they do not. The dotted lines on the evidence are its maximum \
         and the 95 % interval of ln λ from its curvature there. A ring marks the least error of its criterion; \
         bands are ± one standard error over folds. Small λ is maximum likelihood, large λ a prior that leaves nothing to the data.",
        number::measured,
    )))
}

fn evidence(analysis: &EvidenceAnalysis, points: Vec<wd_page::figure::Point>) -> Panel {
    let mut panel = Panel::new("Log evidence ln p(y | λ) (nats)", 190.0);
    let best = points
        .iter()
        .map(|point| point.y)
        .filter(|value| value.is_finite())
        .fold(f64::NEG_INFINITY, f64::max);
    // The evidence falls like ln λ for ever; what is far below the maximum says nothing.
    let lowest = points
        .iter()
        .map(|point| point.y)
        .filter(|value| value.is_finite())
        .fold(f64::INFINITY, f64::min);
    let depth = (best - lowest).clamp(4.0, 60.0);
    panel.domain = Some((best - depth, best + 0.06 * depth));
    panel.series = vec![series("", Colour::Ink, Mark::Line, points)];
    let moment = |x: f64, y: f64, label: String| Moment { x, y, label, colour: Colour::Ink };
    if analysis.lambda.is_finite() && analysis.lambda > 0.0 {
        panel.moments.push(moment(
            analysis.lambda,
            best,
            format!("λ = {}", number::short(number::rounded(analysis.lambda))),
        ));
        if let Some((low, high)) = analysis.interval {
            for end in [low, high] {
                panel.moments.push(moment(end, f64::NAN, number::short(number::rounded(end))));
            }
        }
    }
    panel
}

fn error_panel(
    analysis: &EvidenceAnalysis,
    errors: &[&Curve],
    along: &dyn Fn(&[f64]) -> Vec<wd_page::figure::Point>,
) -> Panel {
    let is_squared = errors.first().is_none_or(|curve| curve.measure == Measure::SquaredError);
    let mut panel = Panel::new(
        if is_squared { "Mean squared error" } else { "Mean negative log likelihood (nats a row)" },
        220.0,
    );
    if is_squared {
        panel.transform = Transform::Log;
    }
    if !analysis.training_errors.is_empty() {
        panel.series.push(series(
            "training rows",
            Colour::Baseline,
            Mark::Line,
            along(&analysis.training_errors),
        ));
    }
    for (curve, colour) in errors.iter().zip(Colour::sequence(errors.len())) {
        let name = curve.criterion.name();
        let mut points = along(&curve.values);
        for (point, error) in points.iter_mut().zip(&curve.standard_errors) {
            (point.low, point.high) = (point.y - error, point.y + error);
        }
        panel.series.push(series(&name, colour, Mark::Line, points));
    }
    for (curve, colour) in errors.iter().zip(Colour::sequence(errors.len())) {
        let choice =
            analysis.comparison.choices.iter().find(|choice| choice.criterion == curve.criterion);
        if let Some(choice) = choice {
            panel.series.push(series(
                "",
                colour,
                Mark::Rings,
                vec![point(choice.lambda, curve.values[choice.index])],
            ));
        }
    }
    // An over-fitted end may lie orders of magnitude above the rest.
    let held_out = errors.iter().flat_map(|curve| curve.values.iter().copied());
    let training = analysis.training_errors.iter().copied();
    let finite = |value: &f64| value.is_finite() && (!is_squared || *value > 0.0);
    let least = held_out.clone().filter(finite).fold(f64::INFINITY, f64::min);
    let last = errors
        .iter()
        .filter_map(|curve| curve.values.last().copied())
        .filter(finite)
        .fold(least, f64::max);
    if least.is_finite() {
        let lowest = training.filter(finite).fold(least, f64::min);
        let (bottom, top) = if is_squared {
            (lowest.max(0.2 * least) * 0.9, (4.0 * least).max(1.1 * last))
        } else {
            let height = (last - least).max(0.1);
            (lowest.max(least - height) - 0.05 * height, last + 0.5 * height)
        };
        panel.domain = Some((bottom, top));
    }
    panel
}

/// What each criterion chooses and pays.
fn choices(analysis: &EvidenceAnalysis) -> Vec<Content> {
    let comparison = &analysis.comparison;
    if comparison.choices.len() < 2 {
        return vec![Content::Absent(
            "Only the evidence was asked; --compare loo,gcv,cv:10 sets other criteria beside it."
                .to_owned(),
        )];
    }
    let mut names = vec!["chosen by".to_owned(), "λ".to_owned()];
    names.extend(
        comparison.curves.iter().map(|curve| format!("cost by {}", curve.criterion.name())),
    );
    let columns: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut table = Table::new(&columns, 1);
    for choice in &comparison.choices {
        let edge = if choice.at_edge { " (edge)" } else { "" };
        let mut row = vec![
            choice.criterion.name(),
            format!("{}{edge}", number::short(number::rounded(choice.lambda))),
        ];
        for (cost, curve) in choice.costs.iter().zip(&comparison.curves) {
            row.push(cost_text(*cost, curve.measure));
        }
        table.rows.push(row);
    }
    vec![
        Content::Heading("What each choice costs by the other criteria".to_owned()),
        Content::Table(table),
        Content::Paragraph(
            "Costs are log evidence lost (nats), and by how much the error exceeds the least of its criterion. Each error is itself an \
             estimate: a difference within its standard error decides nothing."
                .to_owned(),
        ),
    ]
}

/// A cost in the unit of its measure.
pub(super) fn cost_text(cost: f64, measure: Measure) -> String {
    match measure {
        Measure::SquaredError => {
            if cost == 0.0 {
                "0".to_owned()
            } else if cost < 0.01 {
                format!("+{} %", number::fixed(100.0 * cost, 2))
            } else {
                format!("+{}", number::percent(cost))
            }
        }
        Measure::LogEvidence => format!("{} nats", number::fixed(cost, 2)),
        Measure::LogLoss => number::signed(cost, 4),
    }
}
