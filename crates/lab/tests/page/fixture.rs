//! Analyses to draw: a large one with plausible numbers, and awkward ones.

use wd_decay::{DecayRule, OptimizerKind, Role, ScheduleKind, Unit};
use wd_lab::{
    ActsAs, Analysis, Arm, Band, Comparison, ComparisonKind, Diverged, Late, NearBest, Pairing,
    RoleNorm, Setup, TrainingLoss, Verdict,
};
use wd_page::{Claim, Supported};
use wd_statistics::{Crossing, Interval, Nearest, Nearness, PairedDifference, Standing};

const STEPS: u64 = 1877;

/// 97.5 % quantile of Student's t for n seeds.
fn quantile(n: usize) -> f64 {
    match n {
        0 | 1 => f64::NAN,
        2 => 12.706,
        3 => 4.303,
        4 => 3.182,
        _ => 2.776,
    }
}

pub(crate) fn interval(mean: f64, standard_error: f64, n: usize) -> Interval {
    if n == 0 {
        return Interval {
            mean: f64::NAN,
            low: f64::NAN,
            high: f64::NAN,
            standard_error: f64::NAN,
            n,
        };
    }
    let standard_error = if n > 1 { standard_error } else { f64::NAN };
    let half = quantile(n) * standard_error;
    Interval { mean, low: mean - half, high: mean + half, standard_error, n }
}

pub(crate) fn paired(
    mean: f64,
    standard_error: f64,
    n: usize,
    more_seeds: u64,
) -> PairedDifference {
    let interval = interval(mean, standard_error, n);
    let significant = interval.low > 0.0 || interval.high < 0.0;
    PairedDifference {
        interval,
        per_seed: (0..n as u64).map(|seed| (seed, mean)).collect(),
        p_value: (n > 1).then_some(if significant { 0.004 } else { 0.31 }),
        adjusted_p: (n > 1).then_some(if significant { 0.012 } else { 0.62 }),
        significant,
        more_seeds: (n > 1 && !significant).then_some(more_seeds),
        degrees: n as f64 - 1.0,
    }
}

/// Noise without a generator's state: a hash of its coordinates, in −1 … 1.
fn noise(a: u64, b: u64) -> f64 {
    let mut x = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xd1b5_4a32_d192_ed03);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

fn bands(tag: u64, n: usize, standard_error: f64, value: impl Fn(f64) -> f64) -> Vec<Band> {
    (0..60)
        .map(|window| {
            let fraction = (window as f64 + 0.5) / 60.0;
            let mean = value(fraction) + 0.4 * standard_error * noise(tag, window);
            let interval = interval(mean, standard_error * (1.0 + 0.3 * noise(tag + 1, window)), n);
            Band {
                step: (fraction * STEPS as f64).round(),
                mean,
                low: interval.low,
                high: interval.high,
                n,
            }
        })
        .collect()
}

/// Piecewise linear through points (fraction of the run, value).
fn through(points: &[(f64, f64)], at: f64) -> f64 {
    let after = points.iter().position(|point| point.0 >= at).unwrap_or(points.len() - 1).max(1);
    let ((x0, y0), (x1, y1)) = (points[after - 1], points[after]);
    y0 + (y1 - y0) * ((at - x0) / (x1 - x0)).clamp(0.0, 1.0)
}

/// One arm's worth of inputs: λ, κ, seeds, differences at 25, 50, 75, 90, 100 % of the run,
/// standard error.
struct Shape {
    lambda: f64,
    kappa: f64,
    seeds: u64,
    difference: [f64; 5],
    error: f64,
}

fn path(shape: &Shape, at: f64) -> f64 {
    let [a, b, c, d, e] = shape.difference;
    through(&[(0.0, 0.0), (0.05, 0.2 * a), (0.25, a), (0.5, b), (0.75, c), (0.9, d), (1.0, e)], at)
}

