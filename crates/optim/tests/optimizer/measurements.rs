//! What a step reports, against the same numbers worked out in `f64` from what went in and what
//! came out.

use crate::arena::{ADAM, config, configs, norm, optimizer, settings, train, wave};
use wd_decay::DecayRule;
use wd_optim::{Direction, OptimizerConfig};

fn near(found: f64, expected: f64, what: &str) {
    assert!(
        (found - expected).abs() <= 2e-6 * expected.abs() + 1e-12,
        "{what}: {found} instead of {expected}"
    );
}

fn difference(left: &[f32], right: &[f32]) -> Vec<f32> {
    left.iter().zip(right).map(|(left, right)| left - right).collect()
}

fn cosine(left: &[f32], right: &[f32]) -> f64 {
    let product: f64 =
        left.iter().zip(right).map(|(left, right)| f64::from(*left) * f64::from(*right)).sum();
    product / (norm(left) * norm(right))
}

#[test]
fn norms_for_every_optimizer_at_every_alignment() {
    // Lengths around vectors of 8 and 16, blocks of 1024 and chunks of 16384 elements.
    let shapes: &[&[usize]] =
        &[&[1], &[7], &[3, 5], &[16], &[17], &[33, 31], &[1025], &[130, 127], &[16_384 + 9]];
    for (name, config) in configs() {
        let (mut optimizer, length) = optimizer(config, shapes, 0.1);
        let mut weights = wave(length, 0.5, 0.0);
        train(&mut optimizer, &mut weights, 0..2, 0.01);
        let before = weights.clone();
        let gradients = wave(length, 0.3, 5.0);
        let report = optimizer.step(&mut weights, &gradients, settings(0.01, 0.02)).unwrap();
        near(report.gradient_norm, norm(&gradients), &name);
        assert_eq!(report.clip_factor, 1.0);
        let mut start = 0;
        for (shape, measured) in shapes.iter().zip(report.tensors) {
            let range = start..start + shape.iter().product::<usize>();
            start = range.end;
            let what = format!("{name}, {shape:?}");
            near(measured.weight_norm, norm(&before[range.clone()]), &what);
            near(measured.gradient_norm, norm(&gradients[range.clone()]), &what);
            let update = norm(&difference(&weights[range.clone()], &before[range.clone()]));
            near(measured.update_norm, update, &what);
            near(measured.relative_update, update / norm(&before[range]), &what);
            assert!(!measured.nonfinite, "{what}");
        }
    }
}

#[test]
fn the_cosine_is_that_of_weights_and_direction_without_decay() {
    for (name, config) in
        configs().into_iter().filter(|(_, config)| config.rule != DecayRule::CoupledL2)
    {
        // λ = 0, so that what moved is the direction alone.
        let (mut optimizer, length) = optimizer(config, &[&[30, 50], &[77]], 0.0);
        let mut weights = wave(length, 0.5, 0.0);
        train(&mut optimizer, &mut weights, 0..3, 0.01);
        let before = weights.clone();
        let report =
            optimizer.step(&mut weights, &wave(length, 0.3, 5.0), settings(0.01, 0.02)).unwrap();
        let direction = difference(&before, &weights);
        for (range, measured) in [0..1500, 1500..1577].into_iter().zip(report.tensors) {
            let expected = cosine(&before[range.clone()], &direction[range]);
            assert!(
                (measured.cosine - expected).abs() < 1e-5,
                "{name}: {} instead of {expected}",
                measured.cosine
            );
        }
    }
}

#[test]
fn the_cosine_is_positive_when_the_step_shrinks_the_weights() {
    let sgd = Direction::Sgd { momentum: 0.0, dampening: 0.0, nesterov: false };
    let (mut optimizer, length) = optimizer(config(sgd, DecayRule::Decoupled), &[&[100]], 0.0);
    let start = wave(length, 0.5, 0.0);
    let mut weights = start.clone();
    // The gradient is the weights: straight downhill to 0.
    let report = optimizer.step(&mut weights, &start, settings(0.1, 0.1)).unwrap();
    assert!((report.tensors[0].cosine - 1.0).abs() < 1e-6);
    assert!(norm(&weights) < norm(&start));
}

