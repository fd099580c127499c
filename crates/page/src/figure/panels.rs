//! Panels of lines, bands and points that share a horizontal axis: stacked, or as a grid of small
//! multiples.

use serde::Serialize;

use super::axes::{self, Frame};
use super::colour::Colour;
use super::horizontal::Horizontal;
use super::panel::{Mark, Panel, Series};
use super::scale::{Scale, Transform};
use super::svg::{key, open_svg};
use super::{key, marks, text};
use crate::markup::Markup;

/// Where series are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Labels {
    /// At the ends of the lines; in a key above when they would not fit.
    Direct,
    /// In a key above.
    Key,
    /// Nowhere: the categories say it.
    None,
}

/// Panels that share a horizontal axis.
#[derive(Debug, Clone, Serialize)]
pub struct PanelFigure {
    /// Name of the figure, unique in its page; used in element ids.
    pub id: String,
    /// Accessible title.
    pub title: String,
    /// Accessible description: what is drawn and what it shows.
    pub description: String,
    /// The shared axis.
    pub horizontal: Horizontal,
    /// The panels, row by row.
    pub panels: Vec<Panel>,
    /// Panels side by side where there is room; narrow layouts use two at most.
    pub columns: usize,
    /// Where series are named.
    pub labels: Labels,
    /// What dashed lines stand for, in a key; they take the colour of the line that they belong to.
    pub dashes: String,
}

/// Below this width a layout is a narrow one.
pub(crate) const NARROW: f64 = 640.0;
const TITLE_LINE: f64 = 17.0;
const MOMENT_LINE: f64 = 16.0;
const BETWEEN_ROWS: f64 = 20.0;
const BETWEEN_COLUMNS: f64 = 26.0;
const DIRECT_GAP: f64 = 12.0;

impl PanelFigure {
    /// Panels one below the other along an axis, named in a key; `FigureBlock` gives it title and
    /// description.
    pub fn along(id: impl Into<String>, horizontal: Horizontal, panels: Vec<Panel>) -> Self {
        Self {
            id: id.into(),
            title: String::new(),
            description: String::new(),
            horizontal,
            panels,
            columns: 1,
            labels: Labels::Key,
            dashes: String::new(),
        }
    }

    /// The same over a quantity on a logarithmic axis, in columns.
    pub fn over(id: &str, label: &str, panels: Vec<Panel>, columns: usize) -> Self {
        Self { columns, ..Self::along(id, Horizontal::logarithmic(label), panels) }
    }

    /// The figure as an `<svg>` element laid out for `width` pixels.
    pub fn svg(&self, width: f64) -> String {
        let key = key(&self.id, width);
        let columns = if width < NARROW { self.columns.min(2) } else { self.columns }
            .clamp(1, self.panels.len().max(1));
        let direct = self.labels == Labels::Direct && columns == 1 && self.direct_labels_fit(width);
        let entries = self.key_entries(direct || self.labels == Labels::None);

        let left = self.left_margin();
        let right = if direct { DIRECT_GAP + self.widest_label() } else { 10.0 };
        let cell = (width - BETWEEN_COLUMNS * (columns - 1) as f64) / columns as f64;
        let frame_width = (cell - left - right).max(40.0);

        let mut body = Markup::default();
        let mut top = key::draw_key(&mut body, &entries, width);
        let rows: Vec<&[Panel]> = self.panels.chunks(columns).collect();
        for (row, panels) in rows.iter().enumerate() {
            let titles: Vec<Vec<String>> =
                panels.iter().map(|panel| text::wrap(&panel.title, 12.5, cell - 4.0)).collect();
            let title_height =
                TITLE_LINE * titles.iter().map(Vec::len).max().unwrap_or(0) as f64 + 9.0;
            let x_axis =
                |left_edge: f64| self.x_scale((left_edge + left, left_edge + left + frame_width));
            let moment_rows: Vec<Vec<usize>> = panels
                .iter()
                .map(|panel| {
                    key::moment_rows(&panel.moments, &x_axis(0.0), left + frame_width + right)
                })
                .collect();
            let moment_height = MOMENT_LINE
                * moment_rows.iter().flatten().map(|row| row + 1).max().unwrap_or(0) as f64;
            let frame_top = top + title_height + moment_height;
            let height = panels.iter().map(|panel| panel.height).fold(0.0, f64::max);
            for (column, panel) in panels.iter().enumerate() {
                let left_edge = column as f64 * (cell + BETWEEN_COLUMNS);
                for (line, words) in titles[column].iter().enumerate() {
                    body.element(
                        "text",
                        &[
                            ("class", "panel-title"),
                            ("x", &crate::number::coordinate(left_edge)),
                            (
                                "y",
                                &crate::number::coordinate(top + 13.0 + TITLE_LINE * line as f64),
                            ),
                        ],
                        words,
                    );
                }
                let x = x_axis(left_edge);
                let y = panel.scale((frame_top + height, frame_top));
                let frame = Frame {
                    key: format!("{key}-{}", row * columns + column),
                    left: left_edge + left,
                    right: left_edge + left + frame_width,
                    top: frame_top,
                    bottom: frame_top + height,
                    edge: left_edge + cell,
                    x,
                    y,
                };
                let below = rows.get(row + 1).is_some_and(|next| next.len() > column);
                axes::draw(&mut body, &frame, &self.horizontal, !below);
                marks::draw(&mut body, panel, &frame, &self.horizontal);
                key::draw_moments(
                    &mut body,
                    &panel.moments,
                    &moment_rows[column],
                    &frame,
                    MOMENT_LINE,
                );
                if direct {
                    key::draw_direct_labels(&mut body, panel, &frame, DIRECT_GAP);
                }
                body.close_line();
            }
            top = frame_top + height + BETWEEN_ROWS;
        }
        let height = top - BETWEEN_ROWS + axes::foot_height(&self.horizontal, frame_width);

        let mut out = Markup::default();
        open_svg(&mut out, &key, &self.title, &self.description, width, height);
        out.raw("\n").raw(&body.finish());
        out.finish()
    }

