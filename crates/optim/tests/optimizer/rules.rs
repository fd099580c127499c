//! Is decay applied as declared? Every optimizer under every rule, with and without the modifiers.

use crate::arena::{ADAM, arithmetics, config, configs, norm, optimizer, settings, train, wave};
use wd_decay::{Application, DecayRule, LearningRate, PeakLearningRate, Shrink};
use wd_optim::{Direction, Optimizer, OptimizerConfig, StepSettings, TensorSettings};

const SHAPES: &[&[usize]] = &[&[12, 20], &[37]];
const RATE: f64 = 0.01;
const PEAK: f64 = 0.04;
const LAMBDA: f64 = 0.5;

/// The shrink of a decoupled rule, for the tensor with this learning-rate ratio.
fn shrink(rule: DecayRule, ratio: f64) -> Option<f64> {
    match rule.apply(LAMBDA, LearningRate(RATE * ratio), PeakLearningRate(PEAK * ratio)) {
        Application::Shrink(Shrink(shrink)) => Some(shrink),
        Application::Gradient(_) | Application::Sphere => None,
    }
}

/// Muon's auxiliary tensor has half the learning rate.
fn ratios(config: &OptimizerConfig) -> [f64; 2] {
    if matches!(config.direction, Direction::Muon { .. }) { [1.0, 0.5] } else { [1.0, 1.0] }
}

fn assert_near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!(
        (found - expected).abs() <= tolerance * expected.abs(),
        "{what}: {found} instead of {expected}"
    );
}

#[test]
fn weights_without_a_gradient_shrink_by_the_rule() {
    for (name, config) in configs() {
        let (mut optimizer, length) = optimizer(config, SHAPES, LAMBDA);
        let start = wave(length, 0.5, 1.0);
        let mut weights = start.clone();
        let report =
            optimizer.step(&mut weights, &vec![0.0; length], settings(RATE, PEAK)).unwrap();
        for (tensor, ratio) in ratios(&config).into_iter().enumerate() {
            let range = if tensor == 0 { 0..240 } else { 240..277 };
            let (before, after) = (&start[range.clone()], &weights[range]);
            let measured = report.tensors[tensor];
            let Some(shrink) = shrink(config.rule, ratio) else {
                // The penalty is the whole gradient: every optimizer that takes it moves every
                // weight towards 0.
                assert!(
                    before.iter().zip(after).all(|(before, after)| (before - after) * before > 0.0),
                    "{name}"
                );
                assert_near(measured.decay_norm, RATE * LAMBDA * norm(before), 1e-6, &name);
                continue;
            };
            // 1 − s and its product with a weight are rounded to 24 bits: each is off by up to 2⁻²⁴
            // of a weight.
            let tolerance = 1e-6 + 1.2e-7 / shrink;
            assert_near(measured.decay_norm, shrink * norm(before), tolerance, &name);
            assert_near(measured.update_norm, shrink * norm(before), tolerance, &name);
            for (before, after) in before.iter().zip(after) {
                assert_near(f64::from(*after), f64::from(*before) * (1.0 - shrink), 1e-7, &name);
            }
        }
    }
}

#[test]
fn under_gradients_the_decay_is_what_parts_two_runs() {
    for (name, config) in
        configs().into_iter().filter(|(_, config)| config.rule != DecayRule::CoupledL2)
    {
        // Two optimizers with the same state, of which one decays at the next step.
        let (mut decaying, length) = optimizer(config, SHAPES, LAMBDA);
        let (mut plain, _) = optimizer(config, SHAPES, 0.0);
        let mut start = wave(length, 0.5, 0.0);
        train(&mut plain, &mut start, 0..5, RATE);
        let state: Vec<(String, Vec<f32>)> = plain
            .state()
            .into_iter()
            .map(|(name, values)| (name.to_owned(), values.to_vec()))
            .collect();
        decaying.restore(&state, plain.steps_taken()).unwrap();
        let gradients = wave(length, 0.3, 2.0);
        let (mut with, mut without) = (start.clone(), start.clone());
        plain.step(&mut without, &gradients, settings(RATE, PEAK)).unwrap();
        let report = decaying.step(&mut with, &gradients, settings(RATE, PEAK)).unwrap();
        for (tensor, ratio) in ratios(&config).into_iter().enumerate() {
            let shrink = shrink(config.rule, ratio).unwrap();
            let mut squares = 0.0;
            for index in if tensor == 0 { 0..240 } else { 240..277 } {
                let weight = f64::from(start[index]);
                // The run without decay moves a weight by −ηu: so u·w ≥ 0 where it does not grow
                // away from 0.
                let direction = f64::from(start[index] - without[index]);
                let decays = !config.cautious || direction * weight >= 0.0;
                let expected = if decays { shrink * weight } else { 0.0 };
                let found = f64::from(without[index]) - f64::from(with[index]);
                assert!(
                    (found - expected).abs() < 2e-7,
                    "{name}, {index}: {found} instead of {expected}"
                );
                squares += expected * expected;
            }
            assert_near(report.tensors[tensor].decay_norm, squares.sqrt(), 2e-3, &name);
        }
        if config.cautious {
            let spared = report.tensors[0].decay_norm
                / (shrink(config.rule, 1.0).unwrap() * norm(&start[..240]));
            assert!(spared < 0.99, "{name}: no coordinate was spared");
        }
    }
}