#[test]
fn clipping_scales_all_gradients_by_one_factor() {
    for (name, config) in configs() {
        let shapes: &[&[usize]] = &[&[30, 50], &[77]];
        let clipped_config = OptimizerConfig { clip: Some(0.5), ..config };
        let (mut clipped, length) = optimizer(clipped_config, shapes, 0.1);
        let (mut scaled, _) = optimizer(config, shapes, 0.1);
        let gradients = wave(length, 0.3, 5.0);
        let (mut left, mut right) = (wave(length, 0.5, 0.0), wave(length, 0.5, 0.0));
        let report = clipped.step(&mut left, &gradients, settings(0.01, 0.02)).unwrap();
        near(report.gradient_norm, norm(&gradients), &name);
        near(report.clip_factor, 0.5 / norm(&gradients), &name);
        near(report.tensors[1].gradient_norm, norm(&gradients[1500..]), &name);
        let factor = report.clip_factor as f32;
        let gradients: Vec<f32> = gradients.iter().map(|gradient| gradient * factor).collect();
        scaled.step(&mut right, &gradients, settings(0.01, 0.02)).unwrap();
        assert_eq!(left, right, "{name}");
        // Small gradients pass as they are.
        let gradients = wave(length, 0.001, 5.0);
        let report = clipped.step(&mut left, &gradients, settings(0.01, 0.02)).unwrap();
        assert_eq!(report.clip_factor, 1.0, "{name}");
    }
}

#[test]
fn what_is_zero_gives_no_nonsense() {
    for (name, config) in configs() {
        let (mut optimizer, length) = optimizer(config, &[&[3, 5], &[7]], 0.1);
        let mut weights = vec![0.0; length];
        let report = optimizer.step(&mut weights, &vec![0.0; length], settings(0.0, 0.0)).unwrap();
        for measured in report.tensors {
            assert_eq!(
                (measured.relative_update, measured.cosine, measured.decay_norm),
                (0.0, 0.0, 0.0),
                "{name}"
            );
            assert!(!measured.nonfinite);
        }
        assert_eq!(weights, vec![0.0; length], "{name}");
    }
}

#[test]
fn lanes_past_the_end_do_not_count() {
    // Without ε, Adam divides 0 by 0 in the lanes that pad the last vector.
    let adam = Direction::Adam(wd_optim::AdamParameters { epsilon: 0.0, ..ADAM });
    for length in [1, 5, 15, 17, 1030] {
        let (mut optimizer, _) = optimizer(config(adam, DecayRule::Decoupled), &[&[length]], 0.1);
        let mut weights = wave(length, 0.5, 0.0);
        let report =
            optimizer.step(&mut weights, &wave(length, 0.3, 5.0), settings(0.01, 0.01)).unwrap();
        assert!(!report.tensors[0].nonfinite && report.tensors[0].cosine.is_finite(), "{length}");
    }
}

#[test]
fn gradients_that_are_not_finite_are_told() {
    for (name, config) in configs() {
        for bad in [f32::NAN, f32::INFINITY, f32::MAX] {
            let shapes: &[&[usize]] = &[&[30, 50], &[77]];
            let (mut unclipped, length) = optimizer(config, shapes, 0.1);
            let mut gradients = wave(length, 0.3, 5.0);
            gradients[1500 + 70] = bad;
            let mut weights = wave(length, 0.5, 0.0);
            let report = unclipped.step(&mut weights, &gradients, settings(0.01, 0.02)).unwrap();
            assert!(!report.tensors[0].nonfinite && report.tensors[1].nonfinite, "{name}");
            // With clipping, nothing is changed.
            let (mut clipped, _) =
                optimizer(OptimizerConfig { clip: Some(1.0), ..config }, shapes, 0.1);
            let start = wave(length, 0.5, 0.0);
            let mut weights = start.clone();
            let error = clipped.step(&mut weights, &gradients, settings(0.01, 0.02)).unwrap_err();
            assert_eq!(error, wd_optim::OptimError::NonFinite { tensor: 1 }, "{name}");
            assert_eq!((weights, clipped.steps_taken()), (start, 0), "{name}");
            assert!(
                clipped.state().iter().all(|(_, values)| values.iter().all(|value| *value == 0.0)),
                "{name}"
            );
        }
    }
}
