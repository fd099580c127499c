//! A figure as a file of its own: with its size, its colours and its fonts, light or dark as the
//! reader's screen is.

use super::Figure;
use crate::number::coordinate;

/// Colours on a light ground.
pub(crate) const LIGHT: &str = include_str!("light.css");
/// Colours on a dark ground.
pub(crate) const DARK: &str = include_str!("dark.css");
/// Lines and words of every figure.
pub(crate) const FIGURE: &str = include_str!("figure.css");

/// The page's fonts, which a file has to name itself.
const FONTS: &str =
    "-apple-system,'Segoe UI',Roboto,'Noto Sans','Liberation Sans',Arial,sans-serif";
/// Room around the drawing in pixels: a page has margins, a file has none.
const MARGIN: f64 = 16.0;

impl Figure {
    /// The figure as a complete SVG file laid out for `width` pixels.
    ///
    /// It loads nothing, and follows the reader's preference for light or dark.
    ///
    /// ```
    /// use wd_report::figure::{Figure, Horizontal, Labels, Panel, PanelFigure, Transform};
    ///
    /// let figure = Figure::Panels(PanelFigure {
    ///     id: "empty".to_owned(),
    ///     title: "Nothing".to_owned(),
    ///     description: "An empty panel".to_owned(),
    ///     horizontal: Horizontal::Quantity { label: "step".to_owned(), transform: Transform::Linear },
    ///     panels: vec![Panel::new("y", 100.0)],
    ///     columns: 1,
    ///     labels: Labels::None,
    ///     dashes: String::new(),
    /// });
    /// assert!(figure.file(700.0).starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    /// ```
    pub fn file(&self, width: f64) -> String {
        let inner = self.svg(width - 2.0 * MARGIN);
        let height = height(&inner) + 2.0 * MARGIN;
        let (width, height) = (coordinate(width), coordinate(height));
        let margin = coordinate(MARGIN);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"-{margin} -{margin} {width} {height}\" font-family=\"{FONTS}\">\n\
             <style>:root{{{LIGHT}background:var(--paper)}}\n\
             @media (prefers-color-scheme:dark){{:root{{{DARK}}}}}\n{FIGURE}</style>\n\
             {}</svg>\n",
            sized(&inner)
        )
    }
}

/// Height of a drawing, from its view box.
fn height(svg: &str) -> f64 {
    view_box(svg)
        .and_then(|numbers| numbers.split(' ').nth(3)?.parse().ok())
        .unwrap_or(0.0)
}

fn view_box(svg: &str) -> Option<&str> {
    svg.split_once("viewBox=\"")?.1.split('"').next()
}

/// The inner drawing at its natural size: an `<svg>` in an `<svg>` would else fill it, margins and
/// all.
fn sized(svg: &str) -> String {
    let width = view_box(svg)
        .and_then(|numbers| numbers.split(' ').nth(2))
        .unwrap_or("0");
    let height = coordinate(height(svg));
    svg.replacen(
        "<svg ",
        &format!("<svg width=\"{width}\" height=\"{height}\" overflow=\"visible\" "),
        1,
    )
}
