//! Evidence and errors over λ, and what each criterion chooses.

use wd_page::figure::{Colour, Mark, Moment, Panel, Point, Series, Transform};
use wd_page::number::{self, rounded, short};
use wd_page::{Content, FigureBlock, Section, Table};

use super::curve::over_lambda;
use crate::Outcome;
use crate::comparison::{Choice, Criterion, Curve, Measure};
use crate::fit::{Analysis, Family, PathPoint};

/// The section; `notes` are remarks of whoever made the fit.
pub(super) fn section(analysis: &Analysis, notes: &[String]) -> Section {
    let mut contents: Vec<Content> = notes.iter().cloned().map(Content::Paragraph).collect();
    contents.push(curves(analysis));
    contents.extend(choices(analysis));
    Section::full("choice", "Which λ, and by what", contents).named("Choice of λ")
}

fn curves(analysis: &Analysis) -> Content {
    let lambdas = &analysis.comparison.lambdas;
    let along = |values: &[f64]| -> Vec<Point> {
        lambdas.iter().zip(values).map(|(x, y)| Point::at(*x, *y)).collect()
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
    if !errors.is_empty() || !analysis.path.is_empty() {
        panels.push(error_panel(analysis, &errors, &along));
    }
    let mut gamma = Panel::new("Effective parameters γ", 130.0);
    let parameters = along_path(analysis, |point| point.effective_parameters);
    gamma.series = vec![Series::new("", Colour::Ink, Mark::Line, along(&parameters))];
    gamma.domain = Some((0.0, 1.04 * analysis.rank as f64));
    panels.push(gamma);
    FigureBlock::of_panels(
        over_lambda("choice-curves", panels),
        "Evidence, prediction error and effective parameters over λ.",
        "Look at whether the criteria agree, and at how flat they are where they do not. The \
         dotted lines on the evidence are its maximum and the 95 % interval of ln λ from its \
         curvature there. A ring marks the least error of its criterion; bands are ± one standard \
         error over folds. Small λ is maximum likelihood, large λ a prior that leaves nothing to \
         the data.",
        number::measured,
    )
    .into()
}

fn evidence(analysis: &Analysis, points: Vec<Point>) -> Panel {
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
    panel.series = vec![Series::new("", Colour::Ink, Mark::Line, points)];
    let moment = |x: f64, y: f64, label: String| Moment { x, y, label, colour: Colour::Ink };
    if analysis.lambda.is_finite() && analysis.lambda > 0.0 {
        panel.moments.push(moment(
            analysis.lambda,
            best,
            format!("λ = {}", short(rounded(analysis.lambda))),
        ));
        if let Some((low, high)) = analysis.interval {
            for end in [low, high] {
                panel.moments.push(moment(end, f64::NAN, short(rounded(end))));
            }
        }
    }
    panel
}

fn error_panel(
    analysis: &Analysis,
    errors: &[&Curve],
    along: &dyn Fn(&[f64]) -> Vec<Point>,
) -> Panel {
    let is_squared = errors.first().is_none_or(|curve| curve.measure == Measure::SquaredError);
    let mut panel = Panel::new(
        if is_squared { "Mean squared error" } else { "Mean negative log likelihood (nats a row)" },
        220.0,
    );
    if is_squared {
        panel.transform = Transform::Log;
    }
    let training = along_path(analysis, |point| point.training_error);
    if !training.is_empty() {
        let points = along(&training);
        panel.series.push(Series::new("training rows", Colour::Baseline, Mark::Line, points));
    }
    for (curve, colour) in errors.iter().zip(Colour::sequence(errors.len())) {
        let name = curve.criterion.name();
        let mut points = along(&curve.values);
        for (point, error) in points.iter_mut().zip(&curve.standard_errors) {
            (point.low, point.high) = (point.y - error, point.y + error);
        }
        panel.series.push(Series::new(&name, colour, Mark::Line, points));
    }
    for (curve, colour) in errors.iter().zip(Colour::sequence(errors.len())) {
        let choice =
            analysis.comparison.choices.iter().find(|choice| choice.criterion == curve.criterion);
        if let Some(choice) = choice {
            panel.series.push(Series::new(
                "",
                colour,
                Mark::Rings,
                vec![Point::at(choice.lambda, choice.error)],
            ));
        }
    }
    panel.domain = error_domain(is_squared, errors, &training);
    panel
}

/// A frame that holds the lowest errors: an over-fitted end may lie orders of magnitude above the
/// rest.
fn error_domain(is_squared: bool, errors: &[&Curve], training: &[f64]) -> Option<(f64, f64)> {
    let held_out = errors.iter().flat_map(|curve| curve.values.iter().copied());
    let finite = |value: &f64| value.is_finite() && (!is_squared || *value > 0.0);
    let least = held_out.filter(finite).fold(f64::INFINITY, f64::min);
    let ends = errors.iter().filter_map(|curve| curve.values.last().copied());
    let last = ends.filter(finite).fold(least, f64::max);
    let lowest = training.iter().copied().filter(finite).fold(least, f64::min);
    least.is_finite().then(|| {
        if is_squared {
            (lowest.max(0.2 * least) * 0.9, (4.0 * least).max(1.1 * last))
        } else {
            let height = (last - least).max(0.1);
            (lowest.max(least - height) - 0.05 * height, last + 0.5 * height)
        }
    })
}

fn along_path(analysis: &Analysis, value: impl Fn(&PathPoint) -> f64) -> Vec<f64> {
    analysis.path.iter().map(value).collect()
}

/// What each criterion chooses, and pays by the others; nothing where the evidence stands alone.
pub(super) fn table(analysis: &Analysis) -> Option<Table> {
    let comparison = &analysis.comparison;
    if comparison.choices.len() < 2 {
        return None;
    }
    let mut names = vec!["chosen by".to_owned(), "λ".to_owned()];
    names.extend(
        comparison.curves.iter().map(|curve| format!("cost by {}", curve.criterion.name())),
    );
    let columns: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut table = Table::new(&columns, 1);
    for choice in &comparison.choices {
        let mut row = vec![choice.criterion.name(), chosen(analysis, choice)];
        for (cost, curve) in choice.costs.iter().zip(&comparison.curves) {
            row.push(cost_text(*cost, curve.measure));
        }
        table.rows.push(row);
    }
    Some(table)
}

/// The λ that is chosen. A limit itself is no point of the path, only where the path points.
fn chosen(analysis: &Analysis, choice: &Choice) -> String {
    let limit = match analysis.outcome {
        Outcome::NoSignal => Some(f64::INFINITY),
        Outcome::Noiseless => Some(0.0),
        Outcome::Found => None,
    };
    if let (Criterion::Evidence, Family::Gaussian, Some(limit)) =
        (choice.criterion, analysis.family, limit)
    {
        return format!("{} (beyond the path)", short(limit));
    }
    let lambda = short(choice.lambda);
    match (choice.at_edge, choice.index) {
        (false, _) => lambda,
        (true, 0) => format!("≤ {lambda} (edge of the path)"),
        (true, _) => format!("≥ {lambda} (edge of the path)"),
    }
}

/// The same with a heading, or why it is not there.
fn choices(analysis: &Analysis) -> Vec<Content> {
    let Some(table) = table(analysis) else {
        return vec![Content::Absent(
            "Only the evidence was asked; other criteria (loo, gcv, cv:10) can be set beside it."
                .to_owned(),
        )];
    };
    vec![
        Content::Heading("What each choice costs by the other criteria".to_owned()),
        Content::Table(table),
        Content::Paragraph(
            "Costs are log evidence lost (nats), and by how much the error exceeds the least of \
             its criterion. Each error is itself an estimate: a difference within its standard \
             error decides nothing."
                .to_owned(),
        ),
    ]
}

/// A cost in the unit of its measure.
fn cost_text(cost: f64, measure: Measure) -> String {
    match measure {
        _ if cost == 0.0 => "0".to_owned(),
        Measure::SquaredError if cost < 0.01 => format!("+{} %", number::fixed(100.0 * cost, 2)),
        Measure::SquaredError => format!("+{}", number::percent(cost)),
        Measure::LogEvidence => format!("{} nats", number::fixed(cost, 2)),
        Measure::LogLoss => format!("{} nats a row", number::signed(cost, 4)),
    }
}
