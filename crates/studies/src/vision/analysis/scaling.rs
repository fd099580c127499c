//! How the best ηλ moves: from one model to another, and with the images, the batch and the passes.

use std::collections::BTreeMap;

use serde::Serialize;

use super::surface::{MODEL_KEY, shared_rates};
use super::{Gain, Optimum, Surface};
use wd_lab::configuration::Flat;
use wd_statistics::{Interval, PairedDifference, interval};

/// What slopes are taken along, and what stays as it is meanwhile.
struct Axis {
    key: &'static str,
    counts: &'static str,
    held: Held,
    /// The slope that each published law would give.
    law: &'static str,
}

/// What surfaces of one slope share besides their other settings.
#[derive(PartialEq)]
enum Held {
    /// The passes over the images; the steps follow.
    Passes,
    /// The steps, and so the samples seen; the passes follow.
    Samples,
    /// The images; the steps follow from the passes.
    Images,
}

const AXES: [Axis; 4] = [
    Axis {
        key: "data.size",
        counts: "training images",
        held: Held::Passes,
        law: "−1 if τ = 1/(ηλ) is a fixed number of passes (Wang & Aitchison 2024) or a fixed \
              share of the run",
    },
    Axis {
        key: "data.size",
        counts: "training images",
        held: Held::Samples,
        law: "−1 if τ = 1/(ηλ) is a fixed number of passes (Wang & Aitchison 2024), 0 if a fixed \
              share of the run",
    },
    Axis {
        key: "data.batch",
        counts: "images a step",
        held: Held::Passes,
        law: "+1 if τ = 1/(ηλ) is a fixed number of passes (Wang & Aitchison 2024) or a fixed \
              share of the run",
    },
    Axis {
        key: "data.epochs",
        counts: "passes",
        held: Held::Images,
        law: "0 if τ = 1/(ηλ) is a fixed number of passes (Wang & Aitchison 2024), −1 if a fixed \
              share of the run",
    },
];

/// The key of the peak learning rate, along which a ridge runs.
pub(super) const RATE: &str = "optim.lr";
/// Rates without which there is no ridge.
const LEAST_RATES: usize = 3;

impl Held {
    fn words(&self) -> &'static str {
        match self {
            Held::Passes => "the same passes",
            Held::Samples => "the same samples seen",
            Held::Images => "the same images",
        }
    }
}

/// One model against another, everything outside `[model]` equal, on the same seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ratio {
    /// Index of the one surface.
    pub one: usize,
    /// Index of the other.
    pub other: usize,
    /// Where the best ηλ of either lies, each at its best η among those of both.
    pub optima: [Optimum; 2],
    /// What either gains there over λ = 0.
    pub gains: [Option<Gain>; 2],
    /// ln of the best ηλ of the one − that of the other; where an optimum lies at an end of its
    /// grid, a bound.
    pub log_optimum: PairedDifference,
    /// Does an optimum lie at an end of its grid?
    pub is_bound: bool,
    /// Change of the test loss by the best λ: that of the one − that of the other. Negative: the
    /// one gains more.
    pub gain: PairedDifference,
}

/// The slope d ln(ηλ)/d ln x of the optimum along one setting, everything else equal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scaling {
    /// The setting, for example `data.size`.
    pub key: String,
    /// What it counts.
    pub counts: String,
    /// What all surfaces share besides their other settings.
    pub held: String,
    /// The slope that each published law would give.
    pub law: String,
    /// Indices of the surfaces, ascending in x.
    pub surfaces: Vec<usize>,
    /// The optimum of each, at its best η among those of all.
    pub optima: Vec<Optimum>,
    /// x of each.
    pub values: Vec<f64>,
    /// Least-squares slope of each seed, and its interval over seeds.
    pub slope: Interval,
    /// Does an optimum lie at an end of its grid?
    pub is_bound: bool,
}

/// Every pair of models, ViT first where there is one.
pub(super) fn ratios(surfaces: &[Surface]) -> Vec<Ratio> {
    let outside = |surface: &Surface| -> Flat {
        let mut rest = surface.configuration.clone();
        rest.retain(|key, _| !key.starts_with("model."));
        rest
    };
    let mut ratios = Vec::new();
    for (one, first) in surfaces.iter().enumerate() {
        for (other, second) in surfaces.iter().enumerate().skip(one + 1) {
            if first.model() == second.model() || outside(first) != outside(second) {
                continue;
            }
            let rates = shared_rates(&[first, second]);
            let at = |surface: &Surface| {
                let rate = surface.best_of(&rates)?;
                Some((Optimum::at(surface, rate)?, Gain::at(surface, rate)))
            };
            let (Some((a, gain_of_a)), Some((b, gain_of_b))) = (at(first), at(second)) else {
                continue;
            };
            let difference = |a: &BTreeMap<u64, f64>, b: &BTreeMap<u64, f64>| {
                let shared =
                    a.iter().filter_map(|(seed, value)| Some((*seed, value - b.get(seed)?)));
                PairedDifference::of(shared.collect())
            };
            let gained = |gain: &Option<Gain>| -> BTreeMap<u64, f64> {
                gain.as_ref().map_or_else(BTreeMap::new, |gain| {
                    gain.test_loss.per_seed.iter().copied().collect()
                })
            };
            ratios.push(Ratio {
                one,
                other,
                log_optimum: difference(&a.per_seed, &b.per_seed),
                is_bound: !(a.is_inside() && b.is_inside()),
                gain: difference(&gained(&gain_of_a), &gained(&gain_of_b)),
                gains: [gain_of_a, gain_of_b],
                optima: [a, b],
            });
        }
    }
    ratios
}

