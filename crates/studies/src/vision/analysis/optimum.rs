//! The best λ of a surface, seed by seed, and what it gains over none.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Finals, Point, Surface};
use wd_statistics::{Interval, PairedDifference, adjust_family, interval};

/// Where a seed's lowest test loss lies at an end of the grid, so that its best λ is only bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Censored {
    /// At λ = 0 or the smallest λ: the best may be smaller.
    Below,
    /// At the largest λ: the best may be larger.
    Above,
}

/// The ηλ of lowest test loss, at one η.
///
/// Of each seed: the λ > 0 of lowest loss, refined by the parabola in ln λ through it and its two
/// neighbours.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Optimum {
    /// η.
    pub learning_rate: f64,
    /// ln ηλ of each seed.
    pub per_seed: BTreeMap<u64, f64>,
    /// Seeds whose optimum lies at an end of the grid: theirs is a bound.
    pub censored: BTreeMap<u64, Censored>,
    /// ln ηλ over seeds.
    pub log_product: Interval,
}

/// The λ of lowest mean test loss against λ = 0, on the same seeds, at the surface's best η.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gain {
    /// η.
    pub learning_rate: f64,
    /// The best λ > 0.
    pub lambda: f64,
    /// The largest λ of the grid.
    pub largest: f64,
    /// Change of the test loss; negative is better. Corrected by Holm's method over all λ of the
    /// curve.
    pub test_loss: PairedDifference,
    /// Change of the training loss.
    pub train_loss: PairedDifference,
    /// Change of the accuracy on the test images.
    pub test_accuracy: PairedDifference,
    /// Change of test − training loss.
    pub gap: PairedDifference,
    /// Change of the loss on the shifted images.
    pub shifted_loss: PairedDifference,
    /// Change of the accuracy on the shifted images.
    pub shifted_accuracy: PairedDifference,
    /// Test loss of the largest λ − that of the best: the under-fit side.
    pub too_large_test: PairedDifference,
    /// Training loss of the largest λ − that of the best.
    pub too_large_train: PairedDifference,
}

impl Optimum {
    /// Of a surface with at least three λ > 0 at its best η.
    pub(super) fn of(surface: &Surface) -> Option<Self> {
        Self::at(surface, surface.best_learning_rate()?)
    }

    /// Of a surface with at least three λ > 0 at this η.
    pub(super) fn at(surface: &Surface, learning_rate: f64) -> Option<Self> {
        let curve = surface.curve(learning_rate);
        let decayed: Vec<&Point> =
            curve.iter().filter(|point| point.lambda > 0.0).copied().collect();
        if decayed.len() < 3 {
            return None;
        }
        let none = curve.iter().find(|point| point.lambda == 0.0);
        let mut per_seed = BTreeMap::new();
        let mut censored = BTreeMap::new();
        for seed in decayed[0].finals.keys() {
            let losses: Option<Vec<f64>> = decayed
                .iter()
                .map(|point| match point.finals.get(seed) {
                    Some(finals) => Some(finals.test_loss),
                    // A λ at which it diverges is no optimum.
                    None if point.diverged.contains(seed) => Some(f64::INFINITY),
                    None => None,
                })
                .collect();
            let Some(losses) = losses else { continue };
            let best = (0..losses.len())
                .min_by(|&a, &b| losses[a].total_cmp(&losses[b]))
                .unwrap_or_default();
            let at_zero = none
                .and_then(|point| point.finals.get(seed))
                .map_or(f64::INFINITY, |finals| finals.test_loss);
            let log = |index: usize| decayed[index].lambda.ln();
            let place = if at_zero <= losses[best] || best == 0 {
                censored.insert(*seed, Censored::Below);
                log(0)
            } else if best + 1 == losses.len() {
                censored.insert(*seed, Censored::Above);
                log(best)
            } else {
                vertex(
                    [log(best - 1), log(best), log(best + 1)],
                    [losses[best - 1], losses[best], losses[best + 1]],
                )
            };
            per_seed.insert(*seed, place + learning_rate.ln());
        }
        let values: Vec<f64> = per_seed.values().copied().collect();
        (!values.is_empty()).then(|| Optimum {
            learning_rate,
            log_product: interval(&values),
            per_seed,
            censored,
        })
    }

