//! Where a mean paired difference falls through zero, and how surely.

use serde::Serialize;

use crate::student::{LEVEL, NORMAL_QUANTILE, quantile};

/// Resamples of the bootstrap; the ends of a 95 % interval are then the 50th smallest and largest
/// of 2,000.
const RESAMPLES: usize = 2_000;

/// The step at which a mean paired difference turns from positive to non-positive and stays so.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Crossing {
    /// Step, interpolated between window centres.
    pub step: f64,
    /// The same as a fraction of the run.
    pub fraction: f64,
    /// Lower end of the 95 % bootstrap interval (steps); absent with fewer than three seeds.
    pub low: Option<f64>,
    /// Upper end; absent with fewer than three seeds, or when the interval reaches past the end of
    /// the run.
    pub high: Option<f64>,
}

/// The step at which `means` turns from positive to non-positive for the last time, when it stays
/// non-positive until the end; interpolated linearly between the two windows. `None` when it is
/// never positive or ends positive.
pub fn cross_down(steps: &[f64], means: &[f64]) -> Option<f64> {
    let last_positive = means.iter().rposition(|&difference| difference > 0.0)?;
    let (before, after) = (means[last_positive], *means.get(last_positive + 1)?);
    let share = before / (before - after);
    Some(steps[last_positive] + share * (steps[last_positive + 1] - steps[last_positive]))
}

/// The crossing of the mean of `curves` (one curve of differences a seed, all in the windows
/// centred at `steps`), with a 95 % bootstrap interval over seeds when there are at least three.
/// `total` is the length of the run in steps.
///
/// The plain percentile bootstrap is too narrow for a handful of seeds: a resampled mean of n
/// values spreads by s√(n−1)/n instead of s/√n, and normal tails stand in for Student's. So each
/// resampled mean curve's deviation from the mean curve is stretched by
/// √(n/(n−1))·t_{0.975,n−1}/z_{0.975}, after which the interval agrees with the pointwise Student
/// intervals. A resample that is positive to the end has no crossing and counts as beyond the run
/// (the upper end is then absent when more than 2.5 % do so); one that is never positive counts as
/// crossing at the start.
///
/// On simulated curves with the spread of real studies it covers the true crossing 92 times in a
/// hundred with three seeds and 95 times with five (`tests/statistics.rs`).
///
/// The resamples are drawn from a fixed seed: the same curves give the same interval.
pub fn crossing_of(steps: &[f64], curves: &[Vec<f64>], total: f64) -> Option<Crossing> {
    let n = curves.len();
    let count = n as f64;
    let mean: Vec<f64> = (0..steps.len())
        .map(|window| curves.iter().map(|curve| curve[window]).sum::<f64>() / count)
        .collect();
    let step = cross_down(steps, &mean)?;
    let mut crossing = Crossing { step, fraction: step / total, low: None, high: None };
    if n < 3 {
        return Some(crossing);
    }

    let student = quantile(1.0 - LEVEL / 2.0, count - 1.0);
    let stretch = (count / (count - 1.0)).sqrt() * student / NORMAL_QUANTILE;
    let mut state = 0x5eed_u64;
    let mut resampled = vec![0.0; steps.len()];
    let mut found: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            resampled.fill(0.0);
            for _ in 0..n {
                // The high 32 bits times n: uniform on 0..n to within 2⁻³².
                let drawn = ((split_mix(&mut state) >> 32) as usize * n) >> 32;
                for (sum, value) in resampled.iter_mut().zip(&curves[drawn]) {
                    *sum += value / count;
                }
            }
            for (value, centre) in resampled.iter_mut().zip(&mean) {
                *value = centre + stretch * (*value - centre);
            }
            match cross_down(steps, &resampled) {
                Some(step) => step,
                None if resampled.last().is_some_and(|&end| end > 0.0) => f64::INFINITY,
                None => 0.0,
            }
        })
        .collect();
    found.sort_by(f64::total_cmp);
    let tail = (LEVEL / 2.0 * RESAMPLES as f64) as usize;
    crossing.low = Some(found[tail].min(step));
    crossing.high = Some(found[RESAMPLES - 1 - tail].max(step)).filter(|high| high.is_finite());
    Some(crossing)
}

/// SplitMix64 (Steele, Lea and Flood, 2014): a few lines that pass BigCrush; ample for resampling.
pub(crate) fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