fn arm(shape: &Shape, schedule: ScheduleKind, rate: f64, offset: f64) -> Arm {
    let n = shape.seeds as usize;
    let tag = (shape.lambda * 1e4) as u64 + (rate * 1e6) as u64 * 7 + schedule.name().len() as u64;
    let cosine = schedule == ScheduleKind::Cosine;
    let base = |at: f64| {
        3.43 + offset
            + 3.7 * (-at / 0.018).exp()
            + 0.62 * (1.0 - at).powf(1.3) * (-at / 0.7).exp()
            + if cosine { 0.0 } else { 0.11 * at }
    };
    let end = base(1.0) + shape.difference[4];
    let strength = shape.lambda;
    let rms = move |at: f64, scale: f64| {
        let grown =
            scale * (0.0064 + 0.020 * (at * if cosine { 1.0 - 0.35 * at } else { 1.0 })).sqrt();
        grown / (1.0 + 2.4 * strength * at).sqrt()
    };
    let role = |role: Role, kind: Option<&str>, scale: f64, ratio: f64| RoleNorm {
        role,
        kind: kind.map(str::to_owned),
        measured: bands(tag + 31, n, 4e-4, |at| rms(at, scale) * (1.0 + (ratio - 1.0) * at.sqrt())),
        predicted: (0..=STEPS)
            .map(|step| (step as f64, rms(step as f64 / STEPS as f64, scale)))
            .collect(),
        ratio: interval(ratio, 0.004, n),
    };
    Arm {
        label: format!("λ={}, {schedule}, lr={rate}", shape.lambda),
        lambda: shape.lambda,
        schedule: Some(schedule),
        peak_learning_rate: Some(rate),
        settings: Vec::new(),
        setup: Some(Setup {
            schedule_description: if cosine {
                "cosine to 10 % after 94 warm-up steps"
            } else {
                "constant after 94 warm-up steps"
            }
            .to_owned(),
            rule: DecayRule::Decoupled,
            optimizer: OptimizerKind::Adamw,
            kappa: shape.kappa,
            tau_fraction: (shape.lambda > 0.0).then(|| 1.0 / (rate * shape.lambda * STEPS as f64)),
            parameters: 169_728,
            unit: Unit::Token,
            samples_per_step: 2048,
            epochs: 0.98,
            samples_per_parameter: 22.65,
        }),
        steps: STEPS,
        loss_unit: "nats a token".to_owned(),
        training_loss: TrainingLoss::OfThisProgram,
        seeds: (0..shape.seeds).collect(),
        diverged: Vec::new(),
        unfinished: Vec::new(),
        train_loss: bands(tag, n, 0.004, |at| base(at) + path(shape, at)),
        final_train: interval(end, 0.0042, n),
        final_validation: interval(end + 0.006, 0.0095, n),
        final_train_evaluation: interval(end + 0.002, 0.0061, n),
        gap: interval(0.004 - 0.006 * strength, 0.0049, n),
        late: Late {
            gradient_norm: bands(tag + 11, n, 0.012, |at| {
                through(
                    &[
                        (0.0, 2.1),
                        (0.06, 0.42),
                        (0.5, 0.44 + 0.8 * strength),
                        (1.0, 0.58 + 2.1 * strength),
                    ],
                    at,
                )
            }),
            relative_update: bands(tag + 12, n, 4e-5, |at| {
                let rate = if cosine {
                    0.1 + 0.45 * (1.0 + (std::f64::consts::PI * at).cos())
                } else {
                    1.0
                };
                0.013 * rate.max(0.1) * (1.0 + 6.0 * strength * at) * (at / 0.03).min(1.0)
            }),
            weight_rms: bands(tag + 13, n, 4e-4, |at| rms(at, 1.02)),
            late_gradient_norm: interval(0.574 + 2.08 * strength, 0.006, n),
            late_relative_update: interval(9.4e-4 + 4.8e-3 * strength, 6e-6, n),
            late_weight_rms: interval(rms(0.93, 1.02), 3e-4, n),
        },
        weight_rms_by_role: vec![
            role(Role::Matrix, None, 1.0, 0.96),
            role(Role::Embedding, None, 0.72, 1.7 - 0.5 * strength),
            role(Role::Position, None, 1.3, 0.51),
            role(Role::Matrix, Some("attention.qkv.weight"), 1.04, 1.02 + 0.8 * strength),
            role(Role::Matrix, Some("attention.projection.weight"), 0.9, 0.62),
            role(Role::Matrix, Some("mlp.up.weight"), 1.0, 0.98),
            role(Role::Matrix, Some("mlp.down.weight"), 0.95, 1.02),
        ],
    }
}

fn comparison(shape: &Shape, arm: usize, baseline: usize, n: usize, cosine: bool) -> Comparison {
    let crosses = cosine && shape.difference[4] < 0.0;
    Comparison {
        kind: ComparisonKind::SameSettings,
        arm,
        baseline,
        pairing: Pairing::Seed,
        difference: bands(arm as u64 + 500, n, shape.error, |at| path(shape, at)),
        early_train: paired(shape.difference[1], 0.002, n, 0),
        crossing: crosses.then(|| {
            let fraction = if shape.lambda < 0.08 { 0.829 } else { 0.879 };
            let step = fraction * STEPS as f64;
            Crossing { step, fraction, low: Some(step - 60.0), high: Some(step + 70.0) }
        }),
        final_train: paired(shape.difference[4], shape.error, n, 3),
        final_validation: paired(shape.difference[4] * 1.1 - 0.001, 1.4 * shape.error, n, 4),
        gap: paired(-0.022 * shape.lambda, 0.0018, n, 41),
        late_gradient_norm: paired(2.08 * shape.lambda, 0.006, n, 0),
        late_relative_update: paired(4.8e-3 * shape.lambda, 6e-6, n, 0),
    }
}

