//! What is promised of looks, spreads, checks and sets, against simulations of which the truth is
//! known. Every simulation begins at a fixed seed.

#[path = "../../lab/tests/random/mod.rs"]
mod random;

use random::Random;
use wd_statistics::nearest::{Candidate, Standing, nearest};
use wd_statistics::noise::{DifferenceNoise, DistantDifferences};
use wd_statistics::sequential::{FIRST_LOOK, LookRule, MOST_CAPPED, capped_level, e_value, look};
use wd_statistics::{PairedDifference, below_target, bootstrap_check, interval};

/// Studies that each rate is over.
const STUDIES: usize = 2_000;

/// Student's t with four degrees of freedom, scaled to variance 1: heavy tails.
fn heavy(random: &mut Random) -> f64 {
    let square: f64 = (0..4).map(|_| random.normal().powi(2)).sum();
    random.normal() / (square / 4.0).sqrt() / 2f64.sqrt()
}

fn share(hits: usize) -> f64 {
    hits as f64 / STUDIES as f64
}

#[test]
fn looking_after_every_seed_errs_as_often_as_promised() {
    for maximum in [8, 12, 20] {
        let mut random = Random::new(maximum);
        let (mut naive, mut capped, mut anytime) = (0, 0, 0);
        for _ in 0..STUDIES {
            let values: Vec<f64> = (0..maximum).map(|_| random.normal()).collect();
            let seen = (FIRST_LOOK as usize..=values.len()).map(|n| &values[..n]);
            let any = |is_found: &dyn Fn(&[f64]) -> bool| usize::from(seen.clone().any(is_found));
            naive += any(&|seen| {
                PairedDifference::of((0..).zip(seen.iter().copied()).collect()).significant
            });
            capped += any(&|seen| look(seen, LookRule::Capped(maximum), 1).is_decided);
            anytime += any(&|seen| look(seen, LookRule::Anytime, 1).is_decided);
        }
        // 5 % ± three standard errors of 2,000 studies.
        assert!(share(capped) <= 0.05 + 0.015, "at most {maximum}: {}", share(capped));
        assert!(share(capped) >= 0.05 - 0.015, "at most {maximum}: {}", share(capped));
        assert!(share(anytime) <= 0.05, "{}", share(anytime));
        assert!(share(naive) > 0.11, "peeking at 5 % errs too often: {}", share(naive));
    }
}

#[test]
fn four_arms_together_err_no_more_often() {
    let mut random = Random::new(4);
    let (maximum, arms) = (12_u64, 4);
    let (mut capped, mut anytime) = (0, 0);
    for _ in 0..STUDIES {
        // One baseline for all: the differences are correlated.
        let seeds: Vec<[f64; 5]> =
            (0..maximum).map(|_| std::array::from_fn(|_| random.normal())).collect();
        let differences = |arm: usize, n: usize| -> Vec<f64> {
            seeds[..n].iter().map(|losses| losses[arm + 1] - losses[0]).collect()
        };
        let any = |rule: LookRule| {
            (FIRST_LOOK as usize..=seeds.len())
                .any(|n| (0..arms).any(|arm| look(&differences(arm, n), rule, arms).is_decided))
        };
        capped += usize::from(any(LookRule::Capped(maximum)));
        anytime += usize::from(any(LookRule::Anytime));
    }
    assert!(share(capped) <= 0.05 + 0.015, "{}", share(capped));
    assert!(share(anytime) <= 0.05, "{}", share(anytime));
}

#[test]
fn a_clear_difference_is_found_early() {
    let mut random = Random::new(9);
    let (mut found, mut seeds) = (0, 0);
    for _ in 0..STUDIES {
        let values: Vec<f64> = (0..12).map(|_| 2.0 + random.normal()).collect();
        let stop = (3..=12).find(|&n| look(&values[..n], LookRule::Capped(12), 1).is_decided);
        found += usize::from(stop.is_some());
        seeds += stop.unwrap_or(12);
    }
    // Simulated elsewhere: power 1.00 with 5.3 seeds on average.
    assert!(share(found) > 0.99 && (share(seeds) - 5.3).abs() < 0.3, "{} {}", found, share(seeds));
}

#[test]
fn looks_keep_their_order() {
    assert_eq!((capped_level(0, 1), capped_level(2, 1)), (0.0, 0.0));
    assert_eq!((capped_level(3, 1), capped_level(3, 2)), (0.05, 0.025));
    for comparisons in [1, 2, 3, 7, 30, 1_000] {
        for maximum in 4..2 * MOST_CAPPED {
            let (now, before) =
                (capped_level(maximum, comparisons), capped_level(maximum - 1, comparisons));
            assert!(now > 0.0 && now <= before, "{maximum} {comparisons}");
            assert!(now < capped_level(maximum, comparisons - 1) || comparisons == 1);
        }
    }
    // The formula by hand: t = 3, n = 4.
    let by_hand = (4.0_f64 / (1.0 + 3.0 / 17.0)).powf(2.0) / 17f64.sqrt();
    assert!((e_value(3.0, 4) - by_hand).abs() < 1e-12);
    let early = look(&[1.0, 1.1], LookRule::Capped(8), 1);
    assert!(!early.is_decided && !early.is_over && early.statistic.is_nan());
    assert!(look(&[1.0, -1.0, 1.0], LookRule::Capped(3), 1).is_over);
}

