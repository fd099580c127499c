//! Statistics against scipy, and intervals against simulations of which the truth is known.

#[path = "../../lab/tests/random/mod.rs"]
mod random;

use random::Random;
use serde_json::Value;
use wd_statistics::PairedDifference;
use wd_statistics::{
    MOST_SEEDS, adjust_family, cross_down, crossing_of, equivalence, holm, interval, quantile,
    seeds_for_equivalence, seeds_needed, two_sided_p,
};

/// Made by `golden/statistics.py` with scipy.
fn golden() -> Value {
    serde_json::from_str(include_str!("golden/statistics.json")).unwrap()
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap()
}

fn numbers(value: &Value, key: &str) -> Vec<f64> {
    let list = value[key].as_array().unwrap();
    list.iter().map(|item| item.as_f64().unwrap()).collect()
}

#[track_caller]
fn close(ours: f64, scipy: f64, relative: f64) {
    assert!(
        (ours - scipy).abs() <= relative * scipy.abs().max(1e-300),
        "{ours} against scipy's {scipy}"
    );
}

#[test]
fn quantiles_and_tails_equal_scipy() {
    for row in golden()["quantiles"].as_array().unwrap() {
        let value = number(row, "value");
        let ours = quantile(number(row, "p"), number(row, "degrees"));
        assert!((ours - value).abs() <= 1e-10 * value.abs().max(1.0), "{ours} against {row}");
    }
    for row in golden()["tails"].as_array().unwrap() {
        close(two_sided_p(number(row, "t"), number(row, "degrees")), number(row, "value"), 1e-9);
    }
}

#[test]
fn differences_of_two_means_equal_scipy() {
    for row in golden()["welch"].as_array().unwrap() {
        let ours = PairedDifference::unpaired(&numbers(row, "with"), &numbers(row, "without"));
        close(ours.p_value.unwrap(), number(row, "p"), 1e-9);
        close(ours.degrees, number(row, "degrees"), 1e-12);
        close(ours.interval.low, number(row, "low"), 1e-8);
        close(ours.interval.high, number(row, "high"), 1e-8);
    }
    let single = PairedDifference::unpaired(&[1.0], &[2.0, f64::NAN]);
    assert_eq!((single.interval.mean, single.interval.n, single.p_value), (-1.0, 1, None));
    assert!(single.interval.low.is_nan() && !single.significant);
}

#[test]
fn intervals_and_paired_tests_equal_scipy() {
    for row in golden()["samples"].as_array().unwrap() {
        let differences = numbers(row, "differences");
        let ours = interval(&differences);
        close(ours.mean, number(row, "mean"), 1e-12);
        close(ours.standard_error, number(row, "standard_error"), 1e-12);
        close(ours.low, number(row, "low"), 1e-8);
        close(ours.high, number(row, "high"), 1e-8);

        let pairs: Vec<(u64, f64)> = (0..).zip(differences.clone()).collect();
        let paired = PairedDifference::of(pairs);
        close(paired.p_value.unwrap(), number(row, "p"), 1e-9);
        assert_eq!(paired.significant, ours.low > 0.0 || ours.high < 0.0);
        assert_eq!(paired.more_seeds.is_none(), paired.significant);

        let equivalent = equivalence(&differences, number(row, "margin")).holds;
        assert_eq!(equivalent, row["equivalent"].as_bool().unwrap());
    }
}

#[test]
fn holm_equals_its_definition_whatever_the_order() {
    for row in golden()["families"].as_array().unwrap() {
        let raw = numbers(row, "raw");
        for (ours, expected) in holm(&raw).iter().zip(numbers(row, "adjusted")) {
            close(*ours, expected, 1e-12);
        }
    }
    assert_eq!(holm(&[]), Vec::<f64>::new());

    // A difference of one seed has no p and does not count in the family.
    let mut family = vec![
        PairedDifference::of(vec![(0, 1.0), (1, 1.1), (2, 0.9)]),
        PairedDifference::of(vec![(0, 1.0)]),
        PairedDifference::of(vec![(0, 1.0), (1, -1.0), (2, 0.1)]),
    ];
    adjust_family(&mut family);
    assert_eq!(family[1].adjusted_p, None);
    close(family[0].adjusted_p.unwrap(), 2.0 * family[0].p_value.unwrap(), 1e-12);
    assert_eq!(family[2].adjusted_p, family[2].p_value);
}

#[test]
fn seeds_needed_equal_the_exact_power_of_the_non_central_t() {
    for row in golden()["seeds"].as_array().unwrap() {
        let ours = seeds_needed(-number(row, "ratio"), 1.0);
        assert_eq!(ours, row["iterated"].as_u64().unwrap(), "{row}");
        assert_eq!(ours, row["exact"].as_u64().unwrap(), "{row}");
    }
    assert_eq!(seeds_needed(0.0, 1.0), MOST_SEEDS);
    assert_eq!(seeds_needed(0.0, 0.0), MOST_SEEDS);
    assert_eq!(seeds_needed(f64::NAN, 1.0), MOST_SEEDS);
    assert_eq!(seeds_needed(1e-9, 1.0), MOST_SEEDS);
    assert_eq!(seeds_needed(1.0, 0.0), 2);
}

