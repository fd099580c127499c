//! A figure in its page: the drawing at two widths, caption, numbers and download.

use super::bound;
use super::table::{data_uri, table};
use crate::FigureBlock;
use crate::figure::Figure;
use crate::markup::Markup;

/// Width in pixels for which figures are laid out where there is room.
const WIDE: f64 = 900.0;
/// Width of the text.
const MEDIUM: f64 = 690.0;
/// Width for which they are laid out on a narrow screen.
const NARROW: f64 = 400.0;

/// Where the files of a figure are.
pub(super) enum Files<'a> {
    /// In the page itself.
    Within,
    /// At an address, from the figure's id and the file's ending.
    At(&'a dyn Fn(&str, &str) -> String),
}

/// The block as a `<figure>`. Both layouts are in the page; the style sheet shows the one that
/// suits the page's width.
pub(super) fn figure(block: &FigureBlock, number: &str, files: &Files<'_>) -> String {
    let mut out = Markup::default();
    // A heat map of a few columns is best no wider than the text.
    let (class, width) = match &block.figure {
        Figure::HeatMap(figure) if figure.columns.len() <= 5 => ("figure", MEDIUM),
        _ => ("figure wide", WIDE),
    };
    out.open("figure", &[("class", class), ("id", block.figure.id())]);
    out.open("div", &[("class", "at-wide")]).raw(&block.figure.svg(width)).close_line();
    out.open("div", &[("class", "at-narrow")]).raw(&block.figure.svg(NARROW)).close_line();
    out.open("figcaption", &[]);
    out.prose("strong", &[], &bound(&format!("Figure {number}. {}", block.name)));
    out.text(" ").prose("span", &[], &bound(&block.caption));
    out.close();
    out.open("div", &[("class", "numbers")]);
    let id = block.figure.id();
    let mut link = |ending: &str, address: &str| {
        let (file, name) = (format!("{id}.{ending}"), ending.to_uppercase());
        let name = format!("Download {name}");
        out.element("a", &[("download", &file), ("href", address)], &name);
    };
    match files {
        Files::Within => link("csv", &data_uri(&block.csv)),
        Files::At(address) => {
            ["csv", "png", "svg"].iter().for_each(|ending| link(ending, &address(id, ending)));
        }
    }
    let numbers = table(&block.table);
    out.open("details", &[]).element("summary", &[], "Numbers").raw(&numbers).close();
    out.close().close_line();
    out.finish()
}
