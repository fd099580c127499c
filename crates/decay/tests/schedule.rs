//! Schedules: their shapes, their sums in closed form, and what is refused.

use proptest::prelude::*;
use wd_decay::{DecayError, Schedule, ScheduleKind};

/// nanoGPT's `get_lr`, transcribed from its train.py.
fn nanogpt(
    it: u64,
    learning_rate: f64,
    warmup_iters: u64,
    lr_decay_iters: u64,
    min_lr: f64,
) -> f64 {
    if it < warmup_iters {
        return learning_rate * (it + 1) as f64 / (warmup_iters + 1) as f64;
    }
    if it > lr_decay_iters {
        return min_lr;
    }
    let decay_ratio = (it - warmup_iters) as f64 / (lr_decay_iters - warmup_iters) as f64;
    let coeff = 0.5 * (1.0 + (std::f64::consts::PI * decay_ratio).cos());
    min_lr + coeff * (learning_rate - min_lr)
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    (0..5usize, 0..300u64, 0..300u64, 0..300u64, 0.0..=1.0f64).prop_map(
        |(kind, warmup, stable, decay, floor)| {
            Schedule::new(ScheduleKind::ALL[kind], warmup, warmup + stable + decay, floor, decay)
                .unwrap()
        },
    )
}

#[test]
fn a_decay_of_no_steps_stays_at_the_peak() {
    let schedule = Schedule::new(ScheduleKind::WarmupStableDecay, 0, 3, 0.0, 0).unwrap();
    assert_eq!([0, 1, 2].map(|step| schedule.factor(step)), [1.0; 3]);
    assert_eq!(schedule.sum(), 3.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn sums_equal_brute_force(schedule in any_schedule()) {
        let factors = (0..schedule.steps).map(|step| schedule.factor(step));
        let sum: f64 = factors.clone().sum();
        let squares: f64 = factors.map(|factor| factor * factor).sum();
        prop_assert!((schedule.sum() - sum).abs() <= 1e-11 * (1.0 + sum));
        prop_assert!((schedule.sum_of_squares() - squares).abs() <= 1e-11 * (1.0 + squares));
    }

    #[test]
    fn factors_rise_to_one_then_never_rise_nor_pass_the_floor(schedule in any_schedule()) {
        for step in 0..schedule.steps + 50 {
            let factor = schedule.factor(step);
            prop_assert!(factor > 0.0 || schedule.floor == 0.0);
            prop_assert!(factor <= 1.0);
            let next = schedule.factor(step + 1);
            if step < schedule.warmup {
                prop_assert!(factor < 1.0 && (next > factor || step + 1 == schedule.steps));
            } else {
                prop_assert!(next <= factor + 1e-15);
                if schedule.kind != ScheduleKind::Constant {
                    prop_assert!(factor >= schedule.floor);
                }
            }
        }
        let at_peak = schedule.warmup < schedule.steps;
        prop_assert!(!at_peak || schedule.factor(schedule.warmup) == 1.0);
    }

    #[test]
    fn cosine_is_nanogpt(warmup in 0..200u64, rest in 1..500u64, floor in 0.0..=1.0f64, peak in 1e-6..1.0f64) {
        let steps = warmup + rest;
        let schedule = Schedule::new(ScheduleKind::Cosine, warmup, steps, floor, 0).unwrap();
        for step in 0..steps + 20 {
            let expected = nanogpt(step, peak, warmup, steps, floor * peak);
            prop_assert!((peak * schedule.factor(step) - expected).abs() <= 1e-15 * peak.max(expected));
        }
    }
}

#[test]
fn the_shapes_at_chosen_steps() {
    let of = |kind, floor| Schedule::new(kind, 10, 110, floor, 20).unwrap();
    let near = |left: f64, right: f64| assert!((left - right).abs() < 1e-12, "{left} {right}");
    near(of(ScheduleKind::Cosine, 0.1).factor(0), 1.0 / 11.0);
    near(of(ScheduleKind::Cosine, 0.1).factor(9), 10.0 / 11.0);
    near(of(ScheduleKind::Cosine, 0.1).factor(60), 0.55);
    near(of(ScheduleKind::Linear, 0.0).factor(60), 0.5);
    near(of(ScheduleKind::Linear, 0.0).factor(109), 0.01);
    near(of(ScheduleKind::WarmupStableDecay, 0.0).factor(90), 1.0);
    near(of(ScheduleKind::WarmupStableDecay, 0.0).factor(100), 0.5);
    near(of(ScheduleKind::WarmupStableDecay, 0.2).factor(500), 0.2);
    near(of(ScheduleKind::InverseSquareRoot, 0.0).factor(43), 0.5);
    near(of(ScheduleKind::InverseSquareRoot, 0.6).factor(43), 0.6);
    near(of(ScheduleKind::Constant, 0.1).factor(1000), 1.0);
}

#[test]
fn a_run_of_no_steps_is_a_schedule() {
    let drawn = Schedule::through("0:0.1/1:1".parse().unwrap(), 0).unwrap();
    let named = ScheduleKind::ALL.iter().filter(|&&kind| kind != ScheduleKind::Points);
    let named = named.map(|&kind| Schedule::new(kind, 0, 0, 0.1, 0).unwrap());
    for schedule in named.chain([drawn]) {
        assert_eq!((schedule.sum(), schedule.sum_of_squares()), (0.0, 0.0));
        assert!(schedule.factor(0).is_finite());
    }
}

#[test]
fn impossible_schedules_are_refused() {
    let new = Schedule::new;
    assert_eq!(
        new(ScheduleKind::Cosine, 11, 10, 0.1, 0),
        Err(DecayError::WarmupTooLong { warmup: 11, steps: 10 })
    );
    let too_long = DecayError::DecayTooLong { warmup: 5, decay: 6, steps: 10 };
    assert_eq!(new(ScheduleKind::WarmupStableDecay, 5, 10, 0.1, 6), Err(too_long));
    assert!(new(ScheduleKind::Cosine, 5, 10, 0.1, 6).is_ok());
    for floor in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert!(new(ScheduleKind::Linear, 0, 10, floor, 0).is_err());
    }
}

#[test]
fn descriptions() {
    let describe =
        |kind, warmup, floor| Schedule::new(kind, warmup, 1000, floor, 200).unwrap().describe();
    assert_eq!(describe(ScheduleKind::Cosine, 94, 0.1), "cosine to 10 % after 94 warm-up steps");
    assert_eq!(describe(ScheduleKind::Linear, 0, 0.0), "linear to zero");
    assert_eq!(describe(ScheduleKind::Cosine, 1, 0.07), "cosine to 7 % after 1 warm-up step");
    assert_eq!(describe(ScheduleKind::Constant, 50, 0.1), "constant after 50 warm-up steps");
    let wsd = describe(ScheduleKind::WarmupStableDecay, 0, 0.0);
    assert_eq!(wsd, "constant, then linear to zero over the last 200 steps");
    assert_eq!(
        describe(ScheduleKind::InverseSquareRoot, 0, 0.05),
        "inverse square root, at least 5 %"
    );
}
