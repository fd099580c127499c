//! Norm control: Hyperball's fixed norm and fixed relative update, and decay to a target norm.
//!
//! `../golden/norms.py` is the other implementation, in numpy's f64.

use crate::arena::{
    ADAM, arithmetics, config, configs, held, muon, norm, optimizer, settings, tensors, train, wave,
};
use serde_json::Value;
use wd_decay::{DecayRule, Known, UpdateNoise, equivalence};
use wd_optim::{
    AdamParameters, Direction, OptimError, Optimizer, OptimizerConfig, StepSettings, TensorSettings,
};

const SHAPES: &[&[usize]] = &[&[12, 20], &[37], &[9, 4]];

#[test]
fn a_held_matrix_keeps_its_norm_and_moves_by_eta_of_it() {
    for (name, config) in held() {
        let (mut optimizer, length) = optimizer(config, SHAPES, 1.0);
        let mut weights = wave(length, 0.5, 0.0);
        let radii = [norm(&weights[..240]), norm(&weights[277..])];
        let free = norm(&weights[240..277]);
        for step in 0..60 {
            let rate = 0.05 * (1.0 - step as f64 / 80.0);
            let gradients = wave(length, 0.5, 2.0 + 0.7 * step as f64);
            let report = optimizer.step(&mut weights, &gradients, settings(rate, 0.05)).unwrap();
            for (tensor, radius, range) in [(0, radii[0], 0..240), (2, radii[1], 277..313)] {
                let off = norm(&weights[range]) / radius - 1.0;
                assert!(off.abs() < 1e-6, "{name}, step {step}: off by {off:e}");
                // With c the cosine of w and u, ‖w − ηRu/‖u‖‖² = R²(1 − 2ηc + η²).
                let measured = report.tensors[tensor];
                let rest = 1.0 - rate * measured.cosine;
                let length = (1.0 - 2.0 * rate * measured.cosine + rate * rate).sqrt();
                let expected = (2.0 * (1.0 - rest / length)).sqrt();
                let found = measured.relative_update;
                // Where u lies along w, what is left of the step is of the size of rounding.
                assert!(
                    (found - expected).abs() < 1e-3 * expected + 5e-6,
                    "{name}: {found} {expected}"
                );
                // Which is η but for what the projection takes along w.
                let across = rate * (1.0 - measured.cosine.powi(2)).sqrt();
                assert!(
                    found < 1.001 * rate && found > 0.9 * across - 5e-6,
                    "{name}: {found} {rate}"
                );
                let shrink = measured.decay_norm / measured.weight_norm;
                // The sums that decide on it are accurate to about 1e-6, as then is ‖w‖ = R.
                let expected = (1.0 - 1.0 / length).abs();
                assert!((shrink - expected).abs() < 5e-6, "{name}: {shrink} {expected}");
            }
            assert_eq!(report.tensors[1].decay_norm, 0.0, "{name}");
        }
        assert_ne!(norm(&weights[240..277]), free, "{name}");
    }
}

#[test]
fn a_held_tensor_without_a_gradient_goes_back_to_its_sphere() {
    for (name, config) in held() {
        let (mut optimizer, length) = optimizer(config, SHAPES, 1.0);
        let start = wave(length, 0.5, 0.0);
        let mut weights: Vec<f32> = start.iter().map(|weight| 1.5 * weight).collect();
        optimizer.step(&mut weights, &vec![0.0; length], settings(0.1, 0.1)).unwrap();
        for (index, (found, start)) in weights.iter().zip(&start).enumerate() {
            let expected = if (240..277).contains(&index) { 1.5 * start } else { *start };
            assert!((found - expected).abs() < 1e-6, "{name}, {index}");
        }
    }
}

#[test]
fn tensors_that_are_not_held_take_the_plain_step() {
    for (name, config) in held() {
        let run = |rule, lambda| {
            let (tensors, length) = tensors(SHAPES, lambda);
            let config = OptimizerConfig { rule, ..config };
            let mut optimizer = Optimizer::new(config, tensors, length).unwrap();
            let mut weights = wave(length, 0.5, 0.0);
            train(&mut optimizer, &mut weights, 0..5, 0.01);
            weights
        };
        assert_eq!(run(DecayRule::Hyperball, 0.0), run(DecayRule::Decoupled, 0.0), "{name}");
    }
}