    /// Is it known for every seed, and not only bounded?
    pub fn is_inside(&self) -> bool {
        self.censored.is_empty()
    }
}

/// Where the parabola through three points, the middle one the lowest, is lowest; within half the
/// way to either neighbour.
fn vertex(x: [f64; 3], y: [f64; 3]) -> f64 {
    let (left, right) = (x[1] - x[0], x[2] - x[1]);
    let (fall, rise) = ((y[1] - y[0]) / left, (y[2] - y[1]) / right);
    let curvature = 2.0 * (rise - fall) / (left + right);
    let slope = (fall * right + rise * left) / (left + right);
    let step = -slope / curvature;
    match step.is_finite() {
        true => x[1] + step.clamp(-0.5 * left, 0.5 * right),
        // A neighbour at infinity, or a flat curve.
        false => x[1],
    }
}

impl Gain {
    /// Of a surface with λ = 0 and another λ at its best η.
    pub(super) fn of(surface: &Surface) -> Option<Self> {
        Self::at(surface, surface.best_learning_rate()?)
    }

    /// Of a surface with λ = 0 and another λ at this η.
    pub(super) fn at(surface: &Surface, learning_rate: f64) -> Option<Self> {
        let curve = surface.curve(learning_rate);
        let none = *curve.iter().find(|point| point.lambda == 0.0)?;
        let decayed: Vec<&Point> =
            curve.iter().filter(|point| point.lambda > 0.0).copied().collect();
        let finite = |point: &&&Point| point.test_loss.mean.is_finite();
        let best = decayed
            .iter()
            .filter(finite)
            .min_by(|a, b| a.test_loss.mean.total_cmp(&b.test_loss.mean))?;
        let largest = decayed.iter().rfind(finite)?;

        let mut all: Vec<PairedDifference> =
            decayed.iter().map(|point| paired(point, none, |finals| finals.test_loss)).collect();
        adjust_family(&mut all);
        let index = decayed.iter().position(|point| point.lambda == best.lambda)?;
        Some(Gain {
            learning_rate,
            lambda: best.lambda,
            largest: largest.lambda,
            test_loss: all.swap_remove(index),
            train_loss: paired(best, none, |finals| finals.train_loss),
            test_accuracy: paired(best, none, |finals| finals.test_accuracy),
            gap: paired(best, none, Finals::gap),
            shifted_loss: paired(best, none, |finals| finals.shifted_loss),
            shifted_accuracy: paired(best, none, |finals| finals.shifted_accuracy),
            too_large_test: paired(largest, best, |finals| finals.test_loss),
            too_large_train: paired(largest, best, |finals| finals.train_loss),
        })
    }
}

/// One point − another, over the seeds that both have.
fn paired(with: &Point, without: &Point, value: impl Fn(&Finals) -> f64) -> PairedDifference {
    let shared = with.finals.iter().filter_map(|(seed, finals)| {
        Some((*seed, value(finals) - value(without.finals.get(seed)?)))
    });
    PairedDifference::of(shared.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vertex_of_a_parabola_is_found_on_uneven_steps() {
        let parabola = |x: f64| 3.0 * (x - 0.4).powi(2) + 1.0;
        let x = [-1.0, 0.2, 2.0];
        assert!((vertex(x, x.map(parabola)) - 0.4).abs() < 1e-14);
    }

    #[test]
    fn a_neighbour_that_diverged_leaves_the_best_where_it_is() {
        assert_eq!(vertex([0.0, 1.0, 2.0], [3.0, 1.0, f64::INFINITY]), 1.0);
        assert_eq!(vertex([0.0, 1.0, 2.0], [1.0, 1.0, 1.0]), 1.0);
    }
}
