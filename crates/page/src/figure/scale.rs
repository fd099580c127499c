//! Scales: from a quantity to a position, and the tick marks a person would choose.

use serde::Serialize;

use crate::number;

/// How a quantity is spread over its axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Transform {
    /// Equal differences are equally far apart.
    Linear,
    /// Equal ratios are equally far apart; what is not positive has no place.
    Log,
}

/// A map from a finite, non-empty domain of values to a range of coordinates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    transform: Transform,
    domain: (f64, f64),
    range: (f64, f64),
}

impl Scale {
    /// A scale over `domain`; a domain that cannot be drawn (empty, not finite, not positive on a
    /// log axis) is replaced by one that can.
    pub(crate) fn new(transform: Transform, domain: (f64, f64), range: (f64, f64)) -> Self {
        let (mut low, mut high) = (domain.0.min(domain.1), domain.0.max(domain.1));
        if !low.is_finite() || !high.is_finite() || low.abs().max(high.abs()) > 1e300 {
            (low, high) = match transform {
                Transform::Linear => (0.0, 1.0),
                Transform::Log => (0.1, 1.0),
            };
        }
        match transform {
            Transform::Linear => {
                let width = high - low;
                let smallest = 1e-9 * low.abs().max(high.abs()).max(1e-30);
                if width < smallest {
                    let half = if low == 0.0 { 0.5 } else { 0.05 * low.abs() };
                    (low, high) = (low - half, high + half);
                }
            }
            Transform::Log => {
                if high <= 0.0 {
                    (low, high) = (0.1, 1.0);
                }
                low = low.max(high * 1e-12).max(1e-300);
                if high / low < 1.0 + 1e-9 {
                    (low, high) = (low / 1.25, high * 1.25);
                }
            }
        }
        Self { transform, domain: (low, high), range }
    }

    /// The transform this scale uses.
    pub(crate) fn transform(&self) -> Transform {
        self.transform
    }

    /// The domain in use, after the repairs of [`Scale::new`].
    pub(crate) fn domain(&self) -> (f64, f64) {
        self.domain
    }

    /// Coordinate of a value; none if it has no place on this axis. Values far outside the domain
    /// are held near the frame, which clips them anyway.
    pub(crate) fn position(&self, value: f64) -> Option<f64> {
        if !value.is_finite() || (self.transform == Transform::Log && value <= 0.0) {
            return None;
        }
        let forward = |x: f64| match self.transform {
            Transform::Linear => x,
            Transform::Log => x.ln(),
        };
        let (low, high) = (forward(self.domain.0), forward(self.domain.1));
        let fraction = ((forward(value) - low) / (high - low)).clamp(-4.0, 5.0);
        Some(self.range.0 + fraction * (self.range.1 - self.range.0))
    }

    /// About `wanted` round values inside the domain, in rising order.
    pub(crate) fn ticks(&self, wanted: usize) -> Vec<f64> {
        let (low, high) = self.domain;
        match self.transform {
            Transform::Linear => linear_ticks(low, high, wanted),
            Transform::Log => log_ticks(low, high, wanted),
        }
    }

    /// The same with the domain widened by a share of itself at both ends.
    pub(crate) fn with_margin(self, fraction: f64) -> Self {
        let (low, high) = self.domain;
        let domain = match self.transform {
            Transform::Linear => {
                let margin = fraction * (high - low);
                (low - margin, high + margin)
            }
            Transform::Log => {
                let factor = (high / low).powf(fraction);
                (low / factor, high * factor)
            }
        };
        Self::new(self.transform, domain, self.range)
    }
}

fn linear_ticks(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let raw = (high - low) / wanted.max(1) as f64;
    let magnitude = 10f64.powf(raw.log10().floor());
    // The round step whose ratio to the ideal one is nearest to 1; the bounds are geometric means
    // of neighbours.
    let step = magnitude
        * match raw / magnitude {
            ratio if ratio < 2f64.sqrt() => 1.0,
            ratio if ratio < 10f64.sqrt() => 2.0,
            ratio if ratio < 50f64.sqrt() => 5.0,
            _ => 10.0,
        };
    if !(step.is_finite() && step > 0.0) {
        return Vec::new();
    }
    let first = (low / step - 1e-9).ceil();
    (0..=4 * wanted.max(1))
        .map(|index| (first + index as f64) * step)
        .take_while(|value| *value <= high + 1e-9 * step)
        // 0.1 × 3 is 0.30000000000000004: the zero tick must be exactly zero.
        .map(|value| if value.abs() < 1e-9 * step { 0.0 } else { value })
        .collect()
}

