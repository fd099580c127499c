//! The learning-rate schedule that keys describe.

use wd_decay::{Curve, Point, Points, Schedule, ScheduleKind};

/// A schedule of known length; nothing if the length is unknown, or the parts do not fit into it.
pub(super) fn schedule(
    kind: ScheduleKind,
    warmup: Option<f64>,
    steps: Option<u64>,
    floor: f64,
) -> Option<Schedule> {
    let steps = steps?;
    Schedule::new(kind, length(warmup.unwrap_or(0.0), steps)?, steps, floor, 0).ok()
}

/// A schedule that stays at its peak and falls over the last `decay` steps.
pub(super) fn stable(
    warmup: Option<f64>,
    steps: Option<u64>,
    floor: f64,
    decay: f64,
) -> Option<Schedule> {
    let steps = steps?;
    let (warmup, decay) = (length(warmup.unwrap_or(0.0), steps)?, length(decay, steps)?);
    Schedule::new(ScheduleKind::WarmupStableDecay, warmup, steps, floor, decay).ok()
}

/// A schedule that falls over `length` steps, of which the run does `steps`: it stays at its floor
/// where it is the shorter of the two, and is cut where it is the longer one.
pub(super) fn over(
    kind: ScheduleKind,
    warmup: Option<f64>,
    (length, steps): (Option<u64>, Option<u64>),
    floor: f64,
) -> Option<Schedule> {
    let whole = schedule(kind, warmup, length, floor)?;
    let Some(steps) = steps.filter(|&steps| steps > 0 && steps != whole.steps) else {
        return Some(whole);
    };
    match kind {
        ScheduleKind::Constant => schedule(kind, warmup, Some(steps), floor),
        ScheduleKind::Cosine | ScheduleKind::Linear => {
            let drawn = if whole.steps < steps { stays(&whole, steps) } else { cut(&whole, steps) };
            through(&drawn, steps)
        }
        _ => None,
    }
}

/// The warm-up of a schedule in points of a run of `steps` steps, up to its peak.
pub(super) fn rise(warmup: u64, steps: u64) -> Vec<Point> {
    let start = Point { share: 0.0, factor: 1.0 / (warmup as f64 + 1.0), curve: Curve::Linear };
    let peak = Point { share: share(warmup, steps), factor: 1.0, curve: Curve::Linear };
    if warmup == 0 { vec![peak] } else { vec![start, peak] }
}

/// A schedule through points, to six digits, if these are possible.
pub(super) fn through(points: &[Point], steps: u64) -> Option<Schedule> {
    let digits = |number: f64| (1e6 * number).round() / 1e6;
    let rounded = points.iter().map(|point| Point {
        share: digits(point.share),
        factor: digits(point.factor),
        ..*point
    });
    Schedule::through(Points::new(&rounded.collect::<Vec<_>>()).ok()?, steps).ok()
}

fn share(step: u64, steps: u64) -> f64 {
    step as f64 / steps as f64
}

/// The points of a schedule that ends before the run does.
fn stays(whole: &Schedule, steps: u64) -> Vec<Point> {
    let curve = match whole.kind {
        ScheduleKind::Cosine => Curve::Cosine,
        _ => Curve::Linear,
    };
    let mut points = rise(whole.warmup, steps);
    points.push(Point { share: share(whole.steps, steps), factor: whole.floor, curve });
    points.push(Point { share: 1.0, factor: whole.floor, curve: Curve::Linear });
    points
}

/// Points along what the run does of a schedule that is longer. None is at the peak where the run
/// ends within the warm-up.
fn cut(whole: &Schedule, steps: u64) -> Vec<Point> {
    if whole.warmup >= steps {
        return Vec::new();
    }
    let mut points = rise(whole.warmup, steps);
    let length = (steps - whole.warmup) as f64;
    // The shorter the part, the straighter it is.
    let part = length / (whole.steps - whole.warmup) as f64;
    let pieces = (24.0 * part).ceil().clamp(3.0, 20.0) as u64;
    let along = |piece: u64| {
        let step = whole.warmup as f64 + length * piece as f64 / pieces as f64;
        let factor = whole.factor(step.round() as u64);
        Point { share: (step.round() / steps as f64).min(1.0), factor, curve: Curve::Linear }
    };
    points.extend((1..=pieces).map(along));
    points
}

/// A part of a run: a fraction below 1 is a share, as in Hugging Face 5, anything else steps.
pub(super) fn length(part: f64, steps: u64) -> Option<u64> {
    if !(0.0..=1e15).contains(&part) {
        return None;
    }
    let length = if part < 1.0 { (part * steps as f64).ceil() } else { part.round() };
    Some(length as u64)
}

/// A lowest rate as a share of the peak.
pub(super) fn floor(lowest: Option<f64>, peak: Option<f64>) -> f64 {
    match (lowest, peak) {
        (Some(lowest), Some(peak)) if peak > 0.0 => (lowest / peak).clamp(0.0, 1.0),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_of_another_length_than_the_run_is_drawn_through_points() {
        let whole = schedule(ScheduleKind::Cosine, Some(20.0), Some(1000), 0.1).unwrap();
        let over =
            |steps| over(ScheduleKind::Cosine, Some(20.0), (Some(1000), Some(steps)), 0.1).unwrap();
        assert_eq!(over(1000), whole);
        for (steps, tolerance) in [(400, 1e-3), (2500, 1e-5)] {
            let drawn = over(steps);
            assert_eq!((drawn.kind, drawn.steps), (ScheduleKind::Points, steps));
            for step in 0..steps {
                let wanted = if step < 1000 { whole.factor(step) } else { 0.1 };
                let off = (drawn.factor(step) - wanted).abs();
                assert!(off < tolerance, "{steps} {step}: {off}");
            }
        }
        // A run that ends within the warm-up never reaches the peak.
        let within = super::over(ScheduleKind::Cosine, Some(20.0), (Some(1000), Some(10)), 0.1);
        assert_eq!(within, None);
    }
}
