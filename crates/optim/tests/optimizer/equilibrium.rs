//! Where the real optimizers settle on gradients of pure noise, against the theory of
//! [`wd_decay::norm`]: RMS of the weights, and their relative update, which is the angle by which
//! they turn.

use crate::arena::{ADAM, config, muon, optimizer, settings};
use wd_decay::norm::coupled_adam_mean_square;
use wd_decay::{DecayRule, Equilibrium, MuonScale, UpdateNoise, coupled_sgd_equilibrium};
use wd_optim::{AdamParameters, Direction};

/// Uniform numbers of mean 0 and variance 1: SplitMix64 (Steele et al. 2014).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let unit = ((bits ^ (bits >> 31)) >> 40) as f32 / (1u64 << 24) as f32;
        12f32.sqrt() * (unit - 0.5)
    }

    /// Four of them added up, close to a normal distribution.
    fn normal(&mut self) -> f32 {
        0.5 * (self.next() + self.next() + self.next() + self.next())
    }
}

/// RMS and relative update of a matrix of this shape, averaged over the second half of `steps`.
fn settle(
    direction: Direction,
    rule: DecayRule,
    shape: [usize; 2],
    (rate, lambda, steps): (f64, f64, usize),
) -> (f64, f64) {
    let (mut optimizer, length) = optimizer(config(direction, rule), &[&shape], lambda);
    let mut noise = Noise(5);
    let mut weights: Vec<f32> = (0..length).map(|_| 0.1 * noise.normal()).collect();
    let mut gradients = vec![0.0; length];
    let (mut mean_square, mut relative_update) = (0.0, 0.0);
    for step in 0..steps {
        gradients.fill_with(|| noise.normal());
        let report = optimizer.step(&mut weights, &gradients, settings(rate, rate)).unwrap();
        if 2 * step >= steps {
            let share = 2.0 / steps as f64;
            mean_square += share * report.tensors[0].weight_norm.powi(2) / length as f64;
            relative_update += share * report.tensors[0].relative_update;
        }
    }
    (mean_square.sqrt(), relative_update)
}

fn assert_settles(measured: (f64, f64), predicted: Equilibrium, tolerance: f64, what: &str) {
    for (measured, predicted, quantity) in
        [(measured.0, predicted.rms, "RMS"), (measured.1, predicted.angle, "angle")]
    {
        let ratio = measured / predicted;
        assert!(
            (ratio - 1.0).abs() <= tolerance,
            "{what}: {quantity} measured/predicted = {ratio}"
        );
    }
}

#[test]
fn adamw() {
    let (rate, lambda) = (0.01, 0.2);
    for (beta2, tolerance) in [(0.95, 0.05), (0.999, 0.01)] {
        let adam = Direction::Adam(AdamParameters { beta2, ..ADAM });
        let measured = settle(adam, DecayRule::Decoupled, [100, 80], (rate, lambda, 5000));
        let predicted = UpdateNoise::Adam { beta1: 0.9 }.equilibrium(rate, rate * lambda);
        assert_settles(measured, predicted, tolerance, &format!("β₂ = {beta2}"));
    }
}

#[test]
fn adamw_by_every_rule_that_shrinks() {
    // At a constant rate the rules are one, up to what λ is multiplied by.
    let (rate, shrink) = (0.01, 0.002);
    for &rule in DecayRule::ALL {
        let lambda = match rule {
            DecayRule::CoupledL2 | DecayRule::Hyperball => continue,
            DecayRule::Decoupled | DecayRule::Corrected => shrink / rate,
            DecayRule::Independent | DecayRule::Constant => shrink,
            DecayRule::SquaredLearningRate => shrink / (rate * rate),
        };
        let measured = settle(Direction::Adam(ADAM), rule, [50, 60], (rate, lambda, 3000));
        let predicted = UpdateNoise::Adam { beta1: 0.9 }.equilibrium(rate, shrink);
        assert_settles(measured, predicted, 0.05, rule.name());
    }
}

#[test]
fn adam_with_a_penalty_that_it_divides_by_too() {
    // λw is a quarter of the gradient, and then nearly as large: the shrink of a step, 0.1 and 0.8,
    // comes to that of the momentum, which the formula leaves out, and passes it.
    let adam = Direction::Adam(AdamParameters { beta2: 0.999, ..ADAM });
    for (lambda, expected) in [(1.0, 1.0), (10.0, 0.98), (100.0, 0.82)] {
        let (rms, _) = settle(adam, DecayRule::CoupledL2, [50, 60], (0.01, lambda, 6000));
        let ratio = rms / coupled_adam_mean_square(0.01, lambda, 1.0).sqrt();
        assert!((ratio - expected).abs() < 0.02, "λ = {lambda}: measured/predicted = {ratio}");
    }
}

#[test]
fn lion() {
    // The theory needs a decay slower than the momentum's memory of 100 steps.
    let (rate, lambda, beta1, beta2) = (0.001, 0.5, 0.9, 0.99);
    let lion = Direction::Lion { beta1, beta2 };
    let measured = settle(lion, DecayRule::Decoupled, [50, 80], (rate, lambda, 9000));
    let predicted = UpdateNoise::Lion { beta1, beta2 }.equilibrium(rate, rate * lambda);
    assert_settles(measured, predicted, 0.04, "Lion");
}

#[test]
fn sgd_with_momentum_and_coupled_l2() {
    let (rate, lambda, momentum) = (0.05, 0.2, 0.9);
    let sgd = Direction::Sgd { momentum, dampening: 0.0, nesterov: false };
    let measured = settle(sgd, DecayRule::CoupledL2, [50, 80], (rate, lambda, 6000));
    let predicted = coupled_sgd_equilibrium(rate, lambda, momentum, 1.0);
    // The relative update is a chord, 2 sin(angle/2).
    let chord = Equilibrium { angle: 2.0 * (0.5 * predicted.angle).sin(), ..predicted };
    assert_settles(measured, chord, 2e-3, "SGD");
}

#[test]
fn muon_through_its_newton_schulz_iteration() {
    let (rate, lambda, momentum) = (0.02, 0.1, 0.95);
    // Polar factors of square noise forget faster than the momentum behind them: their smallest
    // singular values are all chance.
    for (shape, nesterov, tolerance) in [
        ([96, 24], false, 0.05),
        ([24, 96], true, 0.05),
        ([72, 36], true, 0.12),
        ([48, 48], true, 0.22),
    ] {
        let measured = settle(muon(nesterov), DecayRule::Decoupled, shape, (rate, lambda, 4000));
        let predicted = UpdateNoise::Muon {
            momentum,
            nesterov,
            scale: MuonScale::Shape { fan_in: shape[1] as u64 },
        }
        .equilibrium(rate, rate * lambda);
        // Five Newton–Schulz steps leave the singular values below 1 on average, so the update, and
        // with it the weights, are smaller than an orthogonal matrix would make them; the angle is
        // what it was.
        let update_rms = measured.1 * measured.0 / rate;
        let size = update_rms * (shape[1] as f64).sqrt();
        assert!((0.75..1.05).contains(&size), "{shape:?}: {size}");
        let predicted = Equilibrium { rms: predicted.rms * size, ..predicted };
        assert_settles(measured, predicted, tolerance, &format!("{shape:?}"));
    }
}
