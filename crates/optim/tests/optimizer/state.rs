//! Saving and restoring: the steps that follow have the bits that they would have had.

use crate::arena::{ADAM, config, configs, held, optimizer, train, wave};
use wd_decay::DecayRule;
use wd_optim::{Direction, OptimError, Optimizer};

const SHAPES: &[&[usize]] = &[&[12, 20], &[37], &[9, 4]];

fn saved(optimizer: &Optimizer) -> Vec<(String, Vec<f32>)> {
    optimizer.state().into_iter().map(|(name, values)| (name.to_owned(), values.to_vec())).collect()
}

#[test]
fn a_restored_run_goes_on_to_the_bit() {
    for (name, config) in configs().into_iter().chain(held()) {
        let (mut whole, length) = optimizer(config, SHAPES, 0.1);
        let mut weights = wave(length, 0.5, 0.0);
        train(&mut whole, &mut weights, 0..7, 0.01);
        let (mut resumed, _) = optimizer(config, SHAPES, 0.1);
        let mut resumed_weights = weights.clone();
        let mut state = saved(&whole);
        state.reverse();
        resumed.restore(&state, whole.steps_taken()).unwrap();
        train(&mut whole, &mut weights, 7..15, 0.01);
        train(&mut resumed, &mut resumed_weights, 7..15, 0.01);
        assert_eq!(weights, resumed_weights, "{name}");
        assert_eq!(saved(&whole), saved(&resumed), "{name}");
        assert_eq!((whole.steps_taken(), resumed.steps_taken()), (15, 15), "{name}");
    }
}

#[test]
fn names_and_sizes_of_the_state() {
    let describe = |direction| -> Vec<(&'static str, usize)> {
        let (optimizer, length) = optimizer(config(direction, DecayRule::Decoupled), SHAPES, 0.1);
        assert_eq!(length, 313);
        optimizer.state().iter().map(|(name, values)| (*name, values.len())).collect()
    };
    let sgd = |momentum| Direction::Sgd { momentum, dampening: 0.0, nesterov: false };
    assert_eq!(describe(sgd(0.0)), []);
    assert_eq!(describe(sgd(0.9)), [("momentum", 313)]);
    assert_eq!(describe(Direction::Lion { beta1: 0.9, beta2: 0.99 }), [("momentum", 313)]);
    assert_eq!(describe(Direction::Adam(ADAM)), [("first_moment", 313), ("second_moment", 313)]);
    // Only the vector needs a second moment.
    assert_eq!(describe(crate::arena::muon(true)), [("momentum", 313), ("second_moment", 37)]);
}

#[test]
fn a_state_of_another_optimizer_is_refused_and_changes_nothing() {
    let (mut adam, length) =
        optimizer(config(Direction::Adam(ADAM), DecayRule::Decoupled), SHAPES, 0.1);
    let mut weights = wave(length, 0.5, 0.0);
    train(&mut adam, &mut weights, 0..3, 0.01);
    let before = saved(&adam);

    let error = adam.restore(&[("momentum".to_owned(), vec![0.0; length])], 9).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the saved state holds momentum; this optimizer needs first_moment, second_moment"
    );
    let mut short = before.clone();
    short[1].1.pop();
    let error = adam.restore(&short, 9).unwrap_err();
    assert_eq!(
        error,
        OptimError::WrongLength { what: "second_moment".to_owned(), expected: 313, found: 312 }
    );
    let twice = vec![before[0].clone(), before[0].clone()];
    assert!(adam.restore(&twice, 9).is_err());
    assert!(
        adam.restore(&[], 9).unwrap_err().to_string().starts_with("the saved state holds nothing")
    );

    assert_eq!((saved(&adam), adam.steps_taken()), (before, 3));
}

#[test]
fn hyper_parameters_are_not_part_of_the_state() {
    // A run resumed with another λ decays by the new one.
    let (mut old, length) =
        optimizer(config(Direction::Adam(ADAM), DecayRule::Decoupled), SHAPES, 0.1);
    let mut weights = wave(length, 0.5, 0.0);
    train(&mut old, &mut weights, 0..3, 0.01);
    let (mut new, _) = optimizer(config(Direction::Adam(ADAM), DecayRule::Decoupled), SHAPES, 0.4);
    new.restore(&saved(&old), old.steps_taken()).unwrap();
    let gradients = wave(length, 0.3, 1.0);
    let decay = |optimizer: &mut Optimizer| {
        let mut weights = weights.clone();
        optimizer
            .step(&mut weights, &gradients, crate::arena::settings(0.01, 0.01))
            .unwrap()
            .tensors[0]
            .decay_norm
    };
    assert!((decay(&mut new) / decay(&mut old) - 4.0).abs() < 1e-3);
}
