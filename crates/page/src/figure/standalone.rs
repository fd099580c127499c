//! A figure as a file of its own: with its size, its colours and its fonts, light or dark as the
//! reader's screen is.

use std::collections::BTreeSet;

use super::kind::Figure;
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
    /// use wd_page::figure::{Figure, Horizontal, Labels, Panel, PanelFigure, Transform};
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
        let (drawing, dark) = with_literal_styles(&sized(&inner));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"-{margin} -{margin} {width} {height}\" \
             font-family=\"{FONTS}\">\n<style>{}\n@media \
             (prefers-color-scheme:dark){{\n{}{dark}}}</style>\n<rect class=\"ground\" \
             x=\"-{margin}\" y=\"-{margin}\" width=\"{width}\" \
             height=\"{height}\"/>\n{drawing}</svg>\n",
            literal(FIGURE, LIGHT),
            literal(FIGURE, DARK),
        )
    }
}

/// A style sheet with the colours of `palette` in the place of its variables.
///
/// Browsers know variables; Inkscape, librsvg, resvg and what else draws files do not.
fn literal(style: &str, palette: &str) -> String {
    let mut parts = style.split("var(");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(')').unwrap_or((part, ""));
        out.push_str(colour(name, palette));
        out.push_str(rest);
    }
    out
}

/// The value of the variable `name`.
fn colour<'a>(name: &str, palette: &'a str) -> &'a str {
    palette
        .split(';')
        .filter_map(|definition| definition.split_once(':'))
        .find(|(known, _)| known.trim() == name)
        .map_or("none", |(_, value)| value)
}

/// The drawing with literal light colours in its `style` attributes, and the rules that make them
/// dark: an element's own style gives way only to what is important, and is known by an attribute.
fn with_literal_styles(svg: &str) -> (String, String) {
    let mut out = String::with_capacity(2 * svg.len());
    let mut rules = BTreeSet::new();
    let mut rest = svg;
    while let Some((before, after)) = rest.split_once(" style=\"") {
        let (style, behind) = after.split_once('"').unwrap_or((after, ""));
        out.push_str(before);
        for (property, value) in style.split(';').filter_map(|part| part.split_once(':')) {
            if let Some(name) = value.strip_prefix("var(").and_then(|value| value.strip_suffix(')'))
            {
                let mark = name.trim_start_matches('-');
                out.push_str(&format!(" data-{property}=\"{mark}\""));
                let dark = colour(name, DARK);
                rules.insert(format!("[data-{property}={mark}]{{{property}:{dark}!important}}\n"));
            }
        }
        out.push_str(&format!(" style=\"{}\"", literal(style, LIGHT)));
        rest = behind;
    }
    out.push_str(rest);
    (out, rules.into_iter().collect())
}

/// Height of a drawing, from its view box.
fn height(svg: &str) -> f64 {
    view_box(svg).and_then(|numbers| numbers.split(' ').nth(3)?.parse().ok()).unwrap_or(0.0)
}

fn view_box(svg: &str) -> Option<&str> {
    svg.split_once("viewBox=\"")?.1.split('"').next()
}

/// The inner drawing at its natural size: an `<svg>` in an `<svg>` would else fill it, margins and
/// all.
fn sized(svg: &str) -> String {
    let width = view_box(svg).and_then(|numbers| numbers.split(' ').nth(2)).unwrap_or("0");
    let height = coordinate(height(svg));
    svg.replacen(
        "<svg ",
        &format!("<svg width=\"{width}\" height=\"{height}\" overflow=\"visible\" "),
        1,
    )
}