/// Draws differences at the distances 0.7, 1.4 and 2.1 with a variance of 1 + growth·d².
fn draw(random: &mut Random, n: usize, growth: f64, is_heavy: bool) -> Vec<(f64, Vec<f64>)> {
    [0.7, 1.4, 2.1_f64]
        .into_iter()
        .map(|distance| {
            let deviation = (1.0 + growth * distance * distance).sqrt();
            let mut one = || if is_heavy { heavy(random) } else { random.normal() };
            (distance, (0..n).map(|_| deviation * one()).collect())
        })
        .collect()
}

/// Shares of 95 % intervals that cover the truth: each arm by itself, and with the spread of all.
fn coverage(n: usize, growth: f64, is_heavy: bool) -> (f64, f64) {
    let mut random = Random::new(100 * n as u64 + growth as u64);
    let (mut alone, mut together, mut all) = (0, 0, 0);
    for _ in 0..STUDIES {
        let arms = draw(&mut random, n, growth, is_heavy);
        let differences: Vec<DistantDifferences<'_>> = arms
            .iter()
            .map(|(distance, values)| DistantDifferences { distance: *distance, values })
            .collect();
        let noise = DifferenceNoise::fit(&differences).unwrap();
        for arm in &differences {
            let own = interval(arm.values);
            alone += usize::from(own.low <= 0.0 && own.high >= 0.0);
            let found = noise.interval(*arm);
            together += usize::from(found.low <= 0.0 && found.high >= 0.0);
            all += 1;
        }
    }
    (alone as f64 / all as f64, together as f64 / all as f64)
}

#[test]
fn intervals_cover_the_truth_with_equal_and_with_growing_noise() {
    for n in [3, 5, 8] {
        for growth in [0.0, 4.0] {
            let (alone, together) = coverage(n, growth, false);
            assert!((0.93..=0.97).contains(&alone), "n = {n}, growth {growth}: {alone}");
            assert!((0.93..=0.97).contains(&together), "n = {n}, growth {growth}: {together}");
        }
    }
}

#[test]
fn heavy_tails_make_intervals_wider_than_they_need_be() {
    for n in [3, 5, 8] {
        let (alone, together) = coverage(n, 4.0, true);
        // Student's interval is known to cover a little too often under heavy tails; the spread of
        // all arms is then a little too small.
        assert!((0.94..=0.985).contains(&alone), "n = {n}: {alone}");
        assert!((0.92..=0.98).contains(&together), "n = {n}: {together}");
    }
}

#[test]
fn the_growth_of_the_noise_is_found() {
    let mut random = Random::new(77);
    let arms = draw(&mut random, 4_000, 3.0, false);
    let differences: Vec<DistantDifferences<'_>> = arms
        .iter()
        .map(|(distance, values)| DistantDifferences { distance: *distance, values })
        .collect();
    let noise = DifferenceNoise::fit(&differences).unwrap();
    for (distance, _) in &arms {
        let truth = (1.0 + 3.0 * distance * distance).sqrt();
        assert!((noise.deviation(*distance) / truth - 1.0).abs() < 0.03, "{noise:?}");
    }
    assert!(DifferenceNoise::fit(&differences[..1]).is_none());
    let still = [0.0; 3];
    let still = DistantDifferences { distance: 1.0, values: &still };
    assert!(DifferenceNoise::fit(&[still, still]).is_none());
}

#[test]
fn a_bootstrap_says_when_there_are_too_few_values() {
    let five = bootstrap_check(&[0.1, 0.2, 0.15, 0.12, 0.18]);
    assert!(five.excludes_zero() && !five.is_enough);
    assert_eq!(five.least_sign_flip_p, 0.0625);
    let six = bootstrap_check(&[0.1, 0.2, 0.15, 0.12, 0.18, 0.11]);
    assert!(six.is_enough && six.least_sign_flip_p == 0.03125);
    assert!(bootstrap_check(&[1.0]).low.is_nan());
    // With few values it covers too seldom, which is why it does not decide.
    let mut random = Random::new(5);
    let covers = |values: &[f64]| {
        let check = bootstrap_check(values);
        check.low <= 0.0 && check.high >= 0.0
    };
    let mut rate = |n: usize| {
        let hits = (0..STUDIES / 4).filter(|_| {
            let values: Vec<f64> = (0..n).map(|_| random.normal()).collect();
            covers(&values)
        });
        hits.count() as f64 / (STUDIES / 4) as f64
    };
    assert!(rate(3) < 0.85 && rate(20) > 0.89);
}

