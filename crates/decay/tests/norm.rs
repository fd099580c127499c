//! The predicted weight norms against simulations of optimizers fed with pure noise.

use std::f64::consts::TAU;

use wd_decay::{Schedule, ScheduleKind, UpdateNoise, norm_recursion, scale_invariant_sgd_norm};

const COORDINATES: usize = 1000;
const START: f64 = 0.1;

/// Standard normal numbers: SplitMix64 (Steele et al. 2014) through the Box–Muller transform.
struct Noise {
    state: u64,
    spare: Option<f64>,
}

impl Noise {
    fn new(seed: u64) -> Self {
        Noise {
            state: seed,
            spare: None,
        }
    }

    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let angle = TAU * self.uniform();
        self.spare = Some(radius * angle.sin());
        radius * angle.cos()
    }
}

fn rms(weights: &[f64]) -> f64 {
    (weights.iter().map(|weight| weight * weight).sum::<f64>() / weights.len() as f64).sqrt()
}

fn angle(left: &[f64], right: &[f64]) -> f64 {
    let product: f64 = left
        .iter()
        .zip(right)
        .map(|(left, right)| left * right)
        .sum();
    (product / (rms(left) * rms(right) * left.len() as f64)).acos()
}

/// RMS after each step and angle of each step of `steps` steps from an RMS of START, where `update`
/// gives Δw + s·w.
fn simulate(
    coordinates: usize,
    steps: usize,
    shrink: impl Fn(usize) -> f64,
    mut update: impl FnMut(usize, usize, &[f64]) -> f64,
) -> (Vec<f64>, Vec<f64>) {
    let mut noise = Noise::new(17);
    let mut weights: Vec<f64> = (0..coordinates).map(|_| noise.normal()).collect();
    let scale = START / rms(&weights);
    weights.iter_mut().for_each(|weight| *weight *= scale);
    let mut next = weights.clone();
    let (mut norms, mut angles) = (Vec::new(), Vec::new());
    for step in 0..steps {
        for (index, next) in next.iter_mut().enumerate() {
            *next = (1.0 - shrink(step)) * weights[index] + update(step, index, &weights);
        }
        norms.push(rms(&next));
        angles.push(angle(&weights, &next));
        std::mem::swap(&mut weights, &mut next);
    }
    (norms, angles)
}

/// Update −η_t m̂/√v̂ of Adam on noise.
fn adam(
    coordinates: usize,
    beta1: f64,
    beta2: f64,
    rate: impl Fn(usize) -> f64,
) -> impl FnMut(usize, usize, &[f64]) -> f64 {
    let mut noise = Noise::new(11);
    let mut moments = vec![(0.0, 0.0); coordinates];
    let mut correction = (0.0, 0.0);
    move |step, index, _| {
        if index == 0 {
            let time = step as i32 + 1;
            correction = (1.0 - beta1.powi(time), 1.0 - beta2.powi(time));
        }
        let gradient = noise.normal();
        let (first, second) = &mut moments[index];
        *first += (1.0 - beta1) * (gradient - *first);
        *second += (1.0 - beta2) * (gradient * gradient - *second);
        -rate(step) * (*first / correction.0) / (*second / correction.1).sqrt()
    }
}

/// Mean over the last half, when the equilibrium is reached.
fn settled(values: &[f64]) -> f64 {
    let tail = &values[values.len() / 2..];
    tail.iter().sum::<f64>() / tail.len() as f64
}

fn assert_within(measured: f64, predicted: f64, tolerance: f64, what: &str) {
    let ratio = measured / predicted;
    assert!(
        (ratio - 1.0).abs() <= tolerance,
        "{what}: measured/predicted = {ratio}"
    );
}