#[test]
fn tensors_without_decay_stay_as_they_are() {
    for (name, config) in configs() {
        let (mut tensors, length) =
            crate::arena::tensors(&[&[12, 20], &[37], &[8, 8], &[5]], LAMBDA);
        tensors[2].lambda = 0.0;
        tensors[3].lambda = 0.0;
        let mut optimizer = Optimizer::new(config, tensors, length).unwrap();
        let start = wave(length, 0.5, 0.0);
        let mut weights = start.clone();
        for _ in 0..10 {
            let report =
                optimizer.step(&mut weights, &vec![0.0; length], settings(RATE, PEAK)).unwrap();
            assert!(
                report.tensors[0].decay_norm > 0.0 && report.tensors[1].decay_norm > 0.0,
                "{name}"
            );
            assert_eq!(
                (report.tensors[2].decay_norm, report.tensors[3].decay_norm),
                (0.0, 0.0),
                "{name}"
            );
        }
        assert_eq!(weights[277..], start[277..], "{name}");
        assert!(norm(&weights[..277]) < norm(&start[..277]), "{name}");
    }
}

fn trained(config: OptimizerConfig, lambda: f64, steps: usize) -> Vec<f32> {
    let (mut optimizer, length) = optimizer(config, SHAPES, lambda);
    let mut weights = wave(length, 0.5, 0.0);
    train(&mut optimizer, &mut weights, 0..steps, 0.05);
    weights
}

fn relative_difference(left: &[f32], right: &[f32]) -> f64 {
    let difference: Vec<f32> = left.iter().zip(right).map(|(left, right)| left - right).collect();
    norm(&difference) / norm(right)
}

#[test]
fn coupled_and_decoupled_are_one_for_plain_sgd_and_only_there() {
    let sgd = |momentum| Direction::Sgd { momentum, dampening: 0.0, nesterov: false };
    let part = |direction| {
        let of = |rule| trained(config(direction, rule), LAMBDA, 100);
        relative_difference(&of(DecayRule::CoupledL2), &of(DecayRule::Decoupled))
    };
    assert!(part(sgd(0.0)) < 1e-6);
    assert!(part(sgd(0.9)) > 1e-2);
    assert!(part(Direction::Adam(ADAM)) > 1e-2);
    // …where they do decay.
    let plain = config(sgd(0.0), DecayRule::CoupledL2);
    assert!(relative_difference(&trained(plain, LAMBDA, 100), &trained(plain, 0.0, 100)) > 0.1);
}

#[test]
fn rules_agree_where_their_formulas_do() {
    let direction = Direction::Adam(ADAM);
    let run = |rule, lambda: f64, rate: f64, peak: f64| {
        let (mut optimizer, length) = optimizer(config(direction, rule), SHAPES, lambda);
        let mut weights = wave(length, 0.5, 0.0);
        for step in 0..20 {
            let gradients = wave(length, 0.3, step as f64);
            optimizer.step(&mut weights, &gradients, settings(rate, peak)).unwrap();
        }
        weights
    };
    let decoupled = run(DecayRule::Decoupled, 0.5, 0.0625, 0.0625);
    assert_eq!(decoupled, run(DecayRule::Corrected, 0.5, 0.0625, 0.0625));
    assert_eq!(decoupled, run(DecayRule::Constant, 0.5 * 0.0625, 0.0625, 0.0625));
    assert_eq!(decoupled, run(DecayRule::Independent, 0.5 * 0.0625, 0.0625, 0.0625));
    assert_eq!(decoupled, run(DecayRule::SquaredLearningRate, 8.0, 0.0625, 0.0625));
    assert_ne!(decoupled, run(DecayRule::Corrected, 0.5, 0.0625, 0.125));
}

#[test]
fn the_lambda_schedule_multiplies_lambda() {
    for (name, config) in configs() {
        let run = |lambda, lambda_factor| {
            let (mut optimizer, length) = optimizer(config, SHAPES, lambda);
            let mut weights = wave(length, 0.5, 0.0);
            let settings = StepSettings { lambda_factor, ..settings(RATE, PEAK) };
            optimizer.step(&mut weights, &wave(length, 0.3, 1.0), settings).unwrap();
            weights
        };
        assert_eq!(run(0.5, 0.25), run(0.125, 1.0), "{name}");
        assert_eq!(run(0.5, 0.0), run(0.0, 1.0), "{name}");
    }
}

