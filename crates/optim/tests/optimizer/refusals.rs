//! What has no meaning is refused, with the reason, and before anything is changed.

use crate::arena::{ADAM, config, muon, optimizer, settings, tensors, wave};
use wd_decay::DecayRule;
use wd_optim::{
    AdamParameters, Direction, OptimError, Optimizer, OptimizerConfig, StepSettings, TensorSettings,
};

fn refusal(config: OptimizerConfig) -> String {
    config.validate().unwrap_err().to_string()
}

#[test]
fn combinations_without_a_meaning() {
    assert!(
        refusal(config(muon(true), DecayRule::CoupledL2))
            .contains("Muon keeps only the singular directions")
    );
    let cautious =
        OptimizerConfig { cautious: true, ..config(Direction::Adam(ADAM), DecayRule::CoupledL2) };
    assert!(refusal(cautious).contains("a part of the direction"));
    let sgd = |momentum, dampening| Direction::Sgd { momentum, dampening, nesterov: true };
    for direction in [sgd(0.0, 0.0), sgd(0.9, 0.1)] {
        assert!(refusal(config(direction, DecayRule::Decoupled)).contains("Nesterov"));
    }
}

#[test]
fn numbers_out_of_range() {
    let nan = f64::NAN;
    let adam = |beta1, beta2, epsilon| Direction::Adam(AdamParameters { beta1, beta2, epsilon });
    let sgd = |momentum, dampening| Direction::Sgd { momentum, dampening, nesterov: false };
    let muon = |momentum, newton_schulz_steps, auxiliary_learning_rate_ratio| Direction::Muon {
        momentum,
        nesterov: false,
        newton_schulz_steps,
        auxiliary: ADAM,
        auxiliary_learning_rate_ratio,
    };
    let bad = [
        (adam(1.0, 0.9, 0.0), "beta1 is 1; it must be at least 0 and below 1"),
        (adam(0.9, -0.1, 0.0), "beta2 is -0.1; it must be at least 0 and below 1"),
        (adam(0.9, nan, 0.0), "beta2 is NaN; it must be at least 0 and below 1"),
        (adam(0.9, 0.9, -1.0), "epsilon is -1; it must be finite and at least 0"),
        (sgd(1.5, 0.0), "momentum is 1.5; it must be at least 0 and below 1"),
        (sgd(0.5, 1.5), "dampening is 1.5; it must be between 0 and 1"),
        (
            Direction::Lion { beta1: 0.9, beta2: 1.0 },
            "beta2 is 1; it must be at least 0 and below 1",
        ),
        (muon(0.9, 0, 1.0), "newton_schulz_steps is 0; it must be between 1 and 99"),
        (muon(-0.9, 5, 1.0), "momentum is -0.9; it must be at least 0 and below 1"),
        (
            muon(0.9, 5, f64::INFINITY),
            "auxiliary_learning_rate_ratio is inf; it must be finite and at least 0",
        ),
    ];
    for (direction, message) in bad {
        assert_eq!(refusal(config(direction, DecayRule::Decoupled)), message);
    }
    for clip in [0.0, -1.0, nan, f64::INFINITY] {
        let config = OptimizerConfig {
            clip: Some(clip),
            ..config(Direction::Adam(ADAM), DecayRule::Decoupled)
        };
        assert!(refusal(config).starts_with("clip is"));
    }
}

