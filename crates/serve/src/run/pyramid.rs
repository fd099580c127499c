//! Minima and maxima of a series at every scale.
//!
//! Level 0 is the series; each point of level k + 1 stands for [`FACTOR`] points of level k by
//! their least, their largest and their mean. So whatever is asked for is answered from a level
//! that has about as many points as a screen has columns, and no spike is ever lost, at two thirds
//! of the memory of the series itself.

/// Points of a level that are one point of the next.
const FACTOR: usize = 4;

/// Points that stand for a stretch of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stretch {
    /// The least.
    pub(super) low: f32,
    /// The largest.
    pub(super) high: f32,
    /// The mean of those that are numbers; NaN without any.
    pub(super) mean: f32,
}

/// A series with its coarser levels.
#[derive(Debug, Clone, Default)]
pub(super) struct Pyramid {
    steps: Vec<u64>,
    values: Vec<f32>,
    levels: Vec<Vec<Stretch>>,
}

impl Pyramid {
    /// Of a series: a value for each step, ascending.
    pub(super) fn of(steps: Vec<u64>, values: &[f64]) -> Self {
        let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
        let mut levels = Vec::new();
        let mut below: Vec<Stretch> = values.iter().copied().map(single).collect();
        while below.len() > FACTOR {
            below = below.chunks(FACTOR).map(joined).collect();
            levels.push(below.clone());
        }
        Pyramid { steps, values, levels }
    }

    /// Bytes that it takes.
    pub(super) fn size(&self) -> usize {
        12 * self.steps.len() + 12 * self.levels.iter().map(Vec::len).sum::<usize>()
    }

    /// The steps from `from` to `to`, in at most about `most` stretches: the first step of each,
    /// and what stands for it.
    pub(super) fn between(&self, from: f64, to: f64, most: usize) -> Vec<(u64, Stretch)> {
        let begin = self.steps.partition_point(|step| (*step as f64) < from);
        let end = self.steps.partition_point(|step| (*step as f64) <= to);
        // One point on either side, so that a line leaves the picture instead of ending in it.
        let (begin, end) = (begin.saturating_sub(1), (end + 1).min(self.steps.len()));
        if begin >= end {
            return Vec::new();
        }
        let mut width = 1;
        let mut level = 0;
        while (end - begin).div_ceil(width) > most.max(FACTOR) && level < self.levels.len() {
            width *= FACTOR;
            level += 1;
        }
        (begin / width..end.div_ceil(width))
            .map(|place| {
                let stretch = match level {
                    0 => single(self.values[place]),
                    level => self.levels[level - 1][place],
                };
                (self.steps[place * width], stretch)
            })
            .collect()
    }
}

fn single(value: f32) -> Stretch {
    Stretch { low: value, high: value, mean: value }
}

/// One for several; what is no number counts for nothing.
fn joined(parts: &[Stretch]) -> Stretch {
    let (mut low, mut high) = (f32::NAN, f32::NAN);
    let (mut sum, mut count) = (0.0, 0_u32);
    for part in parts {
        (low, high) = (low.min(part.low), high.max(part.high));
        if !part.mean.is_nan() {
            sum += part.mean;
            count += 1;
        }
    }
    Stretch { low, high, mean: if count == 0 { f32::NAN } else { sum / count as f32 } }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A quiet series with one spike, and a hole.
    fn series(count: usize, spike: usize) -> Pyramid {
        let mut values: Vec<f64> = (0..count).map(|row| (row as f64 * 0.01).sin()).collect();
        values[spike] = 1000.0;
        values[count / 2] = f64::NAN;
        Pyramid::of((1..=count as u64).collect(), &values)
    }

    #[test]
    fn a_spike_is_seen_at_every_scale() {
        for spike in [0, 1, 777, 99_998, 99_999] {
            let pyramid = series(100_000, spike);
            for most in [4, 50, 1000, 5000, 1_000_000] {
                let seen = pyramid.between(0.0, f64::INFINITY, most);
                assert!(seen.len() <= most.max(4) + 1, "{} for {most}", seen.len());
                let highest = seen.iter().map(|(_, stretch)| stretch.high).fold(0.0, f32::max);
                assert_eq!(highest, 1000.0, "spike at {spike}, {most} points");
            }
        }
    }

    #[test]
    fn a_part_holds_what_lies_in_it_and_a_neighbour_on_either_side() {
        let pyramid = series(1000, 999);
        let part = pyramid.between(101.0, 110.0, 500);
        let steps: Vec<u64> = part.iter().map(|(step, _)| *step).collect();
        assert_eq!(steps, (100..=111).collect::<Vec<_>>());
        assert!(pyramid.between(2000.0, 3000.0, 10).len() <= 1);
        assert!(Pyramid::of(Vec::new(), &[]).between(0.0, 1.0, 10).is_empty());
    }

    #[test]
    fn it_takes_little_beside_the_series() {
        let pyramid = series(100_000, 5);
        let own: usize = pyramid.levels.iter().map(Vec::len).sum();
        assert!(own < 100_000 * 34 / 100, "{own}");
    }
}
