//! The predicted weight norms against simulations of optimizers fed with pure noise.

use std::f64::consts::TAU;

use wd_decay::{
    MuonScale, Schedule, ScheduleKind, UpdateNoise, coupled_sgd_equilibrium, norm_recursion,
    scale_invariant_sgd_norm,
};

const COORDINATES: usize = 1000;
const START: f64 = 0.1;

/// Standard normal numbers: SplitMix64 (Steele et al. 2014) through the Box–Muller transform.
struct Noise {
    state: u64,
    spare: Option<f64>,
}

impl Noise {
    fn new(seed: u64) -> Self {
        Noise { state: seed, spare: None }
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
    let product: f64 = left.iter().zip(right).map(|(left, right)| left * right).sum();
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
    assert!((ratio - 1.0).abs() <= tolerance, "{what}: measured/predicted = {ratio}");
}

#[test]
fn adamw_settles_where_predicted() {
    let (coordinates, rate, lambda) = (4000, 0.01, 0.1);
    for (beta2, tolerance) in [(0.95, 0.05), (0.999, 0.01)] {
        let (norms, angles) =
            simulate(coordinates, 8000, |_| rate * lambda, adam(coordinates, 0.9, beta2, |_| rate));
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

/// RMS and mean cosine of a step's angle, over the steps after the first `warmup`, of `coordinates`
/// weights under SGD with momentum and coupled L2 on noise. Averages of squares and products, for
/// an error well below 0.1 %.
fn sgd_moments(
    (coordinates, warmup, steps): (usize, usize, usize),
    (rate, lambda, momentum): (f64, f64, f64),
    nesterov: bool,
) -> (f64, f64) {
    let mut noise = Noise::new(3);
    // Uniform noise of variance 1: moments of second order do not ask for more.
    let spread = 12f64.sqrt();
    let (mut squares, mut products) = (0.0, 0.0);
    for _ in 0..coordinates {
        let (mut weight, mut buffer) = (0.0, 0.0);
        for step in 0..warmup + steps {
            let gradient = spread * (noise.uniform() - 0.5) + lambda * weight;
            buffer = momentum * buffer + gradient;
            let direction = if nesterov { gradient + momentum * buffer } else { buffer };
            let next = weight - rate * direction;
            if step >= warmup {
                squares += next * next;
                products += next * weight;
            }
            weight = next;
        }
    }
    ((squares / (coordinates * steps) as f64).sqrt(), products / squares)
}

#[test]
fn sgd_with_momentum_settles_where_predicted() {
    // Strong and weak pulls, real and complex roots.
    for (rate, lambda, momentum) in [(0.05, 0.2, 0.9), (0.5, 0.2, 0.9), (0.1, 0.5, 0.0)] {
        let (rms, cosine) = sgd_moments((2000, 500, 9000), (rate, lambda, momentum), false);
        let exact = coupled_sgd_equilibrium(rate, lambda, momentum, 1.0);
        assert_within(rms, exact.rms, 1e-3, "RMS");
        assert_within(cosine.acos(), exact.angle, 1e-3, "angle");
    }
}

#[test]
fn the_general_form_is_exact_for_sgd_in_the_limit() {
    // Shrink ηλ/(1 − α) = 1e-5 a step: what is left is of that order.
    let (rate, lambda, momentum) = (1e-3, 1e-3, 0.9);
    let exact = coupled_sgd_equilibrium(rate, lambda, momentum, 1.0);
    let general = UpdateNoise::Sgd { momentum, nesterov: false, gradient_mean_square: 1.0 }
        .equilibrium(rate, rate * lambda / (1.0 - momentum));
    assert_within(general.rms, exact.rms, 1e-4, "RMS");
    assert_within(general.angle, exact.angle, 1e-4, "angle");
    assert_within(general.relaxation_steps, exact.relaxation_steps, 1e-3, "relaxation");
    assert_within(
        exact.angle,
        (2.0 * rate * lambda / (1.0 + momentum)).sqrt(),
        1e-4,
        "Kosson et al., table 1",
    );
}

#[test]
fn sgd_with_nesterov_momentum_settles_where_predicted() {
    let (rate, lambda, momentum) = (0.05, 0.002, 0.9);
    let (rms, cosine) = sgd_moments((500, 4000, 40_000), (rate, lambda, momentum), true);
    let predicted = UpdateNoise::Sgd { momentum, nesterov: true, gradient_mean_square: 1.0 }
        .equilibrium(rate, rate * lambda / (1.0 - momentum));
    assert_within(rms, predicted.rms, 0.01, "RMS");
    assert_within(cosine.acos(), predicted.angle, 0.01, "angle");
}

#[test]
fn scale_invariant_sgd_settles_where_predicted() {
    // A scale-invariant loss has a gradient orthogonal to the weights and inverse to their norm.
    let (coordinates, rate, lambda, momentum) = (100, 0.05, 0.004, 0.9);
    let mut noise = Noise::new(4);
    let mut weights: Vec<f64> = (0..coordinates).map(|_| noise.normal()).collect();
    let mut buffer = vec![0.0; coordinates];
    let mut gradient = vec![0.0; coordinates];
    let (warmup, steps) = (4000, 100_000);
    let mut fourth_powers = 0.0;
    for step in 0..warmup + steps {
        gradient.iter_mut().for_each(|value| *value = noise.normal());
        let square: f64 = weights.iter().map(|weight| weight * weight).sum();
        let along: f64 = weights.iter().zip(&gradient).map(|(w, g)| w * g).sum();
        for index in 0..coordinates {
            let tangent = gradient[index] - weights[index] * along / square;
            buffer[index] =
                momentum * buffer[index] + tangent / square.sqrt() + lambda * weights[index];
            weights[index] -= rate * buffer[index];
        }
        if step >= warmup {
            fourth_powers += square * square / steps as f64;
        }
    }
    // The projection leaves coordinates − 1 of the noise's dimensions.
    let predicted = scale_invariant_sgd_norm(rate, lambda, momentum, (coordinates - 1) as f64);
    assert_within(fourth_powers.powf(0.25), predicted, 1e-3, "norm");
}

#[test]
fn muon_settles_at_its_closed_form() {
    // Wen et al.: ‖w‖ = ηU √((1 + αβ)/((1 − α²)(1 − αβ))), α = 1 − ηλ, U = √d_out.
    let (rate, lambda, momentum, rows, columns) = (0.02, 0.01, 0.95, 256.0f64, 64u64);
    let alpha: f64 = 1.0 - rate * lambda;
    let exact = rate
        * rows.sqrt()
        * ((1.0 + alpha * momentum) / ((1.0 - alpha * alpha) * (1.0 - alpha * momentum))).sqrt();
    let predicted = UpdateNoise::Muon {
        momentum,
        nesterov: false,
        scale: MuonScale::Shape { fan_in: columns },
    }
    .equilibrium(rate, rate * lambda);
    assert_within(exact, predicted.rms * (rows * columns as f64).sqrt(), 0.005, "norm");
}

#[test]
fn the_recursion_follows_adamw_through_every_schedule() {
    // The RMS of n random coordinates has a relative standard error of 1/√2n: 0.6 % here.
    let (coordinates, steps) = (12_000, 3000);
    let (peak, lambda) = (0.003, 1.0 / 3.0);
    let schedule = |kind, floor| Schedule::new(kind, 200, steps as u64, floor, 800).unwrap();
    let cosine = schedule(ScheduleKind::Cosine, 0.1);
    let wsd = schedule(ScheduleKind::WarmupStableDecay, 0.0);
    for (name, schedule, is_corrected) in
        [("cosine", cosine, false), ("wsd", wsd, false), ("cosine, corrected", cosine, true)]
    {
        let rates: Vec<f64> = (0..steps).map(|step| peak * schedule.factor(step as u64)).collect();
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
        let predicted =
            norm_recursion(START, &rates, &shrinks, UpdateNoise::Adam { beta1: 0.9 }.diffusion());
        for (step, (measured, predicted)) in measured.iter().zip(&predicted).enumerate() {
            assert_within(*measured, *predicted, 0.02, &format!("{name}, step {step}"));
        }
    }
}

#[test]
fn the_recursion_reaches_the_equilibrium_and_grows_without_decay() {
    let noise = UpdateNoise::Adam { beta1: 0.9 };
    let (rate, shrink, steps) = (0.01, 0.002, 10_000);
    let course = norm_recursion(1.0, &vec![rate; steps], &vec![shrink; steps], noise.diffusion());
    let settled = noise.equilibrium(rate, shrink);
    assert_within(*course.last().unwrap(), settled.rms, 1e-9, "equilibrium");
    // The mean square approaches its end as e^(−t/relaxation).
    let excess = |step: usize| course[step].powi(2) - settled.rms.powi(2);
    let relaxation = settled.relaxation_steps.round() as usize;
    assert_within(excess(500 + relaxation) / excess(500), (-1.0f64).exp(), 0.01, "relaxation");
    // Without decay: ρ = ρ_0 + η²t.
    let free = norm_recursion(1.0, &vec![rate; steps], &vec![0.0; steps], noise.diffusion());
    assert_within(*free.last().unwrap(), (1.0 + rate * rate * steps as f64).sqrt(), 1e-9, "growth");
    assert!(noise.equilibrium(rate, 0.0).rms.is_infinite());
}
