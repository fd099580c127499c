//! What stands inside a frame: bands, lines, dots with interval bars, reference lines.

use super::axes::{self, Frame};
use super::colour::Colour;
use super::horizontal::Horizontal;
use super::panel::{Mark, Panel, Point, Series};
use super::text;
use crate::markup::Markup;
use crate::number::{coordinate, hundredths, measured};

/// Draws everything of a panel that its frame clips, then its words.
pub(crate) fn draw(out: &mut Markup, panel: &Panel, frame: &Frame, horizontal: &Horizontal) {
    out.open("g", &[("clip-path", &format!("url(#{}-clip)", frame.key))]);
    for reference in &panel.references {
        if let Some(y) = frame.y.position(reference.y) {
            let class = if reference.dotted { "reference dotted" } else { "reference" };
            axes::line(out, class, (frame.left, y), (frame.right, y));
        }
    }
    for series in panel.series.iter().filter(|series| series.mark == Mark::Line) {
        band(out, series, frame);
    }
    for series in &panel.series {
        match series.mark {
            Mark::Line => line(out, series, frame, "line"),
            Mark::Dashes => line(out, series, frame, "line dashes"),
            Mark::Dots | Mark::Rings => {}
        }
    }
    out.close();
    let dotted =
        || panel.series.iter().filter(|series| matches!(series.mark, Mark::Dots | Mark::Rings));
    let mut names: Vec<&str> = dotted().map(|series| series.label.as_str()).collect();
    names.dedup();
    for series in dotted() {
        // Series of different names that share a category stand beside each other.
        let slot = names.iter().position(|name| *name == series.label).unwrap_or(0);
        let apart = if matches!(horizontal, Horizontal::Categories { .. }) { 18.0 } else { 0.0 };
        let shift = apart * (slot as f64 - (names.len() - 1) as f64 / 2.0);
        dots(out, series, frame, shift, horizontal);
    }
    annotations(out, panel, frame, horizontal);
    for reference in panel.references.iter().filter(|reference| !reference.label.is_empty()) {
        if let Some(y) = frame.y.position(reference.y) {
            axes::label_at(out, "halo note end", frame.right - 4.0, y - 5.0, &reference.label);
        }
    }
    for note in &panel.notes {
        if let Some(x) = frame.x.position(note.x) {
            axes::label_at(out, "halo note middle", x, frame.bottom - 8.0, &note.text);
        }
    }
}

/// Maximal stretches of points for which `place` finds every coordinate.
fn stretches<T>(points: &[Point], place: impl Fn(&Point) -> Option<T>) -> Vec<Vec<T>> {
    let mut all = vec![Vec::new()];
    for point in points {
        match (place(point), all.last_mut()) {
            (Some(placed), Some(last)) => last.push(placed),
            _ => all.push(Vec::new()),
        }
    }
    all.retain(|stretch| !stretch.is_empty());
    all
}

fn line(out: &mut Markup, series: &Series, frame: &Frame, class: &str) {
    let mut path = String::new();
    for stretch in stretches(&series.points, |point| {
        Some((frame.x.position(point.x)?, frame.y.position(point.y)?))
    }) {
        if let [(x, y)] = stretch[..] {
            // A lone value would be a line without length: the round cap makes it a visible dot.
            path.push_str(&format!("M{},{}h0.01", coordinate(x), coordinate(y)));
            continue;
        }
        stroke(&mut path, stretch.into_iter());
    }
    if path.is_empty() {
        return;
    }
    let class = if series.colour == Colour::Baseline {
        format!("{class} baseline")
    } else {
        class.to_owned()
    };
    let style = format!("stroke:{}", series.colour.css());
    out.empty(
        "path",
        &[("class", &class), ("style", &style), ("data-label", &series.label), ("d", &path)],
    );
}

fn band(out: &mut Markup, series: &Series, frame: &Frame) {
    let mut path = String::new();
    let place = |point: &Point| {
        // Without a mean there is nothing for an interval to be about.
        frame.y.position(point.y)?;
        Some((frame.x.position(point.x)?, bounded(frame, point.low)?, bounded(frame, point.high)?))
    };
    for stretch in stretches(&series.points, place).into_iter().filter(|stretch| stretch.len() > 1)
    {
        let upper = stretch.iter().map(|(x, _, high)| (x, high));
        let lower = stretch.iter().rev().map(|(x, low, _)| (x, low));
        stroke(&mut path, upper.chain(lower).map(|(x, y)| (*x, *y)));
        path.push('Z');
    }
    if !path.is_empty() {
        let style = format!("fill:{}", series.colour.css());
        let label = ("data-label", series.label.as_str());
        out.empty("path", &[("class", "band"), ("style", &style), label, ("d", &path)]);
    }
}