/// A study like the default one: two schedules, four λ, three learning rates, unequal numbers of
/// seeds.
pub(crate) fn realistic() -> Analysis {
    let cosine = [
        Shape { lambda: 0.0, kappa: 0.0, seeds: 5, difference: [0.0; 5], error: 0.0 },
        Shape {
            lambda: 0.05,
            kappa: 0.41,
            seeds: 3,
            difference: [0.014, 0.015, 0.003, -0.003, -0.0069],
            error: 0.0010,
        },
        Shape {
            lambda: 0.1,
            kappa: 0.82,
            seeds: 5,
            difference: [0.029, 0.033, 0.012, -0.002, -0.0063],
            error: 0.0012,
        },
        Shape {
            lambda: 0.3,
            kappa: 2.47,
            seeds: 3,
            difference: [0.103, 0.124, 0.072, 0.038, 0.0240],
            error: 0.0022,
        },
    ];
    let constant = [
        Shape { lambda: 0.0, kappa: 0.0, seeds: 3, difference: [0.0; 5], error: 0.0 },
        Shape {
            lambda: 0.1,
            kappa: 1.46,
            seeds: 3,
            difference: [0.033, 0.059, 0.085, 0.096, 0.1047],
            error: 0.0027,
        },
        Shape {
            lambda: 0.3,
            kappa: 4.39,
            seeds: 2,
            difference: [0.114, 0.188, 0.240, 0.266, 0.2784],
            error: 0.0004,
        },
    ];
    let mut arms: Vec<Arm> =
        cosine.iter().map(|shape| arm(shape, ScheduleKind::Cosine, 8e-3, 0.0)).collect();
    arms.extend(constant.iter().map(|shape| arm(shape, ScheduleKind::Constant, 8e-3, 0.0)));
    for (rate, offset) in [(3e-3, 0.052), (1.6e-2, 0.031)] {
        for shape in [&cosine[0], &cosine[2], &cosine[3]] {
            let shape =
                Shape { seeds: 2, difference: shape.difference.map(|d| d * 60.0 * rate), ..*shape };
            arms.push(arm(&shape, ScheduleKind::Cosine, rate, offset));
        }
    }
    let last = arms.len() - 1;
    arms[last].diverged.push(Diverged { seed: 2, step: 1204 });
    let mut comparisons: Vec<Comparison> = (1..4)
        .map(|index| comparison(&cosine[index], index, 0, cosine[index].seeds as usize, true))
        .collect();
    comparisons.extend((1..3).map(|index| {
        comparison(&constant[index], 4 + index, 4, constant[index].seeds as usize, false)
    }));
    let mut best = comparison(&cosine[2], 2, 0, 5, true);
    best.kind = ComparisonKind::BestLearningRate;
    comparisons.push(best);
    Analysis {
        arms,
        comparisons,
        verdict: verdict(),
        near_best: vec![near_best()],
        targets: Vec::new(),
        recording: None,
    }
}

/// The first four arms against the best of them.
fn near_best() -> NearBest {
    let nearness = |standing, behind: f64, half: f64, more_seeds| Nearness {
        standing,
        behind,
        low: behind - half,
        high: behind + half,
        more_seeds,
    };
    let arms = vec![
        nearness(Standing::Worse, 0.0069, 0.0020, None),
        nearness(Standing::Within, 0.0, f64::NAN, None),
        nearness(Standing::Open, 0.0006, 0.0041, Some(6)),
        nearness(Standing::Worse, 0.0309, 0.0060, None),
    ];
    let nearest = Nearest { lowest: 1, epsilon: 0.0036, arms, noise: None };
    NearBest { arms: vec![0, 1, 2, 3], is_validation: true, is_paired: true, nearest }
}

