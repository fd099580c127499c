//! A figure in its page: the drawing at two widths, caption, numbers and download.

use super::{Csv, Table, bound};
use crate::figure::Figure;
use crate::markup::Markup;

/// Width in pixels for which figures are laid out where there is room.
const WIDE: f64 = 900.0;
/// Width of the text.
const MEDIUM: f64 = 690.0;
/// Width for which they are laid out on a narrow screen.
const NARROW: f64 = 400.0;

/// A figure with everything that goes with it.
#[derive(Debug)]
pub(crate) struct FigureBlock {
    pub(crate) figure: Figure,
    /// What the figure is, in a few words.
    pub(crate) name: String,
    /// What to look for, and what bands and bars are.
    pub(crate) caption: String,
    /// The numbers, rounded, for reading.
    pub(crate) table: Table,
    /// The numbers for other programs.
    pub(crate) csv: Csv,
}

impl FigureBlock {
    /// The block as a `<figure>`. Both layouts are in the page; the style sheet shows the one that suits its width.
    pub(crate) fn html(&self, number: &str) -> String {
        let mut out = Markup::default();
        // A heat map of a few columns is best no wider than the text.
        let (class, width) = match &self.figure {
            Figure::HeatMap(figure) if figure.columns.len() <= 5 => ("figure", MEDIUM),
            _ => ("figure wide", WIDE),
        };
        out.open("figure", &[("class", class), ("id", self.figure.id())]);
        out.open("div", &[("class", "at-wide")])
            .raw(&self.figure.svg(width))
            .close_line();
        out.open("div", &[("class", "at-narrow")])
            .raw(&self.figure.svg(NARROW))
            .close_line();
        out.open("figcaption", &[]);
        out.element(
            "strong",
            &[],
            &bound(&format!("Figure {number}. {}", self.name)),
        );
        out.text(" ").text(&bound(&self.caption));
        out.close();
        out.open("div", &[("class", "numbers")]);
        let file = format!("{}.csv", self.figure.id());
        out.element(
            "a",
            &[("download", &file), ("href", &self.csv.data_uri())],
            "Download CSV",
        );
        out.open("details", &[])
            .element("summary", &[], "Numbers")
            .raw(&self.table.html())
            .close();
        out.close().close_line();
        out.finish()
    }
}
