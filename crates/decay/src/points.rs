//! A schedule drawn through points.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use strum::{Display, IntoStaticStr, VariantArray};

use crate::{DecayError, names};

/// Points of one schedule: enough for a step every few per cent of the run.
const MOST: usize = 24;

/// How a factor goes from the point before to this one.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Default,
    Serialize,
    Deserialize,
    VariantArray,
    IntoStaticStr,
    Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Curve {
    /// On a straight line.
    #[default]
    Linear,
    /// On half a cosine, flat at both ends.
    Cosine,
    /// Not at all, until the point is reached.
    Step,
}

/// A point that the factor goes through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Share of the run, in [0, 1].
    pub share: f64,
    /// Factor on the peak, in [0, 1].
    pub factor: f64,
    /// The way from the point before.
    pub curve: Curve,
}

/// The points of a schedule in the order of the run; none for a schedule of a named shape.
///
/// Between two points the factor follows the second one's [`Curve`]; before the first and behind
/// the last it stays. Two points at one share are a jump. In a file a point is `[share, factor]` or
/// `[share, factor, "cosine"]`; in words `0:0.1/0.3:1/1:0.02:cosine`.
#[derive(Clone, Copy, PartialEq)]
pub struct Points {
    len: usize,
    points: [Point; MOST],
}

impl Points {
    /// No points: the schedule has a named shape.
    pub const NONE: Points =
        Points { len: 0, points: [Point { share: 0.0, factor: 0.0, curve: Curve::Linear }; MOST] };

    /// Checked points.
    ///
    /// # Errors
    /// [`DecayError::InvalidPoints`] for fewer than two or more than 24, shares that go back or lie
    /// outside [0, 1], factors outside [0, 1], and where no factor is 1: the peak is what the
    /// learning rate or λ beside the schedule is.
    pub fn new(given: &[Point]) -> Result<Self, DecayError> {
        let invalid = |reason: String| DecayError::InvalidPoints { reason };
        if given.len() < 2 || given.len() > MOST {
            return Err(invalid(format!("there are {}, and 2 to {MOST} are drawn", given.len())));
        }
        let unit = 0.0..=1.0;
        for (index, point) in given.iter().enumerate() {
            let Point { share, factor, .. } = *point;
            if !unit.contains(&share) || !unit.contains(&factor) {
                let number = index + 1;
                return Err(invalid(format!(
                    "share and factor of point {number} are {share} and {factor}; both lie in \
                     [0, 1]"
                )));
            }
            if index > 0 && given[index - 1].share > share {
                return Err(invalid(format!("point {} lies before the one before", index + 1)));
            }
        }
        let most = given.iter().map(|point| point.factor).fold(0.0, f64::max);
        if most != 1.0 {
            return Err(invalid(format!(
                "their largest factor is {most}: divide all by it, and multiply the peak by it, \
                 so that the peak is reached"
            )));
        }
        let mut drawn = Points { len: given.len(), ..Points::NONE };
        drawn.points[..given.len()].copy_from_slice(given);
        Ok(drawn)
    }

    /// The points.
    pub fn as_slice(&self) -> &[Point] {
        &self.points[..self.len]
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The factor at a share of the run.
    pub(crate) fn factor(&self, share: f64) -> f64 {
        let points = self.as_slice();
        let Some(next) = points.iter().position(|point| point.share > share) else {
            return points.last().map_or(1.0, |point| point.factor);
        };
        let to = points[next];
        let Some(from) = next.checked_sub(1).map(|before| points[before]) else {
            return to.factor;
        };
        let progress = (share - from.share) / (to.share - from.share);
        let way = match to.curve {
            Curve::Linear => progress,
            Curve::Cosine => 0.5 * (1.0 - (std::f64::consts::PI * progress).cos()),
            Curve::Step => 0.0,
        };
        from.factor + (to.factor - from.factor) * way
    }

    /// In words: `0.1 at 0 %, 1 at 30 %, by a cosine to 0.02 at 100 %`.
    pub(crate) fn describe(&self) -> String {
        let mut words = Vec::new();
        for (index, point) in self.as_slice().iter().enumerate() {
            let way = match point.curve {
                Curve::Cosine if index > 0 => "by a cosine to ",
                Curve::Step if index > 0 => "in a step to ",
                _ => "",
            };
            let percent = (point.share * 1e8).round() / 1e6;
            words.push(format!("{way}{} at {percent} %", point.factor));
        }
        words.join(", ")
    }
}

impl Default for Points {
    fn default() -> Self {
        Points::NONE
    }
}

impl fmt::Debug for Points {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.as_slice()).finish()
    }
}

