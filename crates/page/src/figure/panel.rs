//! What a panel holds: points in series, lines to compare with, moments and notes.

use serde::Serialize;

use super::colour::Colour;
use super::scale::{Scale, Transform};

/// A point of a series, with the interval it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Horizontal value; on an axis of categories, the category's index.
    pub x: f64,
    /// Value; not finite where there is none, which interrupts the line.
    pub y: f64,
    /// Lower end of the interval; not finite without one.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Point {
    /// A value without an interval.
    pub const fn at(x: f64, y: f64) -> Self {
        Self { x, y, low: f64::NAN, high: f64::NAN }
    }

    /// A mean with its interval from `low` to `high`.
    pub const fn with_interval(x: f64, y: f64, low: f64, high: f64) -> Self {
        Self { x, y, low, high }
    }
}

/// At most about `most` of the points, the last among them.
pub fn thinned(points: Vec<Point>, most: usize) -> Vec<Point> {
    let stride = points.len().div_ceil(most).max(1);
    let last = points.len().saturating_sub(1);
    points
        .into_iter()
        .enumerate()
        .filter(|(index, _)| index % stride == 0 || *index == last)
        .map(|(_, point)| point)
        .collect()
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Mark {
    /// A line, with its interval as a band.
    Line,
    /// A thin dashed line, for what theory predicts.
    Dashes,
    /// Dots, with intervals as bars.
    Dots,
    /// Hollow dots, with intervals as bars.
    Rings,
}

/// Points that belong together.
#[derive(Debug, Clone, Serialize)]
pub struct Series {
    /// Name at the end of the line or in the key.
    pub label: String,
    /// Colour, by what it stands for.
    pub colour: Colour,
    /// How it is drawn.
    pub mark: Mark,
    /// The points, in horizontal order.
    pub points: Vec<Point>,
    /// Text beside each dot; empty for none.
    pub annotations: Vec<String>,
}

impl Series {
    /// Points without annotations.
    pub fn new(label: &str, colour: Colour, mark: Mark, points: Vec<Point>) -> Self {
        Self { label: label.to_owned(), colour, mark, points, annotations: Vec::new() }
    }
}

/// A horizontal line to compare with, such as "no difference".
#[derive(Debug, Clone, Serialize)]
pub struct Reference {
    /// Its value.
    pub y: f64,
    /// What it stands for; may be empty.
    pub label: String,
    /// Drawn with dots: a bound rather than the value to compare with.
    pub dotted: bool,
}

/// Something that happens at one place of the horizontal axis, such as a crossing.
#[derive(Debug, Clone, Serialize)]
pub struct Moment {
    /// Where.
    pub x: f64,
    /// Value to be marked by a dot; not finite for none.
    pub y: f64,
    /// What happens.
    pub label: String,
    /// Colour of what it happens to.
    pub colour: Colour,
}

/// A word that stands where a value is missing, at the foot of a panel.
#[derive(Debug, Clone, Serialize)]
pub struct Note {
    /// Where.
    pub x: f64,
    /// The word.
    pub text: String,
}

/// One frame with a vertical axis of its own.
#[derive(Debug, Clone, Serialize)]
pub struct Panel {
    /// The quantity and its unit, written above the frame.
    pub title: String,
    /// Spread of the vertical axis.
    pub transform: Transform,
    /// Vertical domain; absent: whatever holds all points, intervals and references.
    pub domain: Option<(f64, f64)>,
    /// Height of the frame in pixels.
    pub height: f64,
    /// What is drawn, later ones over earlier ones.
    pub series: Vec<Series>,
    /// Horizontal lines.
    pub references: Vec<Reference>,
    /// Vertical lines, with labels above the frame.
    pub moments: Vec<Moment>,
    /// Words in place of missing values.
    pub notes: Vec<Note>,
}

impl Panel {
    /// An empty linear panel.
    pub fn new(title: impl Into<String>, height: f64) -> Self {
        Self {
            title: title.into(),
            transform: Transform::Linear,
            domain: None,
            height,
            series: Vec::new(),
            references: Vec::new(),
            moments: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The vertical scale: over the domain asked for, or over what holds everything drawn and a
    /// margin.
    pub(crate) fn scale(&self, range: (f64, f64)) -> Scale {
        if let Some((low, high)) = self.domain
            && low.is_finite()
            && high.is_finite()
        {
            return Scale::new(self.transform, (low, high), range);
        }
        let values = self
            .series
            .iter()
            .flat_map(|series| &series.points)
            .flat_map(|point| [point.y, point.low, point.high])
            .chain(self.references.iter().map(|reference| reference.y))
            .filter(|value| {
                value.is_finite() && (self.transform == Transform::Linear || *value > 0.0)
            });
        let all = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        Scale::new(self.transform, all, range).with_margin(0.06)
    }
}