#[test]
fn the_scale_of_the_gradient_does_not_matter_to_a_held_matrix() {
    // Adam's direction does not depend on it anyway; that of SGD is it.
    let momentum = Direction::Sgd { momentum: 0.9, dampening: 0.0, nesterov: false };
    let run = |scale: f32| {
        let (mut optimizer, length) =
            optimizer(config(momentum, DecayRule::Hyperball), &[&[12, 20]], 1.0);
        let mut weights = wave(length, 0.5, 0.0);
        for step in 0..20 {
            let mut gradients = wave(length, 0.5, step as f64);
            gradients.iter_mut().for_each(|gradient| *gradient *= scale);
            optimizer.step(&mut weights, &gradients, settings(0.05, 0.05)).unwrap();
        }
        weights
    };
    assert_eq!(run(1.0), run(1024.0));
    assert_ne!(run(1.0), wave(240, 0.5, 0.0));
}

/// Sets the norm target that the initial weights give.
fn with_target(config: OptimizerConfig, shapes: &[&[usize]], ratio: f64) -> (Optimizer, usize) {
    let (mut optimizer, length) = optimizer(config, shapes, 0.5);
    optimizer.set_norm_target(&wave(length, 0.5, 0.0), ratio).unwrap();
    (optimizer, length)
}

#[test]
fn a_target_of_zero_is_ordinary_decay_to_the_bit() {
    for (name, config) in configs() {
        let run = |targeted: bool| {
            let (mut optimizer, length) = match targeted {
                true => with_target(config, SHAPES, 0.0),
                false => optimizer(config, SHAPES, 0.5),
            };
            let mut weights = wave(length, 0.5, 0.0);
            train(&mut optimizer, &mut weights, 0..10, 0.01);
            weights
        };
        assert_eq!(run(true), run(false), "{name}");
    }
}

#[test]
fn the_distance_to_a_target_norm_shrinks_by_the_rule_from_both_sides() {
    let direction = Direction::Adam(ADAM);
    for (ratio, rule) in
        [(0.5, DecayRule::Constant), (1.5, DecayRule::Constant), (1.5, DecayRule::Decoupled)]
    {
        let (mut optimizer, length) = with_target(config(direction, rule), &[&[12, 20]], ratio);
        let start = wave(length, 0.5, 0.0);
        let target = ratio * norm(&start);
        let shrink = if rule == DecayRule::Constant { 0.5 } else { 0.05 };
        let mut weights = start.clone();
        let mut distance = norm(&start) - target;
        for _ in 0..5 {
            let before = norm(&weights);
            let report =
                optimizer.step(&mut weights, &vec![0.0; length], settings(0.1, 0.1)).unwrap();
            let decay = report.tensors[0].decay_norm;
            assert!((decay / (shrink * distance.abs()) - 1.0).abs() < 1e-4, "{decay}");
            distance *= 1.0 - shrink;
            assert!((norm(&weights) - target - distance).abs() < 1e-6 * before);
        }
        // The direction is free.
        let scale = norm(&weights) / norm(&start);
        for (weight, start) in weights.iter().zip(&start) {
            assert!((f64::from(*weight) - scale * f64::from(*start)).abs() < 1e-6);
        }
    }
}

#[test]
fn a_tensor_at_zero_has_nowhere_to_decay_to() {
    for (name, config) in configs() {
        let (mut optimizer, length) = with_target(config, SHAPES, 1.0);
        let mut weights = vec![0.0; length];
        optimizer.step(&mut weights, &vec![0.0; length], settings(0.1, 0.1)).unwrap();
        assert_eq!(weights, vec![0.0; length], "{name}");
    }
}

#[test]
fn below_its_target_the_cautious_modifier_lets_grow_what_grows_anyway() {
    // Plain SGD, so that u = g; no learning rate, so that only the decay moves.
    let direction = Direction::Sgd { momentum: 0.0, dampening: 0.0, nesterov: false };
    let config = OptimizerConfig { cautious: true, ..config(direction, DecayRule::Constant) };
    let tensor = TensorSettings { offset: 0, shape: vec![4], lambda: 0.5, auxiliary: true };
    let step = |ratio| {
        let mut optimizer = Optimizer::new(config, vec![tensor.clone()], 4).unwrap();
        optimizer.set_norm_target(&[1.0; 4], ratio).unwrap();
        let mut weights = [1.0, -1.0, 1.0, -1.0];
        let gradients = [1.0, 1.0, -1.0, -1.0];
        optimizer.step(&mut weights, &gradients, settings(0.0, 0.0)).unwrap();
        weights
    };
    // Above the target of norm 1, 0 and 3 shrink: there u and w agree. Below that of 3, 1 and 2
    // grow.
    assert_eq!(step(0.5), [0.75, -1.0, 1.0, -0.75]);
    assert_eq!(step(1.5), [1.0, -1.25, 1.25, -1.0]);
}

