//! Points and panels over λ.

use wd_page::figure::{
    Colour, Horizontal, Labels, Mark, Panel, PanelFigure, Point, Series, Transform,
};

/// A point without an interval.
pub(super) fn point(x: f64, y: f64) -> Point {
    Point { x, y, low: f64::NAN, high: f64::NAN }
}

/// Points under a name.
pub(super) fn series(label: &str, colour: Colour, mark: Mark, points: Vec<Point>) -> Series {
    Series { label: label.to_owned(), colour, mark, points, annotations: Vec::new() }
}

/// Panels one below the other over λ.
pub(super) fn over_lambda(id: &str, panels: Vec<Panel>) -> PanelFigure {
    figure(id, "λ = α/β on standardised columns", Transform::Log, panels, String::new())
}

/// Panels one below the other; `dashes` says what a dashed line is.
pub(super) fn figure(
    id: &str,
    along: &str,
    transform: Transform,
    panels: Vec<Panel>,
    dashes: String,
) -> PanelFigure {
    PanelFigure {
        id: id.to_owned(),
        title: String::new(),
        description: String::new(),
        horizontal: Horizontal::Quantity { label: along.to_owned(), transform },
        panels,
        columns: 1,
        labels: Labels::Key,
        dashes,
    }
}