/// A stroke through points, to a hundredth of a pixel: a part of a figure that is looked at from
/// nearby is made of these. From point to point they are shorter than places of a tenth.
fn stroke(path: &mut String, points: impl Iterator<Item = (f64, f64)>) {
    let mut last = None;
    for (x, y) in points {
        let (x, y) = ((100.0 * x).round() as i64, (100.0 * y).round() as i64);
        let (command, across, down) = match last {
            None => ('M', x, y),
            Some((before, above)) => ('l', x - before, y - above),
        };
        path.push_str(&format!("{command}{},{}", hundredths(across), hundredths(down)));
        last = Some((x, y));
    }
}

/// Position of an interval's end within the frame, which cuts what leaves it; on a log axis an end
/// at or below zero lies at the foot.
fn bounded(frame: &Frame, value: f64) -> Option<f64> {
    if !value.is_finite() {
        return None;
    }
    Some(frame.y.position(value).unwrap_or(frame.bottom).clamp(frame.top, frame.bottom))
}

fn dots(out: &mut Markup, series: &Series, frame: &Frame, shift: f64, horizontal: &Horizontal) {
    let placed = series.points.iter().filter_map(|point| {
        Some((point, frame.x.position(point.x)? + shift, frame.y.position(point.y)?))
    });
    let mut placed = placed.peekable();
    if placed.peek().is_none() {
        return;
    }
    out.open("g", &[("class", "dots"), ("data-label", &series.label)]);
    for (point, x, y) in placed {
        out.open("g", &[("class", "dot")]);
        out.element("title", &[], &spoken(series, point, horizontal));
        let stroke = format!("stroke:{}", series.colour.css());
        if let (Some(low), Some(high)) = (bounded(frame, point.low), bounded(frame, point.high)) {
            let path = format!("M{0},{1}V{2}", coordinate(x), coordinate(low), coordinate(high));
            out.empty("path", &[("class", "bar"), ("style", &stroke), ("d", &path)]);
        }
        let fill = if series.mark == Mark::Rings {
            "fill:var(--paper)".to_owned()
        } else {
            format!("fill:{}", series.colour.css())
        };
        let style = format!("{stroke};{fill}");
        out.empty(
            "circle",
            &[("style", &style), ("cx", &coordinate(x)), ("cy", &coordinate(y)), ("r", "4.5")],
        );
        out.close();
    }
    out.close();
}

/// Values beside dots: with their intervals if all of the panel fit, else without.
fn annotations(out: &mut Markup, panel: &Panel, frame: &Frame, horizontal: &Horizontal) {
    let slot = match horizontal {
        Horizontal::Categories { names, .. } => {
            (frame.right - frame.left) / names.len().max(1) as f64
        }
        Horizontal::Quantity { .. } => f64::INFINITY,
    };
    let placed: Vec<(f64, f64, &String)> = panel
        .series
        .iter()
        .flat_map(|series| series.points.iter().zip(&series.annotations))
        .filter_map(|(point, words)| {
            Some((frame.x.position(point.x)? + 10.0, frame.y.position(point.y)? + 4.0, words))
        })
        .collect();
    let fits =
        |words: &str, x: f64| text::width(words, text::FONT) <= (slot - 18.0).min(frame.edge - x);
    let short = |words: &str| words.split(" ± ").next().unwrap_or_default().to_owned();
    let whole = placed.iter().all(|(x, _, words)| fits(words, *x));
    for (x, y, words) in placed {
        let words = if whole { words.clone() } else { short(words) };
        if fits(&words, x) {
            axes::label_at(out, "halo value", x, y, &words);
        }
    }
}

/// What a pointer that rests on a dot is told.
fn spoken(series: &Series, point: &Point, horizontal: &Horizontal) -> String {
    let place = match horizontal {
        Horizontal::Categories { names, .. } => names
            .get(point.x.max(0.0) as usize)
            .map_or(String::new(), |name| name.replace('\n', ", ")),
        Horizontal::Quantity { label, .. } => format!("{label} {}", measured(point.x)),
    };
    let interval = if point.low.is_finite() && point.high.is_finite() {
        format!(" [{}, {}]", measured(point.low), measured(point.high))
    } else {
        String::new()
    };
    let name = if series.label.is_empty() { String::new() } else { format!(", {}", series.label) };
    format!("{place}{name}: {}{interval}", measured(point.y))
}
