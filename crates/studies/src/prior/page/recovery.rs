//! The σ that the evidence finds of weights drawn with a known one.

use crate::prior::findings::Recovery;
use wd_page::figure::{Colour, Mark, Panel, PanelFigure, Point, Reference, Series};
use wd_page::{Content, FigureBlock, Section, Table, number};

pub(super) fn section(found: &[Recovery]) -> Section {
    let mut widths: Vec<usize> = found.iter().map(|group| group.columns).collect();
    widths.dedup();
    let mut sigma = Panel::new("σ found, median and quartiles (units of the noise)", 220.0);
    let mut coverage = Panel::new("Share of 95 % intervals that hold the true σ", 220.0);
    for (&columns, colour) in widths.iter().zip(Colour::sequence(widths.len())) {
        let group = || found.iter().filter(move |group| group.columns == columns);
        let label = format!("{columns} weights");
        sigma.series.push(Series::new(
            &label,
            colour,
            Mark::Line,
            group()
                .map(|group| {
                    let [low, median, high] = group.quartiles;
                    Point::with_interval(group.rows as f64, median, low, high)
                })
                .collect(),
        ));
        coverage.series.push(Series::new(
            &label,
            colour,
            Mark::Line,
            group()
                .map(|group| {
                    let (low, high) = group.coverage_interval;
                    Point::with_interval(group.rows as f64, group.coverage, low, high)
                })
                .collect(),
        ));
    }
    if let Some(first) = found.first() {
        sigma.references.push(Reference {
            y: first.sigma,
            label: "true σ".to_owned(),
            dotted: false,
        });
    }
    coverage.references.push(Reference { y: 0.95, label: "95 %".to_owned(), dotted: false });
    let mut table = Table::new(
        &[
            "weights p",
            "rows n",
            "median σ",
            "quartiles",
            "coverage",
            "its 95 % interval",
            "without interval",
        ],
        0,
    );
    for group in found {
        let [low, median, high] = group.quartiles;
        table.rows.push(vec![
            group.columns.to_string(),
            group.rows.to_string(),
            sigma_text(median),
            format!("{} to {}", sigma_text(low), sigma_text(high)),
            number::percent(group.coverage),
            format!(
                "{} to {}",
                number::percent(group.coverage_interval.0),
                number::percent(group.coverage_interval.1)
            ),
            group.without_interval.to_string(),
        ]);
    }
    Section::full(
        "recovery",
        "Weights drawn from a known prior",
        vec![
            FigureBlock::of_panels(
                PanelFigure::over("recovery-figure", "rows, n", vec![sigma, coverage], 1),
                "The σ that the evidence finds, and how often its interval is right.",
                "Bands are quartiles over draws above, and the 95 % interval of a share (Wilson) \
                 below. More rows show the weights more exactly, but σ is a property of p weights: \
                 its error does not fall below about 1/√(2p) of σ, whatever n.",
                number::measured,
            ).into(),
            Content::Table(table),
            Content::Paragraph(
                "A draw without an inner maximum of the evidence has no interval and counts as one \
                 that misses: the evidence sees no signal (σ = 0) or, where rows are fewer than \
                 weights and can be fitted exactly, no noise (σ = ∞)."
                    .to_owned(),
            ),
        ],
    )
    .named("Recovery")
}

fn sigma_text(value: f64) -> String {
    if value == f64::INFINITY {
        return "∞".to_owned();
    }
    number::fixed(value, 3)
}
