//! Which steps the final weights hold: closed forms, and the weights themselves.

use proptest::prelude::*;
use wd_decay::{Memory, Schedule, ScheduleKind};

fn near(left: f64, right: f64) {
    assert!((left - right).abs() <= 1e-9 * right.abs().max(1e-12), "{left} is not {right}");
}

#[test]
fn a_constant_rate_remembers_exponentially() {
    let (rate, lambda, steps) = (2e-3, 0.5, 4_000);
    let shrink: f64 = rate * lambda;
    let memory = Memory::of((0..steps).map(|_| (rate, shrink))).unwrap();
    let kept = 1.0 - shrink;
    let all = 1.0 - kept.powi(steps);
    near(memory.initial_share, kept.powi(steps));
    for step in [0, 1, 1_234, steps - 1] {
        near(memory.shares[step as usize], shrink * kept.powi(steps - 1 - step) / all);
    }
    near(memory.of_the_last(0.1), (1.0 - kept.powi(steps / 10)) / all);
    near(memory.of_the_last(1.0), 1.0);
    // (Σc)²/(S Σc²) of a geometric series.
    let squares = shrink * (1.0 - kept.powi(2 * steps)) / (2.0 - shrink);
    near(memory.effective_share(), all * all / (f64::from(steps) * squares));
}

#[test]
fn without_decay_the_memory_is_the_schedule() {
    let schedule = Schedule::new(ScheduleKind::Linear, 0, 1_000, 0.0, 0).unwrap();
    let memory = Memory::of((0..1_000).map(|step| (0.1 * schedule.factor(step), 0.0))).unwrap();
    near(memory.initial_share, 1.0);
    near(memory.total, 0.1 * schedule.sum());
    // A triangle: its last tenth holds a hundredth, and (∫x)²/∫x² = 3/4.
    assert!((memory.of_the_last(0.1) - 0.01).abs() < 2e-4, "{}", memory.of_the_last(0.1));
    assert!((memory.effective_share() - 0.75).abs() < 2e-3, "{}", memory.effective_share());
    let flat = Memory::of((0..7).map(|_| (0.1, 0.0))).unwrap();
    near(flat.effective_share(), 1.0);
    near(flat.of_the_last(0.5), 0.5);
}

#[test]
fn what_holds_nothing_has_no_memory() {
    assert_eq!(Memory::of(std::iter::empty()), None);
    assert_eq!(Memory::of([(0.0, 0.0); 5].into_iter()), None);
    assert_eq!(Memory::of([(1.0, 1.5); 5].into_iter()), None);
    assert_eq!(Memory::of([(1.0, f64::NAN)].into_iter()), None);
}

proptest! {
    /// The unrolled sum against the steps themselves.
    #[test]
    fn the_shares_are_those_of_the_weights(
        steps in proptest::collection::vec((0.0..1.0f64, 0.0..1.0f64, -1.0..1.0f64), 1..40),
        start in -2.0..2.0f64,
    ) {
        let pairs = steps.iter().map(|(rate, shrink, _)| (*rate, *shrink));
        let Some(memory) = Memory::of(pairs) else { return Ok(()) };
        let mut weight = start;
        for (rate, shrink, update) in &steps {
            weight = (1.0 - shrink) * weight - rate * update;
        }
        let held: f64 = memory.shares.iter().zip(&steps).map(|(share, step)| share * step.2).sum();
        let unrolled = memory.initial_share * start - memory.total * held;
        prop_assert!((weight - unrolled).abs() < 1e-9, "{weight} {unrolled}");
        prop_assert!((memory.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    /// With decoupled decay, λ Σ c and what is left of the start sum to 1, whatever the schedule.
    #[test]
    fn data_and_start_sum_to_one(
        rates in proptest::collection::vec(0.0..1.0f64, 1..60), lambda in 0.01..1.0f64,
    ) {
        let pairs: Vec<(f64, f64)> = rates.iter().map(|rate| (*rate, rate * lambda)).collect();
        if let Some(memory) = Memory::of(pairs.into_iter()) {
            prop_assert!((lambda * memory.total + memory.initial_share - 1.0).abs() < 1e-12);
        }
    }
}
