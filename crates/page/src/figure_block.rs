//! A figure in its page: the drawing, its caption, and its numbers.

use serde::Serialize;

use crate::figure::{Figure, Horizontal, PanelFigure, thinned};
use crate::number;
use crate::{Csv, Table};

/// A figure with everything that goes with it.
#[derive(Debug, Clone, Serialize)]
pub struct FigureBlock {
    /// The drawing.
    pub figure: Figure,
    /// What the figure is, in a few words.
    pub name: String,
    /// What to look for, and what bands and bars are.
    pub caption: String,
    /// The numbers, rounded, for reading.
    pub table: Table,
    /// The numbers for other programs.
    pub csv: Csv,
}

/// Rows of a series in the table under a figure: as many as are read; the download has them all.
const TABLE_ROWS: usize = 20;

impl FigureBlock {
    /// A figure of panels with the numbers of all its series; `place` writes a horizontal value in
    /// the table.
    pub fn of_panels(
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
        figure.description = format!("{name} {caption}");
        Self::new(figure, name.to_owned(), caption.to_owned(), table, csv)
    }

    /// A figure of panels, titled by its name, with numbers of its own.
    pub fn new(
        mut figure: PanelFigure,
        name: String,
        caption: String,
        table: Table,
        csv: Csv,
    ) -> Self {
        figure.title.clone_from(&name);
        FigureBlock { figure: Figure::Panels(figure), name, caption, table, csv }
    }
}