#[test]
fn adamw_settles_where_predicted() {
    let (coordinates, rate, lambda) = (4000, 0.01, 0.1);
    for (beta2, tolerance) in [(0.95, 0.05), (0.999, 0.01)] {
        let (norms, angles) = simulate(
            coordinates,
            8000,
            |_| rate * lambda,
            adam(coordinates, 0.9, beta2, |_| rate),
        );
        let predicted = UpdateNoise::Adam { beta1: 0.9 }.equilibrium(rate, rate * lambda);
        assert_within(
            settled(&norms),
            (rate / (2.0 * lambda)).sqrt(),
            tolerance,
            "RMS against √(η/2λ)",
        );
        assert_within(settled(&norms), predicted.rms, tolerance, "RMS");
        assert_within(settled(&angles), predicted.angle, 0.02, "angle");
    }
}

#[test]
fn lion_settles_where_predicted() {
    let (rate, lambda, beta1, beta2) = (0.001, 1.0, 0.9, 0.99);
    let mut noise = Noise::new(2);
    let mut momentum = vec![0.0; COORDINATES];
    let update = |_: usize, index: usize, _: &[f64]| {
        let gradient = noise.normal();
        let direction: f64 = beta1 * momentum[index] + (1.0 - beta1) * gradient;
        momentum[index] = beta2 * momentum[index] + (1.0 - beta2) * gradient;
        -rate * direction.signum()
    };
    let (norms, angles) = simulate(COORDINATES, 8000, |_| rate * lambda, update);
    let predicted = UpdateNoise::Lion { beta1, beta2 }.equilibrium(rate, rate * lambda);
    let spread = (1.0 - beta1).powi(2) + beta1 * beta1 * (1.0 - beta2) / (1.0 + beta2);
    let closed_form = (rate / (std::f64::consts::PI * lambda * spread)).sqrt();
    assert_within(predicted.rms, closed_form, 1e-3, "closed form");
    assert_within(settled(&norms), predicted.rms, 0.04, "RMS");
    assert_within(settled(&angles), predicted.angle, 0.04, "angle");
}

#[test]
fn sgd_with_momentum_settles_where_predicted() {
    let (rate, lambda, momentum) = (0.05, 0.02, 0.9);
    let mut noise = Noise::new(3);
    let mut buffer = vec![0.0; COORDINATES];
    // Coupled L2: the penalty's gradient goes through the momentum, so the shrink outside of it is
    // 0.
    let update = |_: usize, index: usize, weights: &[f64]| {
        buffer[index] = momentum * buffer[index] + noise.normal() + lambda * weights[index];
        -rate * buffer[index]
    };
    let (norms, angles) = simulate(COORDINATES, 6000, |_| 0.0, update);
    let noise = UpdateNoise::Sgd {
        momentum,
        gradient_mean_square: 1.0,
    };
    let predicted = noise.equilibrium(rate, rate * lambda / (1.0 - momentum));
    assert_within(settled(&norms), predicted.rms, 0.02, "RMS");
    assert_within(settled(&angles), predicted.angle, 0.02, "angle");
}

#[test]
fn scale_invariant_sgd_settles_where_predicted() {
    let (rate, lambda, momentum) = (0.05, 0.01, 0.9);
    let mut noise = Noise::new(4);
    let mut buffer = vec![0.0; COORDINATES];
    // A scale-invariant loss has a gradient orthogonal to the weights and inverse to their norm. In
    // 1000 dimensions the noise is nearly orthogonal; what is left of its projection is 1/1000 of
    // its square.
    let mut current = (usize::MAX, 0.0);
    let update = |step: usize, index: usize, weights: &[f64]| {
        if current.0 != step {
            current = (step, rms(weights) * (COORDINATES as f64).sqrt());
        }
        buffer[index] =
            momentum * buffer[index] + noise.normal() / current.1 + lambda * weights[index];
        -rate * buffer[index]
    };
    let (norms, _) = simulate(COORDINATES, 6000, |_| 0.0, update);
    let predicted = scale_invariant_sgd_norm(rate, lambda, momentum, COORDINATES as f64);
    assert_within(
        settled(&norms) * (COORDINATES as f64).sqrt(),
        predicted,
        0.01,
        "norm",
    );
}