#[test]
fn tensors_that_do_not_fit() {
    let new = |direction, tensors: Vec<TensorSettings>, length| {
        Optimizer::new(config(direction, DecayRule::Decoupled), tensors, length).err()
    };
    let tensor = |offset, shape: &[usize], lambda| TensorSettings {
        offset,
        shape: shape.to_vec(),
        lambda,
        auxiliary: false,
    };
    let adam = Direction::Adam(ADAM);
    assert_eq!(new(adam, vec![tensor(0, &[2, 3], 0.1), tensor(6, &[4], 0.1)], 10), None);
    assert_eq!(new(adam, vec![tensor(1, &[2, 3], 0.1), tensor(8, &[1], 0.1)], 10), None);
    let overlap =
        OptimError::Misplaced { tensor: 1, start: 5, end: 9, free_from: 6, parameters: 10 };
    assert_eq!(new(adam, vec![tensor(0, &[2, 3], 0.1), tensor(5, &[4], 0.1)], 10), Some(overlap));
    let beyond =
        OptimError::Misplaced { tensor: 0, start: 5, end: 11, free_from: 0, parameters: 10 };
    assert_eq!(new(adam, vec![tensor(5, &[6], 0.1)], 10), Some(beyond));
    assert!(matches!(
        new(adam, vec![tensor(0, &[6], -0.1)], 10),
        Some(OptimError::OutOfRange { .. })
    ));
    let vector = OptimError::NotAMatrix { tensor: 0, shape: vec![6] };
    assert_eq!(new(muon(true), vec![tensor(0, &[6], 0.1)], 6), Some(vector));
}

#[test]
fn elements_of_no_tensor_are_left_alone() {
    let tensor =
        |offset| TensorSettings { offset, shape: vec![2, 2], lambda: 0.1, auxiliary: false };
    for (name, config) in crate::arena::configs() {
        let mut optimizer = Optimizer::new(config, vec![tensor(3), tensor(9)], 15).unwrap();
        let start = wave(15, 0.5, 0.0);
        let mut weights = start.clone();
        optimizer.step(&mut weights, &wave(15, 0.3, 1.0), settings(0.01, 0.01)).unwrap();
        for index in 0..15 {
            let is_within = (3..7).contains(&index) || (9..13).contains(&index);
            assert_eq!(weights[index] != start[index], is_within, "{name}, {index}");
        }
    }
}

#[test]
fn steps_that_cannot_be_taken_change_nothing() {
    let (mut optimizer, length) =
        optimizer(config(Direction::Adam(ADAM), DecayRule::Decoupled), &[&[4, 4], &[3]], 0.5);
    let start = wave(length, 0.5, 0.0);
    let gradients = wave(length, 0.3, 1.0);
    let mut weights = start.clone();
    let overshoot = OptimError::Overshoot { tensor: 0, shrink: 1.5 };
    assert_eq!(optimizer.step(&mut weights, &gradients, settings(3.0, 3.0)).err(), Some(overshoot));
    for rate in [-0.1, f64::NAN, f64::INFINITY] {
        assert!(optimizer.step(&mut weights, &gradients, settings(rate, 1.0)).is_err());
        assert!(optimizer.step(&mut weights, &gradients, settings(0.1, rate)).is_err());
        let settings = StepSettings { lambda_factor: rate, ..settings(0.1, 0.1) };
        assert!(optimizer.step(&mut weights, &gradients, settings).is_err());
    }
    let short =
        OptimError::WrongLength { what: "the gradients".to_owned(), expected: 19, found: 18 };
    assert_eq!(
        optimizer.step(&mut weights, &gradients[1..], settings(0.1, 0.1)).err(),
        Some(short)
    );
    let short =
        OptimError::WrongLength { what: "the parameters".to_owned(), expected: 19, found: 18 };
    assert_eq!(
        optimizer.step(&mut weights[1..], &gradients, settings(0.1, 0.1)).err(),
        Some(short)
    );
    let short = OptimError::WrongLength { what: "the anchor".to_owned(), expected: 19, found: 1 };
    assert_eq!(optimizer.set_anchor(vec![0.0]).err(), Some(short));
    assert_eq!((weights, optimizer.steps_taken()), (start, 0));
}

#[test]
fn an_empty_arena_is_an_arena() {
    for (_, config) in crate::arena::configs() {
        let (tensors, length) = tensors(&[&[0, 4], &[0]], 0.1);
        let mut optimizer = Optimizer::new(config, tensors, length).unwrap();
        let report = optimizer.step(&mut [], &[], settings(0.1, 0.1)).unwrap();
        assert_eq!((report.gradient_norm, report.tensors.len()), (0.0, 2));
    }
}
