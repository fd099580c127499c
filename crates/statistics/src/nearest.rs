//! Which arms are within ε of the best, which are not, and what would settle the others.
//!
//! "The best λ" is not a question that a grid can answer to its last digit: neighbours differ by
//! less than anybody can measure. What can be shown is a set: with 95 % confidence in all statements
//! together, these arms are within ε of whichever is truly best, those are not, and of the others it
//! is open.

use serde::Serialize;

use crate::interval::mean;
use crate::noise::{DifferenceNoise, DistantDifferences};
use crate::paired::{MOST_SEEDS, POWER, PairedDifference};
use crate::student::{LEVEL, quantile};

/// An arm: a place on the axis, and a loss for each of its seeds.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// ln λ; −∞ for λ = 0.
    pub place: f64,
    /// Seed with loss, ascending by seed.
    pub losses: &'a [(u64, f64)],
}

/// How an arm stands to the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Within ε of the best, whichever that is.
    Within,
    /// Worse than some other arm by more than ε.
    Worse,
    /// Neither is shown.
    Open,
}

/// An arm against the arm of the lowest mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Nearness {
    /// How it stands to the best.
    pub standing: Standing,
    /// Mean difference to the arm of the lowest mean; 0 for that arm itself.
    pub behind: f64,
    /// Lower end of its simultaneous interval; NaN where it has none.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Of an open arm, further seeds after which its standing would be shown with 80 % power, if
    /// means and spreads are as they look now; at most [`MOST_SEEDS`].
    pub more_seeds: Option<u64>,
}

/// What a set of arms shows about the best of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Nearest {
    /// The arm of the lowest mean.
    pub lowest: usize,
    /// How far from the best still counts as good.
    pub epsilon: f64,
    /// Each arm, in the order given.
    pub arms: Vec<Nearness>,
    /// The spread of differences, where enough arms are paired to know how it grows.
    pub noise: Option<DifferenceNoise>,
}

/// A difference of two arms: its mean, the standard error and its degrees of freedom.
struct Difference {
    mean: f64,
    standard_error: f64,
    degrees: f64,
    n: usize,
}