#[test]
fn muon_settles_at_its_closed_form() {
    // Wen et al.: ‖w‖ = ηU √((1 + αβ)/((1 − α²)(1 − αβ))), α = 1 − ηλ, U = √d_out.
    let (rate, lambda, momentum, rows, columns) = (0.02, 0.01, 0.95, 256.0f64, 64usize);
    let alpha: f64 = 1.0 - rate * lambda;
    let exact = rate
        * rows.sqrt()
        * ((1.0 + alpha * momentum) / ((1.0 - alpha * alpha) * (1.0 - alpha * momentum))).sqrt();
    let predicted = UpdateNoise::Muon {
        momentum,
        fan_in: columns,
    }
    .equilibrium(rate, rate * lambda);
    assert_within(
        exact,
        predicted.rms * (rows * columns as f64).sqrt(),
        0.005,
        "norm",
    );
}

#[test]
fn the_recursion_follows_adamw_through_every_schedule() {
    // The RMS of n random coordinates has a relative standard error of 1/√2n: 0.6 % here.
    let (coordinates, steps) = (12_000, 3000);
    let (peak, lambda) = (0.003, 1.0 / 3.0);
    let schedule = |kind, floor| Schedule::new(kind, 200, steps as u64, floor, 800).unwrap();
    let cosine = schedule(ScheduleKind::Cosine, 0.1);
    let wsd = schedule(ScheduleKind::WarmupStableDecay, 0.0);
    for (name, schedule, is_corrected) in [
        ("cosine", cosine, false),
        ("wsd", wsd, false),
        ("cosine, corrected", cosine, true),
    ] {
        let rates: Vec<f64> = (0..steps)
            .map(|step| peak * schedule.factor(step as u64))
            .collect();
        let shrinks: Vec<f64> = rates
            .iter()
            .map(|rate| lambda * rate * if is_corrected { rate / peak } else { 1.0 })
            .collect();
        let (measured, _) = simulate(
            coordinates,
            steps,
            |step| shrinks[step],
            adam(coordinates, 0.9, 0.999, |step| rates[step]),
        );
        let predicted = norm_recursion(
            START,
            &rates,
            &shrinks,
            UpdateNoise::Adam { beta1: 0.9 }.diffusion(),
        );
        for (step, (measured, predicted)) in measured.iter().zip(&predicted).enumerate() {
            assert_within(*measured, *predicted, 0.02, &format!("{name}, step {step}"));
        }
    }
}

#[test]
fn the_recursion_reaches_the_equilibrium_and_grows_without_decay() {
    let noise = UpdateNoise::Adam { beta1: 0.9 };
    let (rate, shrink, steps) = (0.01, 0.002, 10_000);
    let course = norm_recursion(
        1.0,
        &vec![rate; steps],
        &vec![shrink; steps],
        noise.diffusion(),
    );
    let settled = noise.equilibrium(rate, shrink);
    assert_within(*course.last().unwrap(), settled.rms, 1e-9, "equilibrium");
    // The mean square approaches its end as e^(−t/relaxation).
    let excess = |step: usize| course[step].powi(2) - settled.rms.powi(2);
    let relaxation = settled.relaxation_steps.round() as usize;
    assert_within(
        excess(500 + relaxation) / excess(500),
        (-1.0f64).exp(),
        0.01,
        "relaxation",
    );
    // Without decay: ρ = ρ_0 + η²t.
    let free = norm_recursion(
        1.0,
        &vec![rate; steps],
        &vec![0.0; steps],
        noise.diffusion(),
    );
    assert_within(
        *free.last().unwrap(),
        (1.0 + rate * rate * steps as f64).sqrt(),
        1e-9,
        "growth",
    );
    assert!(noise.equilibrium(rate, 0.0).rms.is_infinite());
}