/// Places of arms, their true losses, and what each of their seeds lost.
type Arms = (Vec<f64>, Vec<f64>, Vec<Vec<(u64, f64)>>);

/// A U of seven λ, a factor 2 apart, with noise that seeds share and noise that grows with distance.
fn curve(random: &mut Random, seeds: u64) -> Arms {
    let places: Vec<f64> = (-3..=3).map(|step| f64::from(step) * 2f64.ln()).collect();
    let truth: Vec<f64> = places.iter().map(|place| 3.0 + 0.01 * (place - 0.2).powi(2)).collect();
    let mut losses = vec![Vec::new(); places.len()];
    for seed in 0..seeds {
        let (shared, slope) = (0.01 * random.normal(), 0.002 * random.normal());
        for (arm, place) in places.iter().enumerate() {
            let own = 0.001 * random.normal();
            losses[arm].push((seed, truth[arm] + shared + slope * place + own));
        }
    }
    (places, truth, losses)
}

#[test]
fn what_is_said_of_the_best_is_true_of_all_arms_together() {
    const EPSILON: f64 = 0.003;
    for (seeds, is_paired) in [(3, true), (5, true), (8, true), (5, false)] {
        let mut random = Random::new(seeds);
        let (mut right, mut shown) = (0, 0);
        for _ in 0..STUDIES / 2 {
            let (places, truth, losses) = curve(&mut random, seeds);
            let candidates: Vec<Candidate<'_>> = places
                .iter()
                .zip(&losses)
                .map(|(place, losses)| Candidate { place: *place, losses })
                .collect();
            let found = nearest(&candidates, EPSILON, is_paired).unwrap();
            let best = truth.iter().copied().fold(f64::INFINITY, f64::min);
            let is_right = found.arms.iter().zip(&truth).all(|(arm, truth)| match arm.standing {
                Standing::Within => truth - best <= EPSILON,
                Standing::Worse => truth - best > EPSILON,
                Standing::Open => true,
            });
            right += usize::from(is_right);
            shown += found.arms.iter().filter(|arm| arm.standing != Standing::Open).count();
        }
        let right = right as f64 / (STUDIES / 2) as f64;
        assert!(right >= 0.95 - 0.015, "{seeds} seeds: {right}");
        let shown = shown as f64 / (STUDIES / 2) as f64;
        let least = if is_paired { 2.0 } else { 0.0 };
        assert!(shown >= least, "{seeds} seeds: {shown} of seven arms");
    }
}

#[test]
fn an_open_arm_says_how_many_seeds_would_settle_it() {
    let losses = |level: f64, noise: [f64; 4]| -> Vec<(u64, f64)> {
        (0..).zip(noise.map(|noise| level + noise)).collect()
    };
    let best = losses(3.0, [0.0, 0.01, -0.01, 0.005]);
    let near = losses(3.001, [0.002, 0.009, -0.012, 0.006]);
    let far = losses(3.1, [0.001, 0.012, -0.009, 0.004]);
    let arms = [(0.0, &best), (1.0, &near), (2.0, &far)];
    let candidates = arms.map(|(place, losses)| Candidate { place, losses });
    let found = nearest(&candidates, 0.003, true).unwrap();
    assert_eq!(found.lowest, 0);
    assert_eq!(found.arms[2].standing, Standing::Worse);
    assert_eq!(found.arms[1].standing, Standing::Open);
    assert!(matches!(found.arms[1].more_seeds, Some(1..=40)), "{:?}", found.arms[1]);
    assert!(nearest(&candidates[..1], 0.003, true).is_none());
}

#[test]
fn a_target_is_tested_as_its_benchmark_does() {
    // Sixteen final losses with the z and p that their authors published for them:
    // modded-nanogpt, records/track_3_optimization/results/20260629_softpolar_muon_2765 (MIT).
    let losses = [
        3.28043, 3.27777, 3.28164, 3.28070, 3.27812, 3.27815, 3.27905, 3.27798, 3.27751, 3.27822,
        3.27985, 3.27929, 3.27761, 3.27676, 3.27903, 3.27758,
    ];
    let test = below_target(&losses, 3.28, Some(0.0013));
    assert!((test.mean - 3.278731).abs() < 1e-6);
    assert!((test.statistic - 3.9058).abs() < 5e-4, "{test:?}");
    assert!((test.p_value - 4.70e-5).abs() < 5e-7, "{test:?}");
    // Without a known σ it is Student's, and one value is not enough.
    let student = below_target(&losses, 3.28, None);
    assert!(student.p_value > test.p_value && student.p_value < 0.01);
    assert!(below_target(&losses[..1], 3.28, None).p_value.is_nan());
    assert!(below_target(&losses[..1], 3.28, Some(0.0013)).p_value < 1.0);
}