#[test]
fn an_anchor_takes_the_place_of_zero() {
    for (name, config) in configs() {
        let (mut optimizer, length) = optimizer(config, SHAPES, LAMBDA);
        let anchor = wave(length, 0.5, 3.0);
        optimizer.set_anchor(anchor.clone()).unwrap();
        // At the anchor, nothing pulls.
        let mut weights = anchor.clone();
        optimizer.step(&mut weights, &vec![0.0; length], settings(RATE, PEAK)).unwrap();
        assert_eq!(weights, anchor, "{name}");
        // Away from it, every weight comes nearer, by the rule's share of the distance.
        let start = wave(length, 0.5, 0.0);
        let mut weights = start.clone();
        let report =
            optimizer.step(&mut weights, &vec![0.0; length], settings(RATE, PEAK)).unwrap();
        let distance: Vec<f32> =
            start.iter().zip(&anchor).map(|(start, anchor)| start - anchor).collect();
        for index in 0..length {
            let moved = start[index] - weights[index];
            assert!(moved * distance[index] >= 0.0, "{name}, {index}");
        }
        let expected = shrink(config.rule, 1.0).unwrap_or(RATE * LAMBDA) * norm(&distance[..240]);
        assert_near(report.tensors[0].decay_norm, expected, 1e-3, &name);
    }
}

#[test]
fn an_anchor_at_zero_is_no_anchor_but_for_rounding() {
    for (name, config) in configs()
        .into_iter()
        .filter(|(_, config)| !matches!(config.direction, Direction::Muon { .. }))
    {
        let run = |anchored| {
            let (mut optimizer, length) = optimizer(config, SHAPES, LAMBDA);
            if anchored {
                optimizer.set_anchor(vec![0.0; length]).unwrap();
            }
            let mut weights = wave(length, 0.5, 0.0);
            train(&mut optimizer, &mut weights, 0..10, 0.01);
            weights
        };
        assert!(relative_difference(&run(true), &run(false)) < 1e-5, "{name}");
    }
}

#[test]
fn the_cautious_modifier_looks_from_the_anchor() {
    // Plain SGD, so that u = g: every combination of the signs of u, w − a and w.
    let direction = Direction::Sgd { momentum: 0.0, dampening: 0.0, nesterov: false };
    let config = OptimizerConfig { cautious: true, ..config(direction, DecayRule::Constant) };
    let tensor = TensorSettings { offset: 0, shape: vec![6], lambda: 0.5, auxiliary: true };
    let mut optimizer = Optimizer::new(config, vec![tensor], 6).unwrap();
    optimizer.set_anchor(vec![2.0, 2.0, 2.0, 2.0, 2.0, 2.0]).unwrap();
    let mut weights = [3.0, 3.0, 1.0, 1.0, 3.0, 2.0];
    let gradients = [1.0, -1.0, 1.0, -1.0, 0.0, 1.0];
    optimizer.step(&mut weights, &gradients, settings(0.0, 0.0)).unwrap();
    // Decays: 0 (u > 0, above the anchor), 3 (u < 0, below it), 4 (u = 0), 5 (at the anchor:
    // nothing to decay).
    assert_eq!(weights, [2.5, 3.0, 1.0, 1.5, 2.5, 2.0]);
}

#[test]
fn a_tensor_has_the_steps_of_its_own_learning_rate() {
    for (name, config) in arithmetics() {
        let shapes: &[&[usize]] = &[&[12, 20], &[9, 4]];
        let run = |ratios: Option<[f64; 2]>, factor: f64| {
            let (mut optimizer, length) = optimizer(config, shapes, 0.1);
            if let Some(ratios) = ratios {
                optimizer.set_rate_ratios(&ratios).unwrap();
            }
            let mut weights = wave(length, 0.5, 0.0);
            train(&mut optimizer, &mut weights, 0..5, 0.02 * factor);
            weights
        };
        let (alike, twice, mixed) = (run(None, 1.0), run(None, 2.0), run(Some([1.0, 2.0]), 1.0));
        assert_eq!(run(Some([1.0, 1.0]), 1.0), alike, "{name}");
        // Gradients depend on their own weights alone, so that each tensor goes its own way.
        assert_eq!(mixed[..240], alike[..240], "{name}");
        assert_eq!(mixed[240..], twice[240..], "{name}");
    }
    let (mut optimizer, _) =
        optimizer(config(Direction::Adam(ADAM), DecayRule::Decoupled), &[&[4]], 0.1);
    for refused in [&[1.0, 1.0][..], &[-1.0], &[f64::NAN]] {
        assert!(optimizer.set_rate_ratios(refused).is_err(), "{refused:?}");
    }
}
