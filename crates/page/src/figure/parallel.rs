//! Parallel coordinates: an axis for each setting and one for the outcome, and a line for each
//! combination that was tried.

use std::fmt::Write as _;

use serde::Serialize;

use super::axes::{label_at, line};
use super::colour::Colour;
use super::scale::{Scale, Transform, tick_labels};
use super::svg::{key, open_svg};
use super::text;
use crate::markup::Markup;
use crate::number::coordinate;

/// What stands along an axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Along {
    /// Numbers on a scale.
    Quantity(Transform),
    /// Named places from the bottom up, as far apart as each other; a value is the place's index.
    Places(Vec<String>),
}

/// An axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParallelAxis {
    /// What it is of.
    pub name: String,
    /// What stands along it.
    pub along: Along,
}

/// A line through every axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParallelLine {
    /// What it is.
    pub label: String,
    /// A value for each axis; one that is not finite leaves a gap.
    pub values: Vec<f64>,
}

/// Axes side by side with a line for each thing that was tried. The last axis is the outcome, of
/// which less is better: it orders the colours, and the best line is drawn last and widest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ParallelCoordinates {
    /// Name of the figure, unique in its page.
    pub id: String,
    /// Accessible title.
    pub title: String,
    /// Accessible description.
    pub description: String,
    /// The axes, the outcome last.
    pub axes: Vec<ParallelAxis>,
    /// The lines.
    pub lines: Vec<ParallelLine>,
}

const TOP: f64 = 40.0;
const HEIGHT: f64 = 250.0;
/// From an axis to the labels along it.
const GAP: f64 = 7.0;
/// Axes that are nearer than this have their names in two rows.
const CLOSE: f64 = 170.0;
/// Height over which the lines through one place are spread.
const BUNDLE: f64 = 44.0;

impl ParallelCoordinates {
    /// The figure as an `<svg>` element laid out for `width` pixels.
    pub fn svg(&self, width: f64) -> String {
        let key = key(&self.id, width);
        let mut out = Markup::default();
        let (bottom, last) = (TOP + HEIGHT, self.axes.len().saturating_sub(1));
        open_svg(&mut out, &key, &self.title, &self.description, width, bottom + 14.0);
        out.raw("\n");
        let slot = (width - 2.0 * GAP) / last.max(1) as f64;
        let place = |axis: usize| GAP + slot * axis as f64;
        let scales: Vec<Scale> = (0..self.axes.len()).map(|axis| self.scale(axis)).collect();
        let (order, colours) = self.order();
        // The worst first, so that the best lies over the others.
        for (rank, &index) in order.iter().enumerate().rev() {
            let heights = self.heights(index, rank, &scales);
            let Some(path) = path(&heights, place) else { continue };
            let style = format!("stroke:{}", colours[rank].css());
            let class = if rank == 0 { "line baseline" } else { "thread" };
            out.open("path", &[("class", class), ("style", &style), ("d", &path)]);
            out.element("title", &[], &self.lines[index].label).close();
        }
        for (index, axis) in self.axes.iter().enumerate() {
            let x = place(index);
            line(&mut out, "axis", (x, TOP), (x, bottom));
            // Words stand to the right of their axis, those of the last one to its left.
            let (anchor, beside) = if index == last { ("end", -GAP) } else { ("", GAP) };
            // Names stand in two rows where their neighbours leave no room.
            let row = if slot < CLOSE { 15.0 * (index % 2) as f64 } else { 0.0 };
            let name =
                text::fit(&axis.name, 12.5, if slot < CLOSE { 1.5 * slot } else { slot - GAP });
            let heading = match index {
                0 => "panel-title",
                _ if index == last => "panel-title end",
                _ => "panel-title middle",
            };
            label_at(&mut out, heading, x, 12.0 + row, &name);
            for (value, words) in axis.labels(&scales[index]) {
                let Some(y) = scales[index].position(value) else { continue };
                line(&mut out, "axis", (x - 3.0, y), (x + 3.0, y));
                let words = text::fit(&words, text::FONT, slot / 2.0);
                label_at(&mut out, &format!("tick halo {anchor}"), x + beside, y + 4.0, &words);
            }
        }
        out.raw("\n");
        out.finish()
    }