#[test]
fn coupled_and_decoupled_targets_are_one_for_plain_sgd() {
    let direction = Direction::Sgd { momentum: 0.0, dampening: 0.0, nesterov: false };
    let run = |rule| {
        let (mut optimizer, length) = with_target(config(direction, rule), SHAPES, 1.5);
        let mut weights = wave(length, 0.5, 0.0);
        train(&mut optimizer, &mut weights, 0..20, 0.05);
        weights
    };
    let (coupled, decoupled) = (run(DecayRule::CoupledL2), run(DecayRule::Decoupled));
    for (coupled, decoupled) in coupled.iter().zip(&decoupled) {
        assert!((coupled - decoupled).abs() < 1e-6);
    }
}

#[test]
fn threads_change_no_bit_of_a_target_and_a_restored_run_goes_on() {
    let shapes: &[&[usize]] = &[&[120, 600], &[70_001], &[5]];
    let decays = |(_, config): &(String, OptimizerConfig)| config.rule != DecayRule::Hyperball;
    for (name, config) in arithmetics().into_iter().filter(decays) {
        let run = |threads, stops: bool| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(|| {
                let (mut first, length) = with_target(config, shapes, 1.2);
                let mut weights = wave(length, 0.5, 0.0);
                train(&mut first, &mut weights, 0..2, 0.01);
                if stops {
                    let state: Vec<(String, Vec<f32>)> = first
                        .state()
                        .into_iter()
                        .map(|(name, values)| (name.to_owned(), values.to_vec()))
                        .collect();
                    let (mut second, _) = with_target(config, shapes, 1.2);
                    second.restore(&state, first.steps_taken()).unwrap();
                    first = second;
                }
                train(&mut first, &mut weights, 2..4, 0.01);
                weights
            })
        };
        let alone = run(1, false);
        assert!(alone == run(2, true), "{name}");
        assert!(alone == run(3, false), "{name}");
    }
}

#[test]
fn what_cannot_be_held_is_refused() {
    let adam = Direction::Adam(ADAM);
    let hyperball = config(adam, DecayRule::Hyperball);
    let cautious = OptimizerConfig { cautious: true, ..hyperball };
    assert!(cautious.validate().unwrap_err().to_string().contains("brings whole tensors back"));
    let (vector, length) = tensors(&[&[5]], 1.0);
    assert_eq!(
        Optimizer::new(hyperball, vector, length).err(),
        Some(OptimError::HeldNoMatrix { tensor: 0, shape: vec![5] })
    );

    let (matrices, length) = tensors(&[&[2, 3], &[2, 2]], 1.0);
    let mut optimizer = Optimizer::new(hyperball, matrices, length).unwrap();
    let start = wave(length, 0.5, 0.0);
    let mut weights = start.clone();
    let gradients = wave(length, 0.3, 1.0);
    assert_eq!(
        optimizer.step(&mut weights, &gradients, settings(0.1, 0.1)).err(),
        Some(OptimError::NoNormTarget)
    );
    let mut half = start.clone();
    half[6..].fill(0.0);
    assert_eq!(
        optimizer.set_norm_target(&half, 1.0).err(),
        Some(OptimError::HeldAtZero { tensor: 1 })
    );
    for ratio in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            optimizer.set_norm_target(&start, ratio),
            Err(OptimError::OutOfRange { .. })
        ));
    }
    assert!(matches!(
        optimizer.set_norm_target(&start[1..], 1.0),
        Err(OptimError::WrongLength { .. })
    ));
    assert!(matches!(optimizer.set_anchor(start.clone()), Err(OptimError::Refused(_))));
    optimizer.set_norm_target(&start, 1.0).unwrap();
    let scheduled = StepSettings { lambda_factor: 0.5, ..settings(0.1, 0.1) };
    assert!(matches!(
        optimizer.step(&mut weights, &gradients, scheduled),
        Err(OptimError::Refused(_))
    ));
    assert_eq!((weights, optimizer.steps_taken()), (start, 0));
}

