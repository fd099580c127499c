//! Maximum likelihood and MAP as the sample grows, and error over λ.

use super::{colour, name, with_interval};
use crate::prior::findings::{ErrorCurve, PriorFindings};
use crate::prior::simulation::Rule;
use wd_lab::page::mean_point;
use wd_page::figure::{Colour, Mark, Moment, Panel, PanelFigure, Reference, Series, Transform};
use wd_page::{Content, FigureBlock, Section, Table, number};

pub(super) fn sizes(findings: &PriorFindings) -> Section {
    let mut errors = [
        Panel::new("Error on fresh rows (1: the target's variance)", 220.0),
        Panel::new("Error on shifted rows", 220.0),
    ];
    let mut differences = [
        Panel::new("MAP − maximum likelihood, fresh rows", 220.0),
        Panel::new("MAP − maximum likelihood, shifted rows", 220.0),
    ];
    for rule in [Rule::MaximumLikelihood, Rule::Evidence, Rule::LeaveOneOut] {
        let points = |of: fn(&crate::prior::RuleErrors) -> wd_statistics::Interval| {
            findings
                .sizes
                .iter()
                .filter_map(|size| {
                    let found = size.rules.iter().find(|found| found.rule == rule)?;
                    Some(mean_point(size.rows as f64, of(found)))
                })
                .collect()
        };
        let drawn = |points| Series::new(name(rule), colour(rule), Mark::Line, points);
        errors[0].series.push(drawn(points(|found| found.fresh)));
        errors[1].series.push(drawn(points(|found| found.shifted)));
        if rule != Rule::MaximumLikelihood {
            differences[0].series.push(drawn(points(|found| found.fresh_difference)));
            differences[1].series.push(drawn(points(|found| found.shifted_difference)));
        }
    }
    for panel in &mut errors {
        panel.transform = Transform::Log;
    }
    for panel in &mut differences {
        panel.references.push(Reference { y: 0.0, label: String::new(), dotted: false });
    }
    let panels = errors.into_iter().chain(differences).collect();
    let figure = FigureBlock::of_panels(
        PanelFigure::over("sample-size", "rows learnt from, n", panels, 2),
        "Maximum likelihood and MAP as the sample grows.",
        "Below 0 in the lower panels the prior helps. Bands are 95 % intervals of the mean over \
         draws, and of the mean of paired differences.",
        number::measured,
    );
    let mut table = Table::new(
        &[
            "rule",
            "n",
            "median λ",
            "training",
            "fresh",
            "shifted",
            "fresh, − ML",
            "shifted, − ML",
            "better in",
        ],
        1,
    );
    for size in &findings.sizes {
        for found in &size.rules {
            let is_reference = found.rule == Rule::MaximumLikelihood;
            let less = |interval| {
                if is_reference { number::MISSING.to_owned() } else { with_interval(interval, 3) }
            };
            table.rows.push(vec![
                name(found.rule).to_owned(),
                size.rows.to_string(),
                lambda(found.median_lambda),
                number::fixed(found.training.mean, 3),
                number::fixed(found.fresh.mean, 3),
                number::fixed(found.shifted.mean, 3),
                less(found.fresh_difference),
                less(found.shifted_difference),
                if is_reference {
                    number::MISSING.to_owned()
                } else {
                    number::percent(found.better)
                },
            ]);
        }
    }
    Section::full(
        "samples",
        "Where maximum likelihood over-fits",
        vec![figure.into(), Content::Table(table)],
    )
    .named("Small samples")
}

pub(super) fn curve(curve: &ErrorCurve) -> Section {
    let mut panel = Panel::new("Mean squared error (1: the target's variance)", 280.0);
    panel.transform = Transform::Log;
    for (label, colour, of) in [
        (
            "the sample itself",
            Colour::Baseline,
            (|point| point.training) as fn(&crate::prior::CurvePoint) -> wd_statistics::Interval,
        ),
        ("fresh rows", Colour::Sequence(10), |point| point.fresh),
        ("shifted rows", Colour::Sequence(4), |point| point.shifted),
    ] {
        let points = curve.points.iter().map(|point| mean_point(point.lambda, of(point))).collect();
        panel.series.push(Series::new(label, colour, Mark::Line, points));
    }
    let panel_series = panel.series.clone();
    for chosen in &curve.chosen {
        let median = chosen.quartiles[1];
        if median > 0.0 && median.is_finite() {
            panel.moments.push(Moment {
                x: median,
                y: f64::NAN,
                label: name(chosen.rule).to_owned(),
                colour: colour(chosen.rule),
            });
        }
    }
    let figure = FigureBlock::of_panels(
        PanelFigure::over(
            "error-over-lambda",
            "λ on standardised columns, summed loss",
            vec![panel],
            1,
        ),
        &format!("Error over λ, learnt from {} rows.", curve.rows),
        "To the left the model over-fits: the sample's own error goes on falling while that of \
         fresh rows rises. To the right it under-fits: both rise. Dotted lines are the medians of \
         the λ that each rule chooses. Bands are 95 % intervals of the mean over draws.",
        number::measured,
    );
    let mut by_sigma = Panel::new("Mean squared error (1: the target's variance)", 220.0);
    by_sigma.transform = Transform::Log;
    by_sigma.series = panel_series
        .into_iter()
        .map(|mut series| {
            // σ falls as λ grows.
            series.points.reverse();
            for point in &mut series.points {
                point.x = 1.0 / point.x.sqrt();
            }
            series
        })
        .collect();
    let over_sigma = FigureBlock::of_panels(
        PanelFigure::over(
            "error-over-sigma",
            "σ = 1/√λ of the prior, in units of the noise's standard deviation",
            vec![by_sigma],
            1,
        ),
        "The same over σ.",
        "A wide prior, to the right, over-fits; a narrow one, to the left, under-fits. Bands are \
         95 % intervals of the mean over draws.",
        number::measured,
    );
    let mut path = Table::new(&["λ", "σ = 1/√λ (of the noise)", "training", "fresh", "shifted"], 0);
    for point in &curve.points {
        path.rows.push(vec![
            lambda(point.lambda),
            lambda(point.sigma),
            number::fixed(point.training.mean, 3),
            with_interval(point.fresh, 3),
            with_interval(point.shifted, 3),
        ]);
    }
    let mut chosen = Table::new(
        &["rule", "median λ", "quartiles", "median σ (of the noise)", "error on fresh rows"],
        1,
    );
    for choice in &curve.chosen {
        let [low, median, high] = choice.quartiles;
        chosen.rows.push(vec![
            name(choice.rule).to_owned(),
            lambda(median),
            format!("{} to {}", lambda(low), lambda(high)),
            lambda(1.0 / median.sqrt()),
            with_interval(choice.fresh, 3),
        ]);
    }
    Section::full(
        "curve",
        "Too weak a prior, too strong a prior",
        vec![
            figure.into(),
            over_sigma.into(),
            Content::Heading("Where each rule puts λ".to_owned()),
            Content::Table(chosen),
            Content::More("λ, σ and errors along the curve".to_owned(), vec![Content::Table(path)]),
        ],
    )
    .named("Error over λ")
}

/// λ or σ to three digits; ∞ is an answer too.
fn lambda(value: f64) -> String {
    if value == f64::INFINITY {
        return "∞".to_owned();
    }
    number::short(number::rounded(value))
}