/// The slope along each axis, for each group of surfaces that differ in nothing else.
pub(super) fn slopes(surfaces: &[Surface]) -> Vec<Scaling> {
    let mut scalings = Vec::new();
    for axis in AXES {
        let value = |index: &usize| match axis.key {
            "data.size" => surfaces[*index].images as f64,
            "data.batch" => surfaces[*index].batch as f64,
            _ => surfaces[*index].epochs,
        };
        let mut groups: BTreeMap<(Flat, Option<u64>), Vec<usize>> = BTreeMap::new();
        for (index, surface) in surfaces.iter().enumerate() {
            if Optimum::of(surface).is_some() {
                let mut rest = surface.configuration.clone();
                rest.remove(axis.key);
                rest.remove("run.steps");
                let steps = match axis.held {
                    Held::Samples => {
                        rest.remove("data.epochs");
                        Some(surface.steps)
                    }
                    Held::Passes | Held::Images => None,
                };
                groups.entry((rest, steps)).or_default().push(index);
            }
        }
        for mut members in groups.into_values() {
            members.sort_by(|a, b| value(a).total_cmp(&value(b)));
            // Surfaces of one number of images differ in something else: no slope is theirs.
            members.dedup_by(|a, b| value(a) == value(b));
            if members.len() < 2 {
                continue;
            }
            let values: Vec<f64> = members.iter().map(value).collect();
            let of: Vec<&Surface> = members.iter().map(|index| &surfaces[*index]).collect();
            let rates = shared_rates(&of);
            let optima: Option<Vec<Optimum>> =
                of.iter().map(|surface| Optimum::at(surface, surface.best_of(&rates)?)).collect();
            let Some(optima) = optima else { continue };
            let per_seed = slopes_of_seeds(&values, &optima);
            scalings.push(Scaling {
                key: axis.key.to_owned(),
                counts: axis.counts.to_owned(),
                held: axis.held.words().to_owned(),
                law: axis.law.to_owned(),
                is_bound: optima.iter().any(|optimum| !optimum.is_inside()),
                optima,
                slope: interval(&per_seed),
                surfaces: members,
                values,
            });
        }
    }
    scalings
}

/// The slope along η on each surface of at least three rates whose optimum lies within the grid of
/// λ: on a ridge of constant ηλ it is 0.
pub(super) fn ridges(surfaces: &[Surface]) -> Vec<Scaling> {
    let mut scalings = Vec::new();
    for (index, surface) in surfaces.iter().enumerate() {
        let optima: Vec<Optimum> = surface
            .learning_rates()
            .into_iter()
            .filter_map(|rate| Optimum::at(surface, rate))
            .filter(Optimum::is_inside)
            .collect();
        if optima.len() < LEAST_RATES {
            continue;
        }
        let values: Vec<f64> = optima.iter().map(|optimum| optimum.learning_rate).collect();
        let per_seed = slopes_of_seeds(&values, &optima);
        scalings.push(Scaling {
            key: RATE.to_owned(),
            counts: "peak learning rate η".to_owned(),
            held: Held::Images.words().to_owned(),
            law: "0 on a ridge of constant ηλ, +1 if λ alone mattered".to_owned(),
            is_bound: false,
            slope: interval(&per_seed),
            surfaces: vec![index; values.len()],
            optima,
            values,
        });
    }
    scalings
}

/// The slope of each seed that every optimum has.
fn slopes_of_seeds(values: &[f64], optima: &[Optimum]) -> Vec<f64> {
    let Some(first) = optima.first() else {
        return Vec::new();
    };
    first
        .per_seed
        .keys()
        .filter_map(|seed| {
            let places: Option<Vec<f64>> =
                optima.iter().map(|optimum| optimum.per_seed.get(seed).copied()).collect();
            Some(slope(values, &places?))
        })
        .collect()
}

/// Least-squares slope of y against ln x.
fn slope(x: &[f64], y: &[f64]) -> f64 {
    let logs: Vec<f64> = x.iter().map(|x| x.ln()).collect();
    let n = logs.len() as f64;
    let (mean_x, mean_y) = (logs.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut above, mut below) = (0.0, 0.0);
    for (x, y) in logs.iter().zip(y) {
        above += (x - mean_x) * (y - mean_y);
        below += (x - mean_x).powi(2);
    }
    above / below
}

impl Ratio {
    /// The other settings, in words: `n = 1000`.
    pub fn setting(&self, surfaces: &[Surface]) -> String {
        let surface = &surfaces[self.one];
        let mut same = surface.clone();
        same.settings.retain(|(key, _)| key != MODEL_KEY);
        match same.settings.is_empty() {
            true => format!("n = {}", surface.images),
            false => same.label(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_law_has_its_exponent_as_slope() {
        let x = [100.0, 300.0, 1000.0, 5000.0];
        let y = x.map(|x: f64| 2.0 - 0.75 * x.ln());
        assert!((slope(&x, &y) + 0.75).abs() < 1e-12);
    }
}
