//! Naming what is drawn: a key above the figure, labels at the ends of lines, labels of moments.

use super::axes::{self, Frame};
use super::colour::Colour;
use super::panel::{Mark, Moment, Panel};
use super::scale::Scale;
use super::spread::spread;
use super::text;
use crate::markup::Markup;
use crate::number::coordinate;

/// Size of the labels of series.
pub(crate) const LABEL_FONT: f64 = 12.5;
/// Height that one label at the end of a line needs.
pub(crate) const LABEL_LINE: f64 = 16.0;

const KEY_LINE: f64 = 20.0;
const SWATCH: f64 = 22.0;

/// One entry of a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) label: String,
    pub(crate) colour: Colour,
    pub(crate) mark: Mark,
}

/// Draws the key in as many lines as it needs; returns the height it took.
pub(crate) fn draw_key(out: &mut Markup, entries: &[Entry], width: f64) -> f64 {
    if entries.is_empty() {
        return 0.0;
    }
    let (mut x, mut y) = (0.0, 13.0);
    for entry in entries {
        let label = text::fit(&entry.label, LABEL_FONT, width - SWATCH - 8.0);
        let needed = SWATCH + 7.0 + text::width(&label, LABEL_FONT);
        if x > 0.0 && x + needed > width {
            (x, y) = (0.0, y + KEY_LINE);
        }
        swatch(out, entry, x, y - 4.0);
        axes::label_at(out, "key", x + SWATCH + 7.0, y, &label);
        x += needed + 20.0;
    }
    y + 15.0
}

fn swatch(out: &mut Markup, entry: &Entry, x: f64, y: f64) {
    let stroke = format!("stroke:{}", entry.colour.css());
    let path = format!("M{},{}h{}", coordinate(x), coordinate(y), coordinate(SWATCH));
    match entry.mark {
        Mark::Line => {
            out.empty("path", &[("class", "swatch line"), ("style", &stroke), ("d", &path)])
        }
        Mark::Dashes => {
            out.empty("path", &[("class", "swatch line dashes"), ("style", &stroke), ("d", &path)])
        }
        Mark::Dots | Mark::Rings => {
            let fill = if entry.mark == Mark::Rings {
                "var(--paper)".to_owned()
            } else {
                entry.colour.css()
            };
            let centre = coordinate(x + SWATCH / 2.0);
            let style = format!("{stroke};fill:{fill}");
            out.empty(
                "circle",
                &[
                    ("class", "swatch"),
                    ("style", &style),
                    ("cx", &centre),
                    ("cy", &coordinate(y)),
                    ("r", "4.5"),
                ],
            )
        }
    };
}

/// Names each line at its right end, moved apart where they would overlap.
pub(crate) fn draw_direct_labels(out: &mut Markup, panel: &Panel, frame: &Frame, gap: f64) {
    let ends: Vec<(&str, Colour, f64, f64)> = panel
        .series
        .iter()
        .filter(|series| series.mark == Mark::Line && !series.label.is_empty())
        .filter_map(|series| {
            let place = |point: &super::Point| {
                Some((frame.x.position(point.x)?, frame.y.position(point.y)?))
            };
            let (x, y) = series.points.iter().rev().find_map(place)?;
            Some((series.label.as_str(), series.colour, x, y.clamp(frame.top, frame.bottom)))
        })
        .collect();
    let wanted: Vec<f64> = ends.iter().map(|(.., y)| *y).collect();
    let placed = spread(&wanted, LABEL_LINE, frame.top + 4.0, frame.bottom - 2.0);
    for ((label, colour, x, y), at) in ends.iter().zip(placed) {
        // A line that ended early, or whose label had to move, keeps a thin thread to its name.
        if (at - y).abs() > 3.0 || frame.right - x > 6.0 {
            let path = format!(
                "M{},{}L{},{}L{},{}",
                coordinate(x + 2.0),
                coordinate(*y),
                coordinate(frame.right + 1.0),
                coordinate(*y),
                coordinate(frame.right + gap - 3.0),
                coordinate(at)
            );
            let style = format!("stroke:{}", colour.css());
            out.empty("path", &[("class", "thread"), ("style", &style), ("d", &path)]);
        }
        let style = format!("fill:{}", colour.text_css());
        let (x, y) = (coordinate(frame.right + gap), coordinate(at + 4.0));
        out.element("text", &[("class", "series"), ("style", &style), ("x", &x), ("y", &y)], label);
    }
}

/// Where a moment's label starts, given where the moment is: right of its line, or left where there
/// is no room.
fn moment_span(moment: &Moment, x: f64, right: f64) -> (f64, f64) {
    let width = text::width(&moment.label, text::FONT) + 8.0;
    if x + width <= right { (x, x + width) } else { ((x - width).max(0.0), x) }
}

/// Rows for the labels of moments, 0 nearest to the frame, such that no two overlap.
pub(crate) fn moment_rows(moments: &[Moment], x: &Scale, right: f64) -> Vec<usize> {
    let mut taken: Vec<Vec<(f64, f64)>> = Vec::new();
    moments
        .iter()
        .map(|moment| {
            let Some(at) = x.position(moment.x) else {
                return 0;
            };
            let span = moment_span(moment, at, right);
            // The line of a moment rises through every row below its own label: it too must stay
            // clear.
            let free = |row: &Vec<(f64, f64)>| {
                row.iter().all(|other| span.1 < other.0 || other.1 < span.0)
            };
            let row = (0..taken.len()).find(|row| free(&taken[*row])).unwrap_or(taken.len());
            if row == taken.len() {
                taken.push(Vec::new());
            }
            for lower in &mut taken[..row] {
                lower.push((at - 3.0, at + 3.0));
            }
            taken[row].push(span);
            row
        })
        .collect()
}

/// Draws moments: a dotted line from the label down to the dot.
pub(crate) fn draw_moments(
    out: &mut Markup,
    moments: &[Moment],
    rows: &[usize],
    frame: &Frame,
    height: f64,
) {
    for (moment, row) in moments.iter().zip(rows) {
        let Some(x) = frame.x.position(moment.x) else {
            continue;
        };
        let foot = frame.y.position(moment.y).unwrap_or(frame.bottom);
        let label = frame.top - 6.0 - height * *row as f64;
        let (start, end) = moment_span(moment, x, frame.edge);
        let style = format!("stroke:{}", moment.colour.css());
        let path =
            format!("M{0},{1}V{2}", coordinate(x), coordinate(label - 9.0), coordinate(foot));
        out.empty("path", &[("class", "moment"), ("style", &style), ("d", &path)]);
        if moment.y.is_finite() {
            let style = format!("stroke:{};fill:var(--paper)", moment.colour.css());
            out.empty(
                "circle",
                &[("style", &style), ("cx", &coordinate(x)), ("cy", &coordinate(foot)), ("r", "4")],
            );
        }
        let (class, at) =
            if start >= x { ("moment-label", x + 6.0) } else { ("moment-label end", end - 6.0) };
        let style = format!("fill:{}", moment.colour.text_css());
        let (at, y) = (coordinate(at), coordinate(label));
        out.element(
            "text",
            &[("class", class), ("style", &style), ("x", &at), ("y", &y)],
            &moment.label,
        );
    }
}
