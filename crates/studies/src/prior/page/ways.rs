//! λ seen four ways.

use crate::prior::findings::FourWays;
use wd_page::figure::{
    Colour, Horizontal, Mark, Panel, PanelFigure, Point, Reference, Series, Transform,
};
use wd_page::{Content, FigureBlock, Section, Table, number};

/// What the four ways are to agree within.
const AGREEMENT: f64 = 1e-6;

pub(super) fn section(found: &FourWays) -> Section {
    // The first way is what the others are compared with.
    let others = &found.ways[found.ways.len().min(1)..];
    let mut panel = Panel::new("‖w − w₁‖/‖w₁‖ to the normal equations", 200.0);
    panel.transform = Transform::Log;
    // Equal to the last bit is drawn at the roundoff of f64.
    let point = |(index, y): (usize, f64)| Point::at(index as f64, y.max(f64::EPSILON / 2.0));
    panel.series = vec![
        Series::new(
            "difference measured",
            Colour::Sequence(9),
            Mark::Dots,
            others.iter().map(|way| way.difference).enumerate().map(point).collect(),
        ),
        Series::new(
            "roundoff of its arithmetic",
            Colour::Baseline,
            Mark::Rings,
            others.iter().map(|way| way.roundoff).enumerate().map(point).collect(),
        ),
    ];
    panel.references.push(Reference { y: AGREEMENT, label: "10⁻⁶".to_owned(), dotted: true });
    let names = others.iter().map(|way| way.name.clone());
    let horizontal = Horizontal::categories("way to the minimum", names);
    let figure = PanelFigure::along("four-ways", horizontal, vec![panel]);
    let mut table =
        Table::new(&["way", "arithmetic", "steps", "‖w − w₁‖/‖w₁‖", "largest of a coefficient"], 2);
    for way in &found.ways {
        table.rows.push(vec![
            way.name.clone(),
            way.arithmetic.to_owned(),
            way.steps.to_string(),
            format!("{:.1e}", way.difference),
            format!("{:.1e}", way.largest_difference),
        ]);
    }
    Section::full(
        "ways",
        "One λ, four ways",
        vec![
            Content::Paragraph(format!(
                "On all {} rows, at the λ of highest evidence: prior σ = {} and noise {} give λ = \
                 noise²/σ² = {} for the summed loss, which is 1/σ² with σ in units of the noise, \
                 and {} for the mean loss.",
                found.rows,
                number::short(number::rounded(found.prior_deviation)),
                number::short(number::rounded(found.noise_deviation)),
                number::short(number::rounded(found.lambda)),
                number::short(number::rounded(found.mean_loss_lambda)),
            )),
            FigureBlock::of_panels(
                figure,
                "The same minimum, reached four ways.",
                "The normal equations are the reference. The optimizer computes in f32, whose \
                 weights have a spacing of about 10⁻⁷ of their size: that is the scale of what it \
                 can reach.",
                number::measured,
            )
            .into(),
            Content::Table(table),
        ],
    )
    .named("Four ways")
}
