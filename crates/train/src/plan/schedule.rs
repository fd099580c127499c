//! The factors on the learning rate and on λ, by step.

use wd_decay::{Schedule, ScheduleKind};

use crate::config::{ConfigFault, Length, ScheduleSection};

/// The schedule of a section over so many steps; `key` is the section's.
pub(super) fn resolve_schedule(
    key: &'static str,
    section: &ScheduleSection,
    steps: u64,
) -> Result<Schedule, ConfigFault> {
    let fault = |source| ConfigFault::Schedule { key, source };
    match (section.kind, section.points.is_empty()) {
        (ScheduleKind::Points, _) => {
            return Schedule::through(section.points, steps).map_err(fault);
        }
        (_, false) => {
            return Err(ConfigFault::Conflict {
                key,
                reason: "points are drawn by the schedule of kind \"points\", and by no other",
                mend: "write kind = \"points\", or leave the points out",
            });
        }
        _ => {}
    }
    for (name, length) in [("warmup", section.warmup), ("decay", section.decay)] {
        if let Length::Share(share) = length
            && !(0.0..=1.0).contains(&share)
        {
            return Err(ConfigFault::NoShare { key: format!("{key}.{name}"), share });
        }
    }
    Schedule::new(
        section.kind,
        section.warmup.steps(steps),
        steps,
        section.floor,
        section.decay.steps(steps),
    )
    .map_err(fault)
}