    fn x_scale(&self, range: (f64, f64)) -> Scale {
        match &self.horizontal {
            Horizontal::Categories { names, .. } => {
                // Dots stand left of the middle where their values are written to the right of
                // them.
                let written = self
                    .panels
                    .iter()
                    .flat_map(|panel| &panel.series)
                    .any(|series| !series.annotations.is_empty());
                let before = if written { 0.36 } else { 0.5 };
                Scale::new(Transform::Linear, (-before, names.len().max(1) as f64 - before), range)
            }
            Horizontal::Quantity { transform, .. } => {
                let domain = self
                    .panels
                    .iter()
                    .flat_map(|panel| &panel.series)
                    .flat_map(|series| &series.points)
                    .map(|point| point.x)
                    .filter(|x| x.is_finite() && (*transform == Transform::Linear || *x > 0.0))
                    .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
                        (low.min(x), high.max(x))
                    });
                // Steps that begin with the first window's centre still begin at zero.
                let from_zero =
                    *transform == Transform::Linear && domain.0 > 0.0 && domain.0 < 0.05 * domain.1;
                let scale = Scale::new(
                    *transform,
                    (if from_zero { 0.0 } else { domain.0 }, domain.1),
                    range,
                );
                // Dots with bars at few places would else lie on the frame.
                let is_of_dots = *transform == Transform::Log
                    && (self.panels.iter().flat_map(|panel| &panel.series))
                        .any(|series| matches!(series.mark, Mark::Dots | Mark::Rings));
                if is_of_dots { scale.with_margin(0.04) } else { scale }
            }
        }
    }

    /// Room for the widest vertical tick label of any panel: frames stand under each other.
    fn left_margin(&self) -> f64 {
        self.panels
            .iter()
            .flat_map(|panel| {
                axes::vertical_labels(&panel.scale((panel.height, 0.0)), panel.height)
            })
            .map(|(_, label)| text::width(&label, text::FONT))
            .fold(14.0, f64::max)
            + 10.0
    }

    fn widest_label(&self) -> f64 {
        self.direct_series()
            .map(|series| text::width(&series.label, key::LABEL_FONT))
            .fold(0.0, f64::max)
    }

    fn direct_series(&self) -> impl Iterator<Item = &Series> {
        self.panels
            .iter()
            .flat_map(|panel| &panel.series)
            .filter(|series| series.mark == Mark::Line)
    }

    fn direct_labels_fit(&self, width: f64) -> bool {
        let crowded = self.panels.iter().any(|panel| {
            let lines = panel.series.iter().filter(|series| series.mark == Mark::Line).count();
            lines as f64 * key::LABEL_LINE > panel.height
        });
        let only_lines = self
            .panels
            .iter()
            .flat_map(|panel| &panel.series)
            .all(|series| matches!(series.mark, Mark::Line | Mark::Dashes));
        !crowded && only_lines && self.widest_label() < 0.2 * width
    }

    /// Every distinct combination of name, colour and mark, in order of appearance; dashed lines
    /// have one entry.
    fn key_entries(&self, only_dashes: bool) -> Vec<key::Entry> {
        let mut entries: Vec<key::Entry> = Vec::new();
        let mut dashed = false;
        for series in self
            .panels
            .iter()
            .flat_map(|panel| &panel.series)
            .filter(|series| !series.label.is_empty())
        {
            dashed |= series.mark == Mark::Dashes;
            let entry = key::Entry {
                label: series.label.clone(),
                colour: series.colour,
                mark: series.mark,
            };
            if series.mark != Mark::Dashes && !only_dashes && !entries.contains(&entry) {
                entries.push(entry);
            }
        }
        if dashed && !self.dashes.is_empty() {
            entries.push(key::Entry {
                label: self.dashes.clone(),
                colour: Colour::Ink,
                mark: Mark::Dashes,
            });
        }
        entries
    }
}