    fn scale(&self, axis: usize) -> Scale {
        let range = (TOP + HEIGHT, TOP);
        match &self.axes[axis].along {
            Along::Places(names) => {
                Scale::new(Transform::Linear, (0.0, names.len().max(2) as f64 - 1.0), range)
                    .with_margin(0.12)
            }
            Along::Quantity(transform) => {
                let values = self.lines.iter().filter_map(|line| line.values.get(axis));
                let values = values.filter(|value| value.is_finite());
                let (low, high) = values
                    .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| {
                        (low.min(x), high.max(x))
                    });
                Scale::new(*transform, (low, high), range).with_margin(0.04)
            }
        }
    }

    /// Where a line meets each axis. At a place many lines would be one: they lie side by side there,
    /// the better the lower, as on the axis of the outcome.
    fn heights(&self, index: usize, rank: usize, scales: &[Scale]) -> Vec<Option<f64>> {
        let last = self.lines.len().saturating_sub(1).max(1) as f64;
        let values = self.lines[index].values.iter().zip(scales).zip(&self.axes);
        let heights = values.map(|((value, scale), axis)| {
            let beside = match &axis.along {
                Along::Quantity(_) => 0.0,
                Along::Places(names) => {
                    let room = (0.6 * HEIGHT / names.len().max(1) as f64).min(BUNDLE);
                    room * (0.5 - rank as f64 / last)
                }
            };
            Some(scale.position(*value)? + beside)
        });
        heights.collect()
    }

    /// The lines from the best outcome to the worst, those without one last, with a colour for each
    /// rank: darker is better.
    fn order(&self) -> (Vec<usize>, Vec<Colour>) {
        let outcome = |line: &ParallelLine| {
            let value = line.values.last().copied().unwrap_or(f64::NAN);
            if value.is_finite() { value } else { f64::INFINITY }
        };
        let mut order: Vec<usize> = (0..self.lines.len()).collect();
        order.sort_by(|&a, &b| outcome(&self.lines[a]).total_cmp(&outcome(&self.lines[b])));
        let mut colours = Colour::sequence(self.lines.len());
        colours.reverse();
        for (colour, &index) in colours.iter_mut().zip(&order) {
            if outcome(&self.lines[index]).is_infinite() {
                *colour = Colour::Baseline;
            }
        }
        (order, colours)
    }
}

impl ParallelAxis {
    fn labels(&self, scale: &Scale) -> Vec<(f64, String)> {
        match &self.along {
            Along::Places(names) => {
                names.iter().enumerate().map(|(index, name)| (index as f64, name.clone())).collect()
            }
            Along::Quantity(transform) => {
                let ticks = scale.ticks(6);
                let labels = tick_labels(&ticks, *transform);
                ticks.into_iter().zip(labels).collect()
            }
        }
    }
}

/// A line through the axes, broken where a value has no place; nothing where no two neighbours have.
fn path(heights: &[Option<f64>], place: impl Fn(usize) -> f64) -> Option<String> {
    let mut path = String::new();
    let (mut is_down, mut has_stroke) = (false, false);
    for (axis, height) in heights.iter().enumerate() {
        let Some(y) = *height else {
            is_down = false;
            continue;
        };
        let command = if is_down { 'L' } else { 'M' };
        let _ = write!(path, "{command}{} {}", coordinate(place(axis)), coordinate(y));
        has_stroke |= is_down;
        is_down = true;
    }
    has_stroke.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(lines: &[(&str, [f64; 3])]) -> ParallelCoordinates {
        let names = ["sgd", "adamw"].map(str::to_owned).to_vec();
        let axis = |name: &str, along| ParallelAxis { name: name.to_owned(), along };
        ParallelCoordinates {
            id: "settings".to_owned(),
            title: "Settings".to_owned(),
            description: String::new(),
            axes: vec![
                axis("optimizer", Along::Places(names)),
                axis("λ", Along::Quantity(Transform::Log)),
                axis("loss", Along::Quantity(Transform::Linear)),
            ],
            lines: lines
                .iter()
                .map(|(label, values)| ParallelLine {
                    label: (*label).to_owned(),
                    values: values.to_vec(),
                })
                .collect(),
        }
    }

    #[test]
    fn the_best_line_is_drawn_last_and_one_without_a_place_is_broken() {
        let lines = [
            ("best", [1.0, 0.1, 2.0]),
            ("worse", [0.0, 0.3, 2.5]),
            // A logarithmic axis has no place for 0, and then no two neighbours have one.
            ("broken", [0.0, 0.0, 2.2]),
            ("diverged", [1.0, 0.2, f64::NAN]),
        ];
        let svg = figure(&lines).svg(700.0);
        let place = |label: &str| svg.find(&format!("<title>{label}</title>"));
        assert!(place("best") > place("worse") && place("worse") > place("diverged"));
        assert_eq!(place("broken"), None);
        assert!(svg.contains(">adamw<") && svg.contains(">optimizer<"));
    }

    #[test]
    fn any_number_of_axes_and_lines_is_drawn() {
        for width in [60.0, 320.0, 900.0] {
            let mut empty = figure(&[]);
            assert!(empty.svg(width).ends_with("</svg>"));
            empty.axes.clear();
            assert!(empty.svg(width).ends_with("</svg>"));
        }
    }
}