#[test]
fn seeds_for_equivalence_give_the_promised_power() {
    let mut random = Random::new(3);
    for (mean, deviation, margin) in
        [(0.0, 0.004, 0.01), (0.004, 0.006, 0.01), (-0.002, 0.01, 0.01)]
    {
        let n = seeds_for_equivalence(mean, deviation, margin).unwrap();
        let trials = 1500;
        let shown = (0..trials)
            .filter(|_| {
                let sample: Vec<f64> = (0..n).map(|_| mean + deviation * random.normal()).collect();
                equivalence(&sample, margin).holds
            })
            .count();
        let power = shown as f64 / f64::from(trials);
        assert!(power > 0.78, "power {power} with {n} seeds");
        // Below ten seeds one seed more or less moves the power by more than the formula can
        // follow.
        assert!(n < 10 || power < 0.95, "power {power} with {n} seeds: some are wasted");
    }
    assert_eq!(seeds_for_equivalence(0.02, 0.001, 0.01), None);
    assert_eq!(seeds_for_equivalence(0.0, f64::NAN, 0.01), None);
}

#[test]
fn a_95_percent_interval_covers_the_truth_95_times_in_a_hundred() {
    let mut random = Random::new(1);
    for n in [2, 3, 5, 10] {
        let trials = 4000;
        let covered = (0..trials)
            .filter(|_| {
                let sample: Vec<f64> = (0..n).map(|_| 0.3 + 2.0 * random.normal()).collect();
                let interval = interval(&sample);
                (interval.low..=interval.high).contains(&0.3)
            })
            .count();
        let share = covered as f64 / f64::from(trials);
        // Standard error of the share: 0.0034.
        assert!((share - 0.95).abs() < 0.013, "{share} with {n} seeds");
    }
}

#[test]
fn equivalence_is_claimed_of_a_change_at_the_margin_once_in_twenty() {
    let mut random = Random::new(2);
    let trials = 4000;
    let claimed = (0..trials)
        .filter(|_| {
            let sample: Vec<f64> = (0..5).map(|_| 0.01 + 0.003 * random.normal()).collect();
            equivalence(&sample, 0.01).holds
        })
        .count();
    let share = claimed as f64 / f64::from(trials);
    assert!((0.03..0.065).contains(&share), "{share}");
    assert!(!equivalence(&[0.0], 0.01).holds, "one seed shows nothing");
    assert!(!equivalence(&[], 0.01).holds);
}

#[test]
fn a_crossing_is_the_last_fall_through_zero() {
    let steps: Vec<f64> = (0..7).map(f64::from).collect();
    assert_eq!(cross_down(&steps, &[1.0, 2.0, -1.0, 1.0, 1.0, -1.0, -2.0]), Some(4.5));
    assert_eq!(cross_down(&steps, &[1.0, 2.0, -1.0, 1.0, 1.0, 0.0, -2.0]), Some(5.0));
    assert_eq!(cross_down(&steps, &[1.0, 2.0, -1.0, 1.0, 1.0, -1.0, 0.1]), None, "it comes back");
    assert_eq!(cross_down(&steps, &[-1.0; 7]), None, "never positive");
    assert_eq!(cross_down(&[], &[]), None);
}

/// A difference that falls from +0.03 through zero at 85 % of the run, with a level of its own for
/// every seed and noise in every window: the shape and spread of real studies.
fn noisy_curves(random: &mut Random, seeds: usize, steps: &[f64]) -> Vec<Vec<f64>> {
    (0..seeds)
        .map(|_| {
            let level = 0.002 * random.normal();
            steps
                .iter()
                .map(|step| 0.03 * (1.0 - step / 850.0) + level + 0.001 * random.normal())
                .collect()
        })
        .collect()
}

#[test]
fn the_bootstrap_interval_of_a_crossing_covers_it() {
    let steps: Vec<f64> = (0..60).map(|window| (f64::from(window) + 0.5) * 1000.0 / 60.0).collect();
    let mut random = Random::new(4);
    for seeds in [3, 5] {
        let trials = 200;
        let covered = (0..trials)
            .filter(|_| {
                let curves = noisy_curves(&mut random, seeds, &steps);
                let crossing = crossing_of(&steps, &curves, 1000.0).unwrap();
                let (low, high) = (crossing.low.unwrap(), crossing.high.unwrap_or(f64::INFINITY));
                assert!(low <= crossing.step && crossing.step <= high);
                assert!((crossing.fraction - crossing.step / 1000.0).abs() < 1e-12);
                (low..=high).contains(&850.0)
            })
            .count();
        let share = covered as f64 / f64::from(trials);
        println!("{seeds} seeds: {share}");
        assert!(share >= 0.88, "{share} with {seeds} seeds");
    }
    let two = noisy_curves(&mut random, 2, &steps);
    let crossing = crossing_of(&steps, &two, 1000.0).unwrap();
    assert_eq!((crossing.low, crossing.high), (None, None), "no interval from two seeds");
    assert_eq!(crossing_of(&steps, &two, 1000.0), Some(crossing), "the same every time");
}