fn verdict() -> Verdict {
    let line = |claim: &str, finding: &str, supported| Claim {
        claim: claim.to_owned(),
        finding: finding.to_owned(),
        supported,
    };
    Verdict {
        headline: "In one pass over the data, λ acts as a force: under cosine it first costs and then lowers the final training \
                   loss, while the generalisation gap stays where it is."
            .to_owned(),
        regime: "One pass (0.98 epochs), 22.6 tokens a parameter, AdamW, cosine and constant schedules at peak LR 0.008, κ from \
                 0.41 to 4.39."
            .to_owned(),
        acts_as: ActsAs::Force,
        gap_margin: 0.01,
        lines: vec![
            line(
                "Under a decaying learning rate, λ > 0 costs early and gains at the end.",
                "λ = 0.1: +0.0310 ± 0.0042 between 10 % and 50 % of the run, −0.0063 ± 0.0033 at the end (5 paired seeds, p = 0.006); \
                 the mean crosses at 88 % of the run.",
                Supported::Supported,
            ),
            line(
                "The generalisation gap does not move with λ.",
                "The paired change lies within ±0.01 nats for λ = 0.05, 0.1 and 0.3; the largest is −0.0066 ± 0.0077 (3 paired seeds).",
                Supported::Supported,
            ),
            line(
                "Under a constant learning rate, λ only raises the training loss.",
                "λ = 0.1: +0.105 ± 0.012 (3 paired seeds); λ = 0.3: +0.2784 ± 0.0051 (2 paired seeds).",
                Supported::Supported,
            ),
            line(
                "The gain survives when each λ has its own best learning rate.",
                "Best LR 0.008 for both; −0.0063 ± 0.0033, but only three learning rates were tried.",
                Supported::Undecided,
            ),
            line(
                "The norm recursion predicts the weight norm of every role.",
                "Measured over predicted: matrices 0.96, embedding 1.70, position 0.51.",
                Supported::Contradicted,
            ),
        ],
        baseline: None,
        more_seeds: None,
    }
}

/// One arm with one seed, nothing held out, no λ = 0.
pub(crate) fn single() -> Analysis {
    let shape = Shape { lambda: 0.1, kappa: 0.82, seeds: 1, difference: [0.0; 5], error: 0.0 };
    let mut only = arm(&shape, ScheduleKind::Cosine, 8e-3, 0.0);
    only.label = "λ=0.1".to_owned();
    for missing in [&mut only.final_validation, &mut only.final_train_evaluation, &mut only.gap] {
        *missing = interval(f64::NAN, f64::NAN, 0);
    }
    Analysis {
        arms: vec![only],
        comparisons: Vec::new(),
        verdict: undecided(),
        near_best: Vec::new(),
        targets: Vec::new(),
        recording: None,
    }
}

/// Every run diverged.
pub(crate) fn diverged() -> Analysis {
    let mut analysis = single();
    let arm = &mut analysis.arms[0];
    arm.diverged = vec![Diverged { seed: 0, step: 31 }, Diverged { seed: 1, step: 40 }];
    arm.seeds.clear();
    arm.train_loss.clear();
    arm.weight_rms_by_role.clear();
    arm.late.gradient_norm.clear();
    arm.late.relative_update.clear();
    arm.late.weight_rms.clear();
    arm.final_train = interval(f64::NAN, f64::NAN, 0);
    analysis
}

/// Arms that differ in something other than λ.
pub(crate) fn without_lambda_axis() -> Analysis {
    let mut analysis = single();
    let mut other = analysis.arms[0].clone();
    analysis.arms[0].label = "λ=0.1, model.width=64".to_owned();
    analysis.arms[0].settings = vec![("model.width".to_owned(), "64".to_owned())];
    other.label = "λ=0.1, model.width=128".to_owned();
    other.settings = vec![("model.width".to_owned(), "128".to_owned())];
    other.train_loss.iter_mut().for_each(|band| band.mean -= 0.1);
    analysis.arms.push(other);
    analysis
}

pub(crate) fn undecided() -> Verdict {
    Verdict {
        headline: "Too few runs to say how λ acts.".to_owned(),
        regime: String::new(),
        acts_as: ActsAs::Undecided,
        gap_margin: 0.01,
        lines: Vec::new(),
        baseline: None,
        more_seeds: None,
    }
}

/// More values of λ than colours, most with a single seed.
pub(crate) fn many() -> Analysis {
    let mut analysis = realistic();
    let template = analysis.arms[1].clone();
    for index in 0..18 {
        let mut arm = template.clone();
        arm.lambda = 0.4 + 0.1 * f64::from(index);
        arm.label = format!("λ={:.1}, cosine, lr=0.008", arm.lambda);
        arm.seeds = vec![0];
        arm.train_loss.iter_mut().for_each(|band| {
            (band.mean, band.low, band.high, band.n) =
                (band.mean + 0.01 * f64::from(index), f64::NAN, f64::NAN, 1);
        });
        analysis.arms.push(arm);
    }
    analysis
}
