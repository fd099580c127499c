//! The frame of a panel: grid lines, tick marks and their labels.

use super::horizontal::Horizontal;
use super::scale::{self, Scale, Transform};
use super::text;
use crate::markup::Markup;
use crate::number::coordinate;

/// Where a panel's frame lies and how its values map into it.
pub(crate) struct Frame {
    /// Prefix of the element ids in this frame.
    pub(crate) key: String,
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
    /// Right edge of the space that belongs to this panel.
    pub(crate) edge: f64,
    pub(crate) x: Scale,
    pub(crate) y: Scale,
}

const CATEGORY_LINE: f64 = 15.0;

/// Ticks of a vertical axis with their labels.
pub(crate) fn vertical_labels(y: &Scale, height: f64) -> Vec<(f64, String)> {
    let ticks = y.ticks((height / 42.0).round().clamp(2.0, 6.0) as usize);
    let labels = scale::tick_labels(&ticks, y.transform());
    ticks.into_iter().zip(labels).collect()
}

fn horizontal_labels(x: &Scale, width: f64) -> Vec<(f64, String)> {
    // As many as fit: ask for fewer until none touches the next. Ticks of a logarithmic axis are
    // not equally far apart, so where they lie decides.
    let mut labelled = Vec::new();
    for wanted in (2..=8).rev() {
        let ticks = x.ticks(wanted);
        let labels = scale::tick_labels(&ticks, x.transform());
        let room: f64 = labels.iter().map(|label| text::width(label, text::FONT) + GAP).sum();
        labelled = ticks.into_iter().zip(labels).collect();
        if room <= width && without_touching(x, &labelled).len() == labelled.len() {
            return labelled;
        }
    }
    without_touching(x, &labelled)
}

/// Room between two labels of a horizontal axis.
const GAP: f64 = 14.0;

/// The labels that do not touch the one kept before them.
fn without_touching(x: &Scale, labels: &[(f64, String)]) -> Vec<(f64, String)> {
    let mut kept: Vec<(f64, String)> = Vec::new();
    let mut taken = f64::NEG_INFINITY;
    for (value, label) in labels {
        let Some(place) = x.position(*value) else { continue };
        let half = text::width(label, text::FONT) / 2.0;
        if place - half >= taken {
            taken = place + half + GAP / 2.0;
            kept.push((*value, label.clone()));
        }
    }
    kept
}

/// Height below the lowest frame that tick labels and the axis label need.
pub(crate) fn foot_height(horizontal: &Horizontal, width: f64) -> f64 {
    match horizontal {
        Horizontal::Quantity { label, .. } => 24.0 + if label.is_empty() { 0.0 } else { 18.0 },
        Horizontal::Categories { label, names } => {
            let lines = category_lines(names, width).iter().map(Vec::len).max().unwrap_or(1);
            10.0 + CATEGORY_LINE * lines as f64 + if label.is_empty() { 0.0 } else { 18.0 }
        }
    }
}

/// Room below which the beginning of a name says nothing: about six letters.
const LEAST_SLOT: f64 = 48.0;

/// The lines of each name; none where names would be cut to a few letters. The numbers behind a
/// figure have them whole.
fn category_lines(names: &[String], width: f64) -> Vec<Vec<String>> {
    let slot = width / names.len().max(1) as f64;
    let fits = |name: &String| text::width(name, text::FONT) <= slot - 6.0;
    if slot < LEAST_SLOT && !names.iter().all(fits) {
        return vec![Vec::new(); names.len()];
    }
    names
        .iter()
        .map(|name| {
            let mut lines: Vec<String> =
                name.lines().flat_map(|line| text::wrap(line, text::FONT, slot - 6.0)).collect();
            if lines.len() > 3 {
                lines.truncate(3);
                lines[2] = text::fit(&format!("{}…", lines[2]), text::FONT, slot - 6.0);
            }
            lines
        })
        .collect()
}