/// The start and the gradients of `../golden/norms.py`.
fn start(length: usize, seed: usize) -> Vec<f32> {
    let of = |index| (0.5 * (1.3 * index as f64 + seed as f64).sin()) as f32;
    (0..length).map(of).collect()
}

fn gradient(weights: &[f32], step: usize, seed: usize) -> Vec<f32> {
    let of = |(index, weight): (usize, &f32)| {
        let pull = 0.5 + 0.1 * (index % 7) as f64;
        let noise = 0.5 * (0.37 * (step as f64 + 1.0) + 1.7 * index as f64 + seed as f64).sin();
        (pull * f64::from(*weight) + noise) as f32
    };
    weights.iter().enumerate().map(of).collect()
}

#[test]
fn a_hundred_steps_as_numpy_takes_them() {
    let golden: Value = serde_json::from_str(include_str!("../golden/norms.json")).unwrap();
    let momentum = |nesterov| Direction::Sgd { momentum: 0.9, dampening: 0.0, nesterov };
    let adam = Direction::Adam(ADAM);
    let lion = Direction::Lion { beta1: 0.9, beta2: 0.99 };
    let muon = match muon(true) {
        Direction::Muon { momentum, nesterov, newton_schulz_steps, auxiliary, .. } => {
            Direction::Muon {
                momentum,
                nesterov,
                newton_schulz_steps,
                auxiliary,
                auxiliary_learning_rate_ratio: 0.25,
            }
        }
        other => other,
    };
    let cases = [
        ("hyperball_adam", adam, DecayRule::Hyperball, false, None, 1.0),
        ("hyperball_adam_clipped", adam, DecayRule::Hyperball, false, Some(1.0), 1.0),
        ("hyperball_adam_radius", adam, DecayRule::Hyperball, false, None, 1.5),
        ("hyperball_sgd", momentum(false), DecayRule::Hyperball, false, None, 1.0),
        ("hyperball_nesterov", momentum(true), DecayRule::Hyperball, false, None, 1.0),
        ("hyperball_lion", lion, DecayRule::Hyperball, false, None, 1.0),
        ("hyperball_muon", muon, DecayRule::Hyperball, false, None, 1.0),
        ("norm_adamw", adam, DecayRule::Decoupled, false, None, 1.5),
        ("norm_adamw_cautious", adam, DecayRule::Decoupled, true, None, 1.5),
        ("norm_adam_coupled", adam, DecayRule::CoupledL2, false, None, 0.5),
        ("norm_muon", muon, DecayRule::Decoupled, false, None, 1.5),
    ];
    let steps = golden["steps"].as_u64().unwrap() as usize;
    let peak = golden["peak"].as_f64().unwrap();
    for (name, direction, rule, cautious, clip, ratio) in cases {
        let config = OptimizerConfig { cautious, clip, ..config(direction, rule) };
        let holds = rule == DecayRule::Hyperball;
        let (mut tensors, length) = tensors(&[&[7, 5], &[33]], if holds { 1.0 } else { 0.4 });
        if holds {
            tensors[1].lambda = 0.0;
        }
        let mut optimizer = Optimizer::new(config, tensors, length).unwrap();
        let mut weights = [start(35, 0), start(33, 1)].concat();
        optimizer.set_norm_target(&weights, ratio).unwrap();
        for step in 0..steps {
            let gradients =
                [gradient(&weights[..35], step, 0), gradient(&weights[35..], step, 1)].concat();
            let rate = peak * (1.0 - step as f64 / (2.0 * steps as f64));
            optimizer.step(&mut weights, &gradients, settings(rate, peak)).unwrap();
            let Some(expected) = golden["cases"][name].get((step + 1).to_string()) else {
                continue;
            };
            let expected: Vec<f64> =
                expected.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
            assert_eq!(expected.len(), length);
            let squares = expected
                .iter()
                .zip(&weights)
                .map(|(expected, found)| (expected - f64::from(*found)).powi(2));
            let off = squares.sum::<f64>().sqrt() / norm(&weights);
            assert!(off < 2e-6, "{name}, step {}: off by {off:e}", step + 1);
        }
    }
}

