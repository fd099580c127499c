//! A heat map whose cells say their number; the best cell is outlined and, in each row, a dot marks
//! the row's best.

use serde::Serialize;

use super::axes::label_at;
use super::colour::HEAT_STEPS;
use super::svg::{key, open_svg};
use super::text;
use crate::markup::Markup;
use crate::number::coordinate;

/// One cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// Its value, lower is better; not finite for none.
    pub value: f64,
    /// What is written in it.
    pub label: String,
    /// A smaller second line; may be empty.
    pub detail: String,
}

/// Coloured cells over two axes of named values.
#[derive(Debug, Clone, Serialize)]
pub struct HeatMap {
    /// Name of the figure, unique in its page.
    pub id: String,
    /// Accessible title.
    pub title: String,
    /// Accessible description.
    pub description: String,
    /// What the columns are.
    pub column_label: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// What the rows are.
    pub row_label: String,
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Cells by row; a missing one is left empty.
    pub cells: Vec<Vec<Option<Cell>>>,
}

const ROW_HEIGHT: f64 = 48.0;
const GAP: f64 = 3.0;

impl HeatMap {
    /// The figure as an `<svg>` element laid out for `width` pixels.
    pub fn svg(&self, width: f64) -> String {
        let key = key(&self.id, width);
        let left = self
            .rows
            .iter()
            .map(|row| text::width(row, text::FONT))
            .fold(20.0, f64::max)
            .min(0.3 * width)
            + 14.0;
        // Few columns need not be stretched over the whole width.
        let cell = ((width - left) / self.columns.len().max(1) as f64).min(220.0);
        let top = 28.0;
        let foot = top + ROW_HEIGHT * self.rows.len() as f64;
        let right = left + cell * self.columns.len() as f64;

        let mut out = Markup::default();
        open_svg(&mut out, &key, &self.title, &self.description, width, foot + 44.0);
        out.raw("\n");
        label_at(&mut out, "panel-title", 0.0, 14.0, &self.row_label);
        let best = self.best();
        let range = self.range();
        for (row, cells) in self.cells.iter().enumerate().take(self.rows.len()) {
            let y = top + ROW_HEIGHT * row as f64;
            let name = text::fit(&self.rows[row], text::FONT, left - 12.0);
            label_at(&mut out, "tick end", left - 10.0, y + ROW_HEIGHT / 2.0 + 3.0, &name);
            let row_best = lowest(cells.iter().enumerate());
            for (column, content) in cells.iter().enumerate().take(self.columns.len()) {
                let x = left + cell * column as f64;
                self.draw_cell(
                    &mut out,
                    (row, column),
                    content.as_ref(),
                    (x, y, cell),
                    range,
                    row_best == Some(column),
                );
            }
        }
        // The outline of the best cell lies over its neighbours, so it comes last.
        if let Some((row, column)) = best {
            let (x, y) = (left + cell * column as f64, top + ROW_HEIGHT * row as f64);
            let [x, y, width, height] = [x, y, cell - GAP, ROW_HEIGHT - GAP].map(coordinate);
            out.empty(
                "rect",
                &[
                    ("class", "best"),
                    ("x", &x),
                    ("y", &y),
                    ("width", &width),
                    ("height", &height),
                    ("rx", "3"),
                ],
            );
        }
        for (column, name) in self.columns.iter().enumerate() {
            let centre = left + cell * (column as f64 + 0.5) - GAP / 2.0;
            label_at(
                &mut out,
                "tick middle",
                centre,
                foot + 16.0,
                &text::fit(name, text::FONT, cell),
            );
        }
        label_at(&mut out, "axis-label end", right - GAP, foot + 36.0, &self.column_label);
        out.raw("\n");
        out.finish()
    }

    fn draw_cell(
        &self,
        out: &mut Markup,
        (row, column): (usize, usize),
        content: Option<&Cell>,
        (x, y, size): (f64, f64, f64),
        (low, high): (f64, f64),
        row_best: bool,
    ) {
        let [left, top, width, height] = [x, y, size - GAP, ROW_HEIGHT - GAP].map(coordinate);
        let step = content.filter(|cell| cell.value.is_finite()).map(|cell| {
            ((cell.value - low) / (high - low).max(1e-300) * (HEAT_STEPS - 1) as f64).round()
                as usize
        });
        let class = step
            .map_or("cell none".to_owned(), |step| format!("cell h{}", step.min(HEAT_STEPS - 1)));
        out.open("g", &[("class", &class)]);
        if let Some(cell) = content {
            out.element(
                "title",
                &[],
                &format!(
                    "{}, {}: {} {}",
                    self.rows[row], self.columns[column], cell.label, cell.detail
                ),
            );
        }
        out.empty(
            "rect",
            &[("x", &left), ("y", &top), ("width", &width), ("height", &height), ("rx", "3")],
        );
        if let Some(cell) = content {
            let centre = x + (size - GAP) / 2.0;
            let detail_fits =
                !cell.detail.is_empty() && text::width(&cell.detail, 10.5) < size - 8.0;
            let line = y + ROW_HEIGHT / 2.0 + if detail_fits { -3.0 } else { 3.0 };
            label_at(out, "middle", centre, line, &text::fit(&cell.label, text::FONT, size - 6.0));
            if detail_fits {
                label_at(out, "middle detail", centre, line + 14.0, &cell.detail);
            }
            if row_best {
                let [cx, cy] = [x + size - GAP - 8.0, y + 8.0].map(coordinate);
                out.empty("circle", &[("class", "row-best"), ("cx", &cx), ("cy", &cy), ("r", "3")]);
            }
        }
        out.close();
    }

    /// Row and column of the lowest value.
    fn best(&self) -> Option<(usize, usize)> {
        let rows = self.cells.iter().enumerate().take(self.rows.len());
        rows.filter_map(|(row, cells)| {
            let column = lowest(cells.iter().enumerate().take(self.columns.len()))?;
            Some((row, column, cells[column].as_ref()?.value))
        })
        .min_by(|a, b| a.2.total_cmp(&b.2))
        .map(|(row, column, _)| (row, column))
    }

    /// Lowest value, and the value from which on a cell is as pale as can be.
    ///
    /// One cell that went badly wrong would leave all others alike: values further above the best
    /// than four times the median excess are drawn like the palest.
    fn range(&self) -> (f64, f64) {
        let mut values: Vec<f64> = self
            .cells
            .iter()
            .flatten()
            .flatten()
            .map(|cell| cell.value)
            .filter(|value| value.is_finite())
            .collect();
        values.sort_by(f64::total_cmp);
        let (Some(low), Some(high)) = (values.first(), values.last()) else {
            return (0.0, 1.0);
        };
        let median = values[values.len() / 2];
        (*low, high.min(low + 4.0 * (median - low).max(1e-12)))
    }
}

fn lowest<'a>(cells: impl Iterator<Item = (usize, &'a Option<Cell>)>) -> Option<usize> {
    cells
        .filter_map(|(index, cell)| Some((index, cell.as_ref()?.value)))
        .filter(|(_, value)| value.is_finite())
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(index, _)| index)
}