/// Draws grid, ticks and labels, and leaves a `<g>` open for the marks.
pub(crate) fn draw(out: &mut Markup, frame: &Frame, horizontal: &Horizontal, foot: bool) {
    let quantity = matches!(horizontal, Horizontal::Quantity { .. });
    let x_data = if quantity { describe(&frame.x, frame.left, frame.right) } else { String::new() };
    let y_data = describe(&frame.y, frame.bottom, frame.top);
    let name = match horizontal {
        Horizontal::Quantity { label, .. } | Horizontal::Categories { label, .. } => label,
    };
    out.open(
        "g",
        &[("class", "panel"), ("data-name", name), ("data-x", &x_data), ("data-y", &y_data)],
    );
    let clip = format!("{}-clip", frame.key);
    out.open("clipPath", &[("id", &clip)]);
    rectangle(out, frame, None);
    out.close();

    for (value, label) in vertical_labels(&frame.y, frame.bottom - frame.top) {
        let Some(y) = frame.y.position(value) else {
            continue;
        };
        line(out, "grid", (frame.left, y), (frame.right, y));
        label_at(out, "tick end", frame.left - 8.0, y + 4.0, &label);
    }
    match horizontal {
        Horizontal::Quantity { label, .. } => {
            for (value, words) in horizontal_labels(&frame.x, frame.right - frame.left) {
                let Some(x) = frame.x.position(value) else {
                    continue;
                };
                line(out, "axis", (x, frame.bottom), (x, frame.bottom + 4.0));
                if foot {
                    // A label at the edge of the frame must not reach over the edge of the figure.
                    let half = text::width(&words, text::FONT) / 2.0;
                    let centre = x.min(frame.edge - half).max(half);
                    label_at(out, "tick middle", centre, frame.bottom + 18.0, &words);
                }
            }
            if foot && !label.is_empty() {
                label_at(out, "axis-label end", frame.right, frame.bottom + 36.0, label);
            }
        }
        Horizontal::Categories { label, names } => {
            let lines = category_lines(names, frame.right - frame.left);
            let most = lines.iter().map(Vec::len).max().unwrap_or(1);
            if foot {
                for (index, words) in lines.iter().enumerate() {
                    let Some(x) = frame.x.position(index as f64) else {
                        continue;
                    };
                    for (row, word) in words.iter().enumerate() {
                        label_at(
                            out,
                            "tick middle",
                            x,
                            frame.bottom + 18.0 + CATEGORY_LINE * row as f64,
                            word,
                        );
                    }
                }
                if !label.is_empty() {
                    let y = frame.bottom + 21.0 + CATEGORY_LINE * most as f64;
                    label_at(out, "axis-label end", frame.right, y, label);
                }
            }
        }
    }
    line(out, "axis", (frame.left, frame.bottom), (frame.right, frame.bottom));
    if quantity {
        rectangle(out, frame, Some("hit"));
    }
}

/// What a script needs to turn a coordinate back into a value.
fn describe(scale: &Scale, start: f64, end: f64) -> String {
    let transform = match scale.transform() {
        Transform::Linear => "linear",
        Transform::Log => "log",
    };
    let (low, high) = scale.domain();
    format!("{transform},{low:e},{high:e},{},{}", coordinate(start), coordinate(end))
}

fn rectangle(out: &mut Markup, frame: &Frame, class: Option<&str>) {
    let numbers =
        [frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top].map(coordinate);
    let mut attributes: Vec<(&str, &str)> =
        class.map(|class| ("class", class)).into_iter().collect();
    attributes
        .extend(["x", "y", "width", "height"].into_iter().zip(numbers.iter().map(String::as_str)));
    out.empty("rect", &attributes);
}

/// A straight line.
pub(crate) fn line(out: &mut Markup, class: &str, from: (f64, f64), to: (f64, f64)) {
    let numbers = [from.0, from.1, to.0, to.1].map(coordinate);
    out.empty(
        "line",
        &[
            ("class", class),
            ("x1", &numbers[0]),
            ("y1", &numbers[1]),
            ("x2", &numbers[2]),
            ("y2", &numbers[3]),
        ],
    );
}

/// A text at a place.
pub(crate) fn label_at(out: &mut Markup, class: &str, x: f64, y: f64, words: &str) {
    out.element("text", &[("class", class), ("x", &coordinate(x)), ("y", &coordinate(y))], words);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_of_seven_decades_fit_on_a_phone() {
        let scale = Scale::new(Transform::Log, (1e-4, 1e7), (40.0, 190.0));
        let labels = horizontal_labels(&scale, 150.0);
        assert!(labels.len() >= 2, "{labels:?}");
    }

    #[test]
    fn names_that_would_be_cut_to_nothing_are_left_out() {
        let names: Vec<String> = (0..22).map(|layer| format!("h.{layer}.fc.weight")).collect();
        assert!(category_lines(&names, 280.0).iter().all(Vec::is_empty));
        let few = category_lines(&names[..3], 280.0);
        assert!(few.iter().all(|lines| !lines.is_empty()), "{few:?}");
    }

    proptest! {
        #[test]
        fn labels_of_an_axis_never_touch(
            low in 1e-9..1e9f64,
            factor in 1.0001..1e9f64,
            log: bool,
            width in 60.0..900.0f64,
        ) {
            let transform = if log { Transform::Log } else { Transform::Linear };
            let scale = Scale::new(transform, (low, low * factor), (0.0, width));
            let labels = horizontal_labels(&scale, width);
            prop_assert!(!labels.is_empty());
            for pair in labels.windows(2) {
                let half = |label: &str| text::width(label, text::FONT) / 2.0;
                let from = scale.position(pair[0].0).unwrap() + half(&pair[0].1);
                let to = scale.position(pair[1].0).unwrap() - half(&pair[1].1);
                prop_assert!(to > from, "{pair:?} in {width}");
            }
        }
    }
}
