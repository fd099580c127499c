//! Losses of a classifier, on whole rows of logits: classes are few, images of a micro-batch too.
//!
//! Cross-entropy: L = −Σ_k q̃_k ln p_k, p = softmax(z), dL/dz = p − q̃ (Σ q̃ = 1).
//! Squared error: L = (1/K) Σ_k (z_k − q_k)², dL/dz = (2/K)(z − q).
//!
//! In f64 throughout: a row's log-sum-exp and its target's logit may both be large and nearly
//! equal.

use crate::Float;
use crate::targets::{ClassLoss, Targets};

/// Returns the sum of the rows' losses; logits ← scale · its gradient.
pub(crate) fn forward_backward<F: Float>(
    logits: &mut [F],
    targets: Targets<'_>,
    classes: usize,
    (loss, label_smoothing): (ClassLoss, f64),
    scale: f64,
) -> f64 {
    let mut total = 0.0;
    for (image, row) in logits.chunks_exact_mut(classes).enumerate() {
        let share = f64::from(targets.share[image]);
        let (first, second) = (targets.first[image] as usize, targets.second[image] as usize);
        let target = |class: usize| {
            let of = |label: usize, weight: f64| if class == label { weight } else { 0.0 };
            of(first, share) + of(second, 1.0 - share)
        };
        total += match loss {
            ClassLoss::CrossEntropy => {
                let smoothed = |class| {
                    (1.0 - label_smoothing) * target(class) + label_smoothing / classes as f64
                };
                cross_entropy(row, smoothed, scale)
            }
            ClassLoss::MeanSquaredError => squared_error(row, target, scale),
        };
    }
    total
}

fn cross_entropy<F: Float>(row: &mut [F], target: impl Fn(usize) -> f64, scale: f64) -> f64 {
    // NaN stays: `f64::max` would skip it.
    let maximum = row.iter().fold(f64::NEG_INFINITY, |maximum, logit| {
        let logit = logit.to_f64();
        if logit > maximum || logit.is_nan() { logit } else { maximum }
    });
    let sum: f64 = row.iter().map(|z| (z.to_f64() - maximum).exp()).sum();
    let log_sum = sum.ln();
    let mut loss = 0.0;
    for (class, logit) in row.iter_mut().enumerate() {
        let (log_probability, target) = (logit.to_f64() - maximum - log_sum, target(class));
        if target > 0.0 {
            loss -= target * log_probability;
        }
        *logit = F::from_f64(scale * (log_probability.exp() - target));
    }
    loss
}

fn squared_error<F: Float>(row: &mut [F], target: impl Fn(usize) -> f64, scale: f64) -> f64 {
    let reciprocal = 1.0 / row.len() as f64;
    let mut loss = 0.0;
    for (class, logit) in row.iter_mut().enumerate() {
        let difference = logit.to_f64() - target(class);
        loss += reciprocal * difference * difference;
        *logit = F::from_f64(scale * 2.0 * reciprocal * difference);
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finite_difference::{assert_gradient, normals};

    const CLASSES: usize = 5;
    const TARGETS: Targets<'static> =
        Targets { first: &[0, 4, 2, 3], second: &[1, 4, 0, 3], share: &[0.25, 0.5, 1.0, 0.0] };
    const LOSSES: [(ClassLoss, f64); 3] = [
        (ClassLoss::CrossEntropy, 0.0),
        (ClassLoss::CrossEntropy, 0.1),
        (ClassLoss::MeanSquaredError, 0.0),
    ];

    #[test]
    fn backward_is_the_gradient() {
        let logits = normals(1, TARGETS.len() * CLASSES);
        for loss in LOSSES {
            let run = |logits: &[f64]| {
                forward_backward(&mut logits.to_vec(), TARGETS, CLASSES, loss, 1.0)
            };
            let mut gradient = logits.clone();
            let value = forward_backward(&mut gradient, TARGETS, CLASSES, loss, 0.5);
            assert_eq!(value, run(&logits));
            assert_gradient("logits", &logits, &gradient, |logits| 0.5 * run(logits));
        }
    }

    #[test]
    fn a_mixture_is_the_mixture_of_the_losses() {
        // Cross-entropy is linear in the target.
        let logits = normals(2, TARGETS.len() * CLASSES);
        for loss in &LOSSES[..2] {
            let run = |first: &[u32], share: &[f32], row: usize| {
                let row_logits = &mut logits[row * CLASSES..(row + 1) * CLASSES].to_vec();
                let targets = Targets {
                    first: &first[row..=row],
                    second: &TARGETS.second[row..=row],
                    share: &share[row..=row],
                };
                forward_backward(row_logits, targets, CLASSES, *loss, 1.0)
            };
            for row in 0..TARGETS.len() {
                let share = f64::from(TARGETS.share[row]);
                let apart = share * run(TARGETS.first, &[1.0; 4], row)
                    + (1.0 - share) * run(TARGETS.first, &[0.0; 4], row);
                assert!((run(TARGETS.first, TARGETS.share, row) - apart).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn survives_logits_that_would_overflow_an_exponential() {
        let hard = |label: u32, logits: [f32; 3]| {
            let targets = Targets { first: &[label], second: &[label], share: &[1.0] };
            forward_backward(&mut logits.clone(), targets, 3, (ClassLoss::CrossEntropy, 0.0), 1.0)
        };
        assert_eq!(hard(0, [1000.0, -1000.0, 0.0]), 0.0);
        assert_eq!(hard(1, [1000.0, -1000.0, 0.0]), 2000.0);
        for bad in [f32::NAN, f32::INFINITY] {
            for place in 0..3 {
                let mut logits = [0.0; 3];
                logits[place] = bad;
                assert!(!hard(0, logits).is_finite(), "{bad} at {place}");
            }
        }
    }
}
