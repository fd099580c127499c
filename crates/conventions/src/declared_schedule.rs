//! A schedule as typed, before its run has a length.

use std::str::FromStr;

use crate::{ConventionError, Quantity};
use wd_decay::{DecayError, Points, Schedule, ScheduleKind, Unit};

/// A schedule whose run has no length yet: `cosine,warmup=400,floor=0.1`, or `cosine:0.1` for
/// short.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeclaredSchedule {
    /// The shape after the warm-up.
    pub kind: ScheduleKind,
    /// Warm-up, in steps or epochs, or below 1 as a fraction of the run.
    pub warmup: Quantity,
    /// Floor, a fraction of the peak.
    pub floor: f64,
    /// Final decay of `wsd`, like the warm-up.
    pub decay: Quantity,
    /// The points of `points`.
    pub points: Points,
}

impl FromStr for DeclaredSchedule {
    type Err = ConventionError;

    fn from_str(text: &str) -> Result<Self, ConventionError> {
        let refuse = |reason: String| ConventionError::InvalidSetting {
            key: "schedule".to_owned(),
            given: text.to_owned(),
            reason,
        };
        let mut parts = text.split(',').map(str::trim);
        let head = parts.next().unwrap_or_default();
        let (kind, short_floor) = match head.split_once(':') {
            Some((kind, floor)) => (kind, Some(floor)),
            None => (head, None),
        };
        let mut declared = DeclaredSchedule {
            kind: kind.parse().map_err(|error| match drawn(kind) {
                Some(points) => refuse(format!(
                    "such a shape is drawn through points, each a share of the run with a factor \
                     on the peak: schedule=points,points={points}"
                )),
                None => ConventionError::from(error),
            })?,
            warmup: Quantity::new(0.0, None),
            floor: 0.0,
            decay: Quantity::new(0.0, None),
            points: Points::NONE,
        };
        if let Some(floor) = short_floor {
            declared.floor = plain("floor", floor)?;
        }
        for part in parts {
            match part.split_once('=') {
                Some(("warmup", value)) => declared.warmup = value.parse()?,
                Some(("decay", value)) => declared.decay = value.parse()?,
                Some(("floor", value)) => declared.floor = plain("floor", value)?,
                Some(("points", value)) => declared.points = value.parse()?,
                _ => {
                    return Err(refuse(format!(
                        "`{part}` is none of warmup=STEPS, floor=FRACTION, decay=STEPS, \
                         points=SHARE:FACTOR/…; write for example \
                         schedule=cosine,warmup=400,floor=0.1"
                    )));
                }
            }
        }
        if declared.kind == ScheduleKind::WarmupStableDecay && declared.decay.value == 0.0 {
            return Err(refuse(
                "wsd needs the length of its final decay, for example wsd,decay=20%".to_owned(),
            ));
        }
        let (is_drawn, has_points) =
            (declared.kind == ScheduleKind::Points, !declared.points.is_empty());
        if is_drawn != has_points {
            return Err(refuse(
                "points and their kind go together: points,points=0:0.1/0.3:1/1:0.02:cosine"
                    .to_owned(),
            ));
        }
        if is_drawn && (declared.warmup.value != 0.0 || declared.floor != 0.0) {
            return Err(refuse(
                "a schedule through points has its warm-up and floor in them".to_owned(),
            ));
        }
        if !(0.0..=1.0).contains(&declared.floor) {
            return Err(DecayError::InvalidFloor { floor: declared.floor }.into());
        }
        Ok(declared)
    }
}

/// An example of the points through which a shape of another name is drawn.
fn drawn(name: &str) -> Option<&'static str> {
    let plain = name.to_lowercase().replace(['-', '_'], "");
    Some(match plain.trim_end_matches("lr") {
        "multistep" | "step" | "steps" | "piecewise" => "0:1/0.375:1/0.375:0.1/0.75:0.1/0.75:0.01",
        "onecycle" | "1cycle" => "0:0.04/0.3:1:cosine/1:0:cosine",
        "restarts"
        | "cosinerestarts"
        | "cosinewarmrestarts"
        | "cosineannealingwarmrestarts"
        | "sgdr" => "0:1/0.5:0:cosine/0.5:1/1:0:cosine",
        "cyclic" | "triangular" => "0:0.1/0.5:1/1:0.1",
        _ => return None,
    })
}

impl DeclaredSchedule {
    /// The schedule over `steps` steps, of which an epoch has `steps_per_epoch`.
    pub(crate) fn over(
        self,
        steps: u64,
        steps_per_epoch: Option<f64>,
    ) -> Result<Schedule, ConventionError> {
        if self.kind == ScheduleKind::Points {
            return Ok(Schedule::through(self.points, steps)?);
        }
        let length = |key: &str, given: Quantity| {
            let refuse = |reason: &str| ConventionError::InvalidSetting {
                key: format!("schedule {key}"),
                given: given.to_string(),
                reason: reason.to_owned(),
            };
            let length = match given.unit {
                Some(Unit::Epoch) => {
                    given.value
                        * steps_per_epoch.ok_or_else(|| ConventionError::Missing {
                            needed_for: format!("a {key} in epochs"),
                            missing: "batch=… and data=…, which say how many steps an epoch has"
                                .to_owned(),
                        })?
                }
                Some(Unit::Step) => given.value,
                None if given.value < 1.0 => given.value * steps as f64,
                None => given.value,
                Some(_) => {
                    return Err(refuse(
                        "it is counted in steps, in epochs, or as a fraction of the run below 1",
                    ));
                }
            };
            if length < 0.0 {
                return Err(refuse("it cannot be negative"));
            }
            Ok(length.round() as u64)
        };
        Ok(Schedule::new(
            self.kind,
            length("warmup", self.warmup)?,
            steps,
            self.floor,
            length("decay", self.decay)?,
        )?)
    }
}

/// A number without a unit.
fn plain(key: &str, text: &str) -> Result<f64, ConventionError> {
    let quantity: Quantity = text.parse()?;
    match quantity.unit {
        None => Ok(quantity.value),
        Some(_) => Err(ConventionError::InvalidSetting {
            key: key.to_owned(),
            given: text.to_owned(),
            reason: "it has no unit".to_owned(),
        }),
    }
}