fn log_ticks(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let decades = (high / low).log10();
    let inside = |value: &f64| *value >= low * (1.0 - 1e-9) && *value <= high * (1.0 + 1e-9);
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    if decades >= 1.5 {
        let stride = ((decades / wanted.max(1) as f64).ceil() as usize).max(1);
        let mantissas: &[f64] =
            if decades <= 2.5 && wanted >= 5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        return (first..=last)
            .step_by(stride)
            .flat_map(|exponent| {
                mantissas.iter().map(move |mantissa| mantissa * 10f64.powi(exponent))
            })
            .filter(inside)
            .collect();
    }
    let fine: Vec<f64> = (first..=last)
        .flat_map(|exponent| [1.0, 2.0, 5.0].map(|mantissa| mantissa * 10f64.powi(exponent)))
        .filter(inside)
        .collect();
    // Less than half a decade holds too few of 1, 2, 5: there a log axis is almost linear.
    if fine.len() >= 3 { fine } else { linear_ticks(low, high, wanted) }
}

/// Labels of ticks, all with the decimals that tell them apart.
pub(crate) fn tick_labels(ticks: &[f64], transform: Transform) -> Vec<String> {
    let largest = ticks.iter().fold(0.0, |most: f64, tick| most.max(tick.abs()));
    let step = ticks.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(f64::INFINITY, f64::min);
    if transform == Transform::Log || !(1e-3..1e6).contains(&largest) {
        return ticks.iter().map(|tick| number::measured(*tick)).collect();
    }
    let decimals = if step.is_finite() && step > 0.0 {
        (-(step * 1.0001).log10().floor()).clamp(0.0, 8.0) as usize
    } else {
        2
    };
    ticks
        .iter()
        .map(|tick| {
            if decimals == 0 && *tick >= 0.0 {
                number::count(tick.round() as u64)
            } else {
                number::fixed(*tick, decimals)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(transform: Transform, domain: (f64, f64), wanted: usize) -> Vec<String> {
        tick_labels(&Scale::new(transform, domain, (0.0, 100.0)).ticks(wanted), transform)
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(Transform::Linear, (3.41, 3.93), 5), ["3.5", "3.6", "3.7", "3.8", "3.9"]);
        assert_eq!(
            labels(Transform::Linear, (-0.012, 0.034), 5),
            ["−0.01", "0.00", "0.01", "0.02", "0.03"]
        );
        assert_eq!(labels(Transform::Linear, (0.0, 1877.0), 5), ["0", "500", "1,000", "1,500"]);
        assert_eq!(labels(Transform::Log, (3e-4, 0.2), 4), ["0.001", "0.01", "0.1"]);
        assert_eq!(labels(Transform::Log, (0.45, 1.3), 4), ["0.6", "0.8", "1", "1.2"]);
        assert_eq!(labels(Transform::Log, (0.5, 6.0), 4), ["0.5", "1", "2", "5"]);
    }

    #[test]
    fn what_has_no_place_is_left_out() {
        let scale = Scale::new(Transform::Log, (0.1, 10.0), (0.0, 100.0));
        assert_eq!(scale.position(0.0), None);
        assert_eq!(scale.position(f64::NAN), None);
        assert!((scale.position(1.0).unwrap() - 50.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn any_domain_gives_few_finite_ticks(low: f64, high: f64, log: bool, wanted in 1usize..12) {
            let transform = if log { Transform::Log } else { Transform::Linear };
            let scale = Scale::new(transform, (low, high), (0.0, 300.0));
            let ticks = scale.ticks(wanted);
            prop_assert!(ticks.len() <= 4 * wanted + 12);
            for tick in ticks {
                let position = scale.position(tick).unwrap();
                prop_assert!((-1.0..=301.0).contains(&position), "{position}");
            }
        }
    }
}