/// Mean cosine between the weights of steps 100 apart, over the last half of 3,000 steps on
/// gradients of pure noise.
fn persistence(rule: DecayRule, lambda: f64, rate: f64) -> f64 {
    const LENGTH: usize = 60 * 80;
    let (tensors, length) = tensors(&[&[60, 80]], lambda);
    // β₂ = 0.999, for which the theory of Adam is accurate to 1 %.
    let adam = Direction::Adam(AdamParameters::default());
    let mut optimizer = Optimizer::new(config(adam, rule), tensors, length).unwrap();
    let mut state = 1_u64;
    // Sums of four uniform numbers from a 64-bit congruential generator (Knuth's MMIX).
    let mut uniform = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    };
    let mut noise =
        move || -> Vec<f32> { (0..LENGTH).map(|_| (0..4).map(|_| uniform()).sum()).collect() };
    let mut weights: Vec<f32> = noise().iter().map(|value| 0.15 * value).collect();
    if rule == DecayRule::Hyperball {
        optimizer.set_norm_target(&weights, 1.0).unwrap();
    }
    let (mut before, mut total, mut count) = (weights.clone(), 0.0, 0);
    for step in 1..=3000 {
        optimizer.step(&mut weights, &noise(), settings(rate, rate)).unwrap();
        if step % 100 == 0 {
            if step > 1500 {
                let products =
                    weights.iter().zip(&before).map(|(now, before)| f64::from(now * before));
                total += products.sum::<f64>() / norm(&weights) / norm(&before);
                count += 1;
            }
            before.clone_from(&weights);
        }
    }
    total / f64::from(count)
}

#[test]
fn hyperball_at_the_equivalent_learning_rate_turns_as_fast_as_adamw() {
    let (rate, lambda) = (1e-2, 0.3);
    let adam = UpdateNoise::Adam { beta1: 0.9 };
    let same =
        equivalence(DecayRule::Decoupled, adam, rate, 60 * 80, Known::Lambda(lambda)).unwrap();
    let decayed = persistence(DecayRule::Decoupled, lambda, rate);
    let held = persistence(DecayRule::Hyperball, 1.0, same.hyperball_learning_rate);
    // Over 100 steps e^(−100ηλ) of the start is left, but for the β₁/(1 − β₁) steps for which
    // momentum keeps its course.
    let expected = -(100.0 - 9.0) * rate * lambda;
    assert!((decayed.ln() / expected - 1.0).abs() < 0.05, "{decayed}");
    assert!((held.ln() / decayed.ln() - 1.0).abs() < 0.05, "{held} {decayed}");
}

#[test]
fn at_the_pace_of_another_norm_a_step_is_that_share_of_the_own_one() {
    for (name, config) in configs() {
        let start = wave(240, 0.5, 0.0);
        let own = norm(&start);
        let step = |pace: Option<f64>, factor: f64| {
            let (mut optimizer, _) = optimizer(config, &[&[12, 20]], 0.1);
            if let Some(pace) = pace {
                optimizer.set_pace(&[pace]).unwrap();
            }
            let mut weights = start.clone();
            let gradients = wave(240, 0.5, 2.0);
            optimizer
                .step(&mut weights, &gradients, settings(0.05 * factor, 0.1 * factor))
                .unwrap();
            weights
        };
        // Twice as large as there: twice the learning rate. The norm is summed in f32 lanes.
        let close = |a: Vec<f32>, b: Vec<f32>| a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(close(step(Some(own / 2.0), 1.0), step(None, 2.0)), "{name}");
        assert_ne!(step(Some(own / 2.0), 1.0), step(None, 1.0), "{name}");
        // A norm that says nothing leaves the rate alone, to the last bit.
        for nothing in [f64::NAN, 0.0] {
            assert_eq!(step(Some(nothing), 1.0), step(None, 1.0), "{name}");
        }
    }
    for (name, config) in held() {
        let (mut optimizer, _) = optimizer(config, SHAPES, 1.0);
        let refused = optimizer.set_pace(&[1.0; 3]);
        assert!(matches!(refused, Err(OptimError::Refused(_))), "{name}");
    }
    let (mut optimizer, _) = optimizer(configs()[0].1, SHAPES, 1.0);
    assert!(matches!(optimizer.set_pace(&[1.0]), Err(OptimError::WrongLength { .. })));
}
