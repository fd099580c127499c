//! The learning-rate schedule that keys describe.

use wd_decay::{Schedule, ScheduleKind};

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