impl FromStr for Points {
    type Err = DecayError;

    fn from_str(text: &str) -> Result<Self, DecayError> {
        let invalid = |part: &str| DecayError::InvalidPoints {
            reason: format!("`{part}` is no point: write share:factor, such as 0.3:1"),
        };
        let points: Result<Vec<Point>, DecayError> = text
            .split('/')
            .map(|part| {
                let mut words = part.split(':').map(str::trim);
                let mut number = || words.next().and_then(|word| word.parse().ok());
                let (share, factor) = (number(), number());
                let (Some(share), Some(factor)) = (share, factor) else {
                    return Err(invalid(part));
                };
                let curve =
                    words.next().map_or(Ok(Curve::Linear), |name| names::find("curve", name))?;
                match words.next() {
                    None => Ok(Point { share, factor, curve }),
                    Some(_) => Err(invalid(part)),
                }
            })
            .collect();
        Points::new(&points?)
    }
}

/// A point as it stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "a point is [share, factor] or [share, factor, \"cosine\"]")]
enum Written {
    Plain(f64, f64),
    Curved(f64, f64, Curve),
}

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.as_slice().iter().map(|point| match point.curve {
            Curve::Linear => Written::Plain(point.share, point.factor),
            curve => Written::Curved(point.share, point.factor, curve),
        }))
    }
}

impl<'de> Deserialize<'de> for Points {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Vec::<Written>::deserialize(deserializer)?;
        if written.is_empty() {
            return Ok(Points::NONE);
        }
        let points: Vec<Point> = written
            .into_iter()
            .map(|point| match point {
                Written::Plain(share, factor) => Point { share, factor, curve: Curve::Linear },
                Written::Curved(share, factor, curve) => Point { share, factor, curve },
            })
            .collect();
        Points::new(&points).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(text: &str) -> Points {
        text.parse().expect("points")
    }

    #[test]
    fn the_factor_goes_through_every_point_on_its_curve() {
        let drawn = points("0:0.1/0.5:1:cosine/0.5:0.4/0.75:0.2/1:0.6:step");
        for (share, factor) in [
            (0.0, 0.1),
            (0.25, 0.55),
            (0.499_999, 1.0),
            (0.5, 0.4),
            (0.625, 0.3),
            (0.75, 0.2),
            (0.99, 0.2),
            (1.0, 0.6),
        ] {
            assert!((drawn.factor(share) - factor).abs() < 1e-9, "{share}");
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        drawn: Points,
    }

    #[test]
    fn points_read_back_from_a_file_as_they_were_written() {
        let drawn = points("0:0.1/0.3:1/1:0.02:cosine");
        let text = toml::to_string(&Holder { drawn }).unwrap();
        assert_eq!(text.trim(), r#"drawn = [[0.0, 0.1], [0.3, 1.0], [1.0, 0.02, "cosine"]]"#);
        assert_eq!(toml::from_str::<Holder>(&text).unwrap(), Holder { drawn });
    }

    #[test]
    fn what_cannot_be_drawn_is_refused_with_the_reason() {
        for (text, reason) in [
            ("0:1", "2 to 24"),
            ("0:1/1:1.5", "point 2"),
            ("0.5:1/0.2:0", "before the one before"),
            ("0:0.64/0.5:0.08", "largest factor is 0.64"),
            ("0:1/half:0", "`half:0` is no point"),
            ("0:1/1:0:spline", "spline"),
        ] {
            let error = text.parse::<Points>().unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
