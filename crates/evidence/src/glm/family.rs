//! The likelihood of a row, and its derivatives with respect to the linear predictor η.

use faer::{Mat, MatRef};
use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

use crate::EvidenceError;

/// What the target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// 0 or 1: p(1) = σ(η).
    Logistic,
    /// A class, numbered from 0: p(k) ∝ exp(η_k), with weights for every class and the last class's
    /// intercept 0.
    Softmax {
        /// K: how many classes there are.
        classes: usize,
    },
    /// A count 0, 1, 2, …: its mean is exp(η).
    Poisson,
}

impl Family {
    /// K: linear predictors of a row.
    pub fn outputs(self) -> usize {
        match self {
            Family::Softmax { classes } => classes,
            Family::Logistic | Family::Poisson => 1,
        }
    }

    /// Intercepts that are free.
    pub(super) fn intercepts(self) -> usize {
        match self {
            Family::Softmax { classes } => classes - 1,
            Family::Logistic | Family::Poisson => 1,
        }
    }

    /// Checks that each value is one of this family's.
    pub(super) fn check(self, target: &[f64]) -> Result<(), EvidenceError> {
        let (family, expected) = match self {
            Family::Logistic => ("logistic", "0 or 1"),
            Family::Softmax { .. } => ("softmax", "classes 0, 1, … below the number of classes"),
            Family::Poisson => ("poisson", "counts 0, 1, 2, …"),
        };
        let fits = |value: f64| match self {
            Family::Logistic => value == 0.0 || value == 1.0,
            Family::Softmax { classes } => {
                value >= 0.0 && value.fract() == 0.0 && value < classes as f64
            }
            Family::Poisson => value >= 0.0 && value.fract() == 0.0,
        };
        match target.iter().position(|&value| !fits(value)) {
            Some(row) => Err(EvidenceError::Label { row, value: target[row], family, expected }),
            None => Ok(()),
        }
    }

    /// Refuses targets whose intercepts would be infinite.
    pub(super) fn check_intercepts(
        self,
        target: &[f64],
        weights: &[f64],
    ) -> Result<(), EvidenceError> {
        let weight_of = |fits: &dyn Fn(f64) -> bool| -> f64 {
            target
                .iter()
                .zip(weights)
                .filter(|(value, _)| fits(**value))
                .map(|(_, weight)| weight)
                .sum()
        };
        let problem = match self {
            Family::Logistic
                if weight_of(&|y| y == 0.0) == 0.0 || weight_of(&|y| y == 1.0) == 0.0 =>
            {
                ("every row is of one class", "drop the intercept or add rows of the other class")
            }
            Family::Softmax { classes }
                if (0..classes).any(|class| weight_of(&|y| y == class as f64) == 0.0) =>
            {
                ("a class has no rows", "number the classes without gaps, or add rows of it")
            }
            Family::Poisson if weight_of(&|y| y > 0.0) == 0.0 => {
                ("every count is 0", "drop the intercept or add rows with events")
            }
            Family::Logistic | Family::Softmax { .. } | Family::Poisson => return Ok(()),
        };
        Err(EvidenceError::NoIntercept { problem: problem.0, fix: problem.1 })
    }

    /// The predicted means of each row, n × K, from η; and Σ w ln p(y).
    pub(super) fn evaluate(
        self,
        predictor: MatRef<'_, f64>,
        target: &[f64],
        weights: &[f64],
    ) -> (Mat<f64>, f64) {
        let mut means = predictor.to_owned();
        let mut log_likelihood = 0.0;
        for (row, (&y, &weight)) in target.iter().zip(weights).enumerate() {
            let log_probability = match self {
                Family::Logistic => {
                    let eta = means[(row, 0)];
                    means[(row, 0)] = 1.0 / (1.0 + (-eta).exp());
                    // ln(1 + e^η) without overflow.
                    y * eta - eta.max(0.0) - (-eta.abs()).exp().ln_1p()
                }
                Family::Poisson => {
                    let eta = means[(row, 0)];
                    means[(row, 0)] = eta.exp();
                    y * eta - eta.exp() - ln_gamma(y + 1.0)
                }
                Family::Softmax { classes } => {
                    let largest =
                        (0..classes).map(|k| means[(row, k)]).fold(f64::NEG_INFINITY, f64::max);
                    let own = means[(row, y as usize)] - largest;
                    let mut sum = 0.0;
                    for k in 0..classes {
                        means[(row, k)] = (means[(row, k)] - largest).exp();
                        sum += means[(row, k)];
                    }
                    (0..classes).for_each(|k| means[(row, k)] /= sum);
                    own - sum.ln()
                }
            };
            log_likelihood += weight * log_probability;
        }
        (means, log_likelihood)
    }

    /// ∂ln p/∂η_k of a row with mean μ_k: t_k − μ_k.
    pub(super) fn residual(self, mean: f64, target: f64, k: usize) -> f64 {
        match self {
            Family::Logistic | Family::Poisson => target - mean,
            Family::Softmax { .. } => f64::from(u8::from(target == k as f64)) - mean,
        }
    }

    /// −∂²ln p/∂η_k∂η_l of a row.
    pub(super) fn curvature(self, means: MatRef<'_, f64>, row: usize, k: usize, l: usize) -> f64 {
        let mean = means[(row, k)];
        match self {
            Family::Logistic => mean * (1.0 - mean),
            Family::Poisson => mean,
            Family::Softmax { .. } => mean * (f64::from(u8::from(k == l)) - means[(row, l)]),
        }
    }

    /// How [`Self::curvature`] changes when η moves by `direction`; `drift[k]` = Σ_l curvature(k,
    /// l)·direction_l is how the means do.
    pub(super) fn curvature_change(
        self,
        means: MatRef<'_, f64>,
        row: usize,
        k: usize,
        l: usize,
        drift: &[f64],
    ) -> f64 {
        let mean = means[(row, k)];
        match self {
            Family::Logistic => drift[0] * (1.0 - 2.0 * mean),
            Family::Poisson => drift[0],
            Family::Softmax { .. } => {
                let own = if k == l { drift[k] } else { 0.0 };
                own - drift[k] * means[(row, l)] - mean * drift[l]
            }
        }
    }

    /// Whether each row is on its own side: then a multiple of these weights fits as well as one
    /// likes, and there are none of maximum likelihood.
    pub(super) fn separates(
        self,
        predictor: MatRef<'_, f64>,
        target: &[f64],
        weights: &[f64],
    ) -> bool {
        target.iter().zip(weights).enumerate().all(|(row, (&y, &weight))| {
            weight == 0.0
                || match self {
                    Family::Logistic => {
                        (predictor[(row, 0)] > 0.0) == (y == 1.0) && predictor[(row, 0)] != 0.0
                    }
                    Family::Softmax { classes } => {
                        let own = y as usize;
                        (0..classes)
                            .all(|k| k == own || predictor[(row, k)] < predictor[(row, own)])
                    }
                    Family::Poisson => false,
                }
        })
    }
}