/// Says which arms are within `epsilon` of the best. `is_paired` says whether equal seeds are pairs.
/// Absent with fewer than two arms that have a finite loss.
///
/// All pairs of arms are compared at once: each of the K(K − 1)/2 two-sided intervals has the level
/// α/(K(K − 1)/2) (Bonferroni), so that all statements are right together in 95 of a hundred
/// studies. An arm is within ε when no other can be better than it by more than ε, and worse when
/// some other surely is. Pairs use a spread that grows with the distance of their λ
/// ([`DifferenceNoise`]) where it can be fitted and both have a ln λ, else their own.
pub fn nearest(candidates: &[Candidate<'_>], epsilon: f64, is_paired: bool) -> Option<Nearest> {
    let means: Vec<f64> = candidates.iter().map(mean_loss).collect();
    let finite: Vec<usize> = (0..means.len()).filter(|&arm| means[arm].is_finite()).collect();
    let lowest = finite.iter().copied().min_by(|&a, &b| means[a].total_cmp(&means[b]))?;
    if finite.len() < 2 {
        return None;
    }
    let noise = match is_paired {
        true => fit_noise(candidates, lowest),
        false => None,
    };
    let pairs = (finite.len() * (finite.len() - 1) / 2) as f64;
    let level = LEVEL / pairs;
    let interval = |a: usize, b: usize| {
        let found = difference(&candidates[a], &candidates[b], is_paired, noise.as_ref());
        let half = quantile(1.0 - level / 2.0, found.degrees) * found.standard_error;
        (found.mean - half, found.mean + half, found)
    };
    let nearness = |arm: usize| {
        if !means[arm].is_finite() {
            let (low, high) = (f64::NAN, f64::NAN);
            let standing = Standing::Open;
            return Nearness { standing, behind: f64::NAN, low, high, more_seeds: None };
        }
        let others = || finite.iter().copied().filter(|&other| other != arm);
        let is_within = others().all(|other| interval(arm, other).1 <= epsilon);
        let is_worse = others().any(|other| interval(arm, other).0 > epsilon);
        let standing = match (is_within, is_worse) {
            (true, _) => Standing::Within,
            (_, true) => Standing::Worse,
            _ => Standing::Open,
        };
        let rival = match arm == lowest {
            // What the lowest is not yet shown to be within ε of.
            true => others().max_by(|&a, &b| interval(arm, a).1.total_cmp(&interval(arm, b).1)),
            false => Some(lowest),
        };
        let against = rival.map(|rival| interval(arm, rival));
        let (low, high) = against.as_ref().map_or((f64::NAN, f64::NAN), |found| (found.0, found.1));
        let more_seeds = match (standing, against) {
            (Standing::Open, Some((_, _, found))) => Some(seeds_to_settle(&found, epsilon, level)),
            _ => None,
        };
        let (behind, low, high) = match arm == lowest {
            true => (0.0, f64::NAN, f64::NAN),
            false => (means[arm] - means[lowest], low, high),
        };
        Nearness { standing, behind, low, high, more_seeds }
    };
    let arms = (0..candidates.len()).map(nearness).collect();
    Some(Nearest { lowest, epsilon, arms, noise })
}

fn mean_loss(candidate: &Candidate<'_>) -> f64 {
    let losses = candidate.losses.iter().map(|(_, loss)| *loss).filter(|loss| loss.is_finite());
    mean(&losses.collect::<Vec<f64>>())
}

/// Losses of the first less losses of the second, over the seeds of both.
fn pairs_of(a: &Candidate<'_>, b: &Candidate<'_>) -> Vec<(u64, f64)> {
    let shared = a.losses.iter().filter_map(|(seed, loss)| {
        let other = b.losses.iter().find(|(other, _)| other == seed)?;
        Some((*seed, loss - other.1))
    });
    shared.filter(|(_, difference)| difference.is_finite()).collect()
}

/// The spread of the differences to the arm of the lowest mean, as it grows with distance.
fn fit_noise(candidates: &[Candidate<'_>], lowest: usize) -> Option<DifferenceNoise> {
    let best = candidates.get(lowest)?;
    let differences: Vec<(f64, Vec<f64>)> = candidates
        .iter()
        .enumerate()
        .filter(|(arm, candidate)| *arm != lowest && candidate.place.is_finite())
        .filter(|_| best.place.is_finite())
        .map(|(_, candidate)| {
            let values = pairs_of(candidate, best).into_iter().map(|(_, difference)| difference);
            ((candidate.place - best.place).abs(), values.collect())
        })
        .collect();
    let arms: Vec<DistantDifferences<'_>> = differences
        .iter()
        .map(|(distance, values)| DistantDifferences { distance: *distance, values })
        .collect();
    DifferenceNoise::fit(&arms)
}

fn difference(
    a: &Candidate<'_>,
    b: &Candidate<'_>,
    is_paired: bool,
    noise: Option<&DifferenceNoise>,
) -> Difference {
    let found = match is_paired {
        true => PairedDifference::of(pairs_of(a, b)),
        false => {
            let losses = |candidate: &Candidate<'_>| -> Vec<f64> {
                candidate.losses.iter().map(|(_, loss)| *loss).collect()
            };
            PairedDifference::unpaired(&losses(a), &losses(b))
        }
    };
    let distance = (a.place - b.place).abs();
    let n = found.interval.n;
    match noise.filter(|_| distance.is_finite() && n > 0) {
        Some(noise) => Difference {
            mean: found.interval.mean,
            standard_error: noise.deviation(distance) / (n as f64).sqrt(),
            degrees: noise.degrees,
            n,
        },
        None => Difference {
            mean: found.interval.mean,
            standard_error: found.interval.standard_error,
            degrees: found.degrees,
            n,
        },
    }
}

/// Further seeds after which a difference would be shown to lie on its side of ε.
fn seeds_to_settle(found: &Difference, epsilon: f64, level: f64) -> u64 {
    let room = (epsilon - found.mean).abs();
    let deviation = found.standard_error * (found.n as f64).sqrt();
    if room.is_nan() || deviation.is_nan() || room <= 0.0 {
        return MOST_SEEDS;
    }
    let ratio = deviation / room;
    let enough = |n: u64| {
        let degrees = (n - 1) as f64;
        let sum = quantile(1.0 - level / 2.0, degrees) + quantile(POWER, degrees);
        n as f64 >= (sum * ratio).powi(2)
    };
    if 10.0 * ratio * ratio > MOST_SEEDS as f64 {
        return MOST_SEEDS;
    }
    let first = (found.n as u64 + 1).max(2);
    let needed = (first..MOST_SEEDS).find(|&n| enough(n)).unwrap_or(MOST_SEEDS);
    needed - found.n as u64
}
