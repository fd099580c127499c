//! A figure in its page: the drawing at two widths, caption, numbers and download.

use super::{Csv, Table, bound};
use crate::figure::{Figure, Horizontal, PanelFigure, thinned};
use crate::markup::Markup;
use crate::number;

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

/// Rows of a series in the table under a figure: as many as are read; the download has them all.
const TABLE_ROWS: usize = 20;

impl FigureBlock {
    /// A figure of panels with the numbers of all its series; `place` writes a horizontal value in the table.
    pub(crate) fn of_panels(
        mut figure: PanelFigure,
        name: &str,
        caption: &str,
        place: fn(f64) -> String,
    ) -> Self {
        let along = match &figure.horizontal {
            Horizontal::Quantity { label, .. } | Horizontal::Categories { label, .. } => {
                label.clone()
            }
        };
        let mut csv = Csv::new(&["panel", "series", &along, "value", "low", "high"]);
        let mut table = Table::new(&["panel", "series", &along, "value"], 2);
        for panel in &figure.panels {
            for series in &panel.series {
                for point in &series.points {
                    csv.row(&[
                        panel.title.as_str().into(),
                        series.label.as_str().into(),
                        point.x.into(),
                        point.y.into(),
                        point.low.into(),
                        point.high.into(),
                    ]);
                }
                for point in thinned(series.points.clone(), TABLE_ROWS) {
                    table.rows.push(vec![
                        panel.title.clone(),
                        series.label.clone(),
                        place(point.x),
                        number::measured(point.y),
                    ]);
                }
            }
        }
        for panel in &mut figure.panels {
            panel.series.retain(|series| !series.points.is_empty());
        }
        figure.title = name.to_owned();
        figure.description = format!("{name} {caption}");
        FigureBlock {
            figure: Figure::Panels(figure),
            name: name.to_owned(),
            caption: caption.to_owned(),
            table,
            csv,
        }
    }

    /// The block as a `<figure>`. Both layouts are in the page; the style sheet shows the one that suits its width.
    pub(crate) fn html(&self, number: &str) -> String {
        let mut out = Markup::default();
        // A heat map of a few columns is best no wider than the text.
        let (class, width) = match &self.figure {
            Figure::HeatMap(figure) if figure.columns.len() <= 5 => ("figure", MEDIUM),
            _ => ("figure wide", WIDE),
        };
        out.open("figure", &[("class", class), ("id", self.figure.id())]);
        out.open("div", &[("class", "at-wide")]).raw(&self.figure.svg(width)).close_line();
        out.open("div", &[("class", "at-narrow")]).raw(&self.figure.svg(NARROW)).close_line();
        out.open("figcaption", &[]);
        out.element("strong", &[], &bound(&format!("Figure {number}. {}", self.name)));
        out.text(" ").text(&bound(&self.caption));
        out.close();
        out.open("div", &[("class", "numbers")]);
        let file = format!("{}.csv", self.figure.id());
        out.element("a", &[("download", &file), ("href", &self.csv.data_uri())], "Download CSV");
        out.open("details", &[]).element("summary", &[], "Numbers").raw(&self.table.html()).close();
        out.close().close_line();
        out.finish()
    }
}
