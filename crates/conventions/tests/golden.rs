//! The library table against the libraries: 50 steps of every optimizer, and the coefficients of
//! every estimator, as `golden/golden.py` recorded them.
//!
//! The entry chooses the rule, the rule gives this step's decay, and the trajectory that follows
//! must be the library's. SGD, Adam and Lion are rewritten here; of the other optimizers the update
//! was recorded, so that the decay alone is left to explain.

use std::collections::BTreeSet;

use serde_json::Value;
use wd_conventions::library::{self, KeyMeaning, Method};
use wd_conventions::{Fidelity, Setting, convert};
use wd_decay::{Application, DecayRule, OptimizerKind};

/// Norm of a difference, relative to the norm of the library's numbers.
const TOLERANCE: f64 = 1e-6;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/golden.json")).expect("golden.json")
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(|number| number.as_f64().expect("a number"))
        .collect()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().expect("a list").iter().map(numbers).collect()
}

fn list<'a>(golden: &'a Value, key: &str) -> &'a [Value] {
    golden[key].as_array().expect(key)
}

fn setting(case: &Value) -> (Setting, &str) {
    let words = case["setting"].as_str().expect("words");
    let setting = Setting::read(&words.split_whitespace().collect::<Vec<_>>());
    (setting.unwrap_or_else(|error| panic!("{words}: {error}")), words)
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
}

fn distance(left: &[f64], right: &[f64]) -> f64 {
    assert_eq!(left.len(), right.len());
    let difference: Vec<f64> = left.iter().zip(right).map(|(left, right)| left - right).collect();
    norm(&difference) / norm(right)
}

/// The update u_t of the optimizers that are rewritten here.
struct Direction {
    optimizer: Option<OptimizerKind>,
    momentum: f64,
    dampening: f64,
    nesterov: bool,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    epsilon_before_correction: bool,
    first: Vec<f64>,
    second: Vec<f64>,
    step: i32,
}

impl Direction {
    fn new(setting: &Setting, length: usize) -> Self {
        let value = |meaning| setting.value(meaning).map_or(0.0, |given| given.value);
        Direction {
            optimizer: setting.entry.optimizer,
            momentum: value(KeyMeaning::Momentum),
            dampening: value(KeyMeaning::Dampening),
            nesterov: value(KeyMeaning::Nesterov) != 0.0,
            beta1: value(KeyMeaning::Beta1),
            beta2: value(KeyMeaning::Beta2),
            epsilon: value(KeyMeaning::Epsilon),
            epsilon_before_correction: setting.entry.epsilon_before_correction,
            first: vec![0.0; length],
            second: vec![0.0; length],
            step: 0,
        }
    }

    fn update(&mut self, gradient: &[f64]) -> Vec<f64> {
        self.step += 1;
        let coordinates = gradient.iter().enumerate();
        match self.optimizer {
            Some(OptimizerKind::Sgd) | None => coordinates
                .map(|(index, &g)| {
                    let dampening = if self.step == 1 { 0.0 } else { self.dampening };
                    let buffer = self.momentum * self.first[index] + (1.0 - dampening) * g;
                    self.first[index] = buffer;
                    match (self.momentum, self.nesterov) {
                        (0.0, _) => g,
                        (momentum, true) => g + momentum * buffer,
                        (_, false) => buffer,
                    }
                })
                .collect(),
            Some(OptimizerKind::Adam) => coordinates
                .map(|(index, &g)| {
                    self.first[index] = self.beta1 * self.first[index] + (1.0 - self.beta1) * g;
                    self.second[index] =
                        self.beta2 * self.second[index] + (1.0 - self.beta2) * g * g;
                    let first = self.first[index] / (1.0 - self.beta1.powi(self.step));
                    let correction = (1.0 - self.beta2.powi(self.step)).sqrt();
                    let root = self.second[index].sqrt();
                    if self.epsilon_before_correction {
                        first * correction / (root + self.epsilon)
                    } else {
                        first / (root / correction + self.epsilon)
                    }
                })
                .collect(),
            Some(OptimizerKind::Lion) => coordinates
                .map(|(index, &g)| {
                    let sign = (self.beta1 * self.first[index] + (1.0 - self.beta1) * g).signum();
                    self.first[index] = self.beta2 * self.first[index] + (1.0 - self.beta2) * g;
                    sign
                })
                .collect(),
            other => panic!("the update of {other:?} must be recorded"),
        }
    }
}

#[test]
fn every_trajectory_is_followed() {
    let golden = golden();
    let gradients = rows(&golden["gradients"]);
    let mut worst: f64 = 0.0;
    for case in list(&golden, "trajectories") {
        let (setting, words) = setting(case);
        let weights = rows(&case["weights"]);
        let recorded = case.get("updates").map(rows);
        let fed = case.get("fed").map(rows);
        let mut direction = Direction::new(&setting, weights[0].len());
        // The penalty keras.L2 has no learning rate of its own; it was run under SGD at 0.05.
        let rate = |step: usize| {
            setting
                .learning_rate(step as u64)
                .unwrap_or_else(|| 0.05 * setting.run.schedule.unwrap().factor(step as u64))
        };
        let mut w = weights[0].clone();
        for (step, gradient) in gradients.iter().enumerate() {
            let (mut gradient, mut shrink) = (gradient.clone(), 0.0);
            let decay = match setting.application(step as u64) {
                Some(decay) => decay,
                None => Application::Gradient(setting.coefficient()),
            };
            match decay {
                Application::Gradient(lambda) => {
                    gradient.iter_mut().zip(&w).for_each(|(g, w)| *g += lambda * w);
                }
                Application::Shrink(_) if skips_decay(&setting, step) => {}
                Application::Shrink(of_step) => shrink = of_step.0,
                Application::Sphere => panic!("{words}: no library of the table holds norms"),
            }
            let update = match (&recorded, &fed) {
                (Some(updates), Some(fed)) => {
                    let off = distance(&gradient, &fed[step]);
                    assert!(
                        off <= TOLERANCE,
                        "{words}, step {step}: the gradient is off by {off:e}"
                    );
                    updates[step].clone()
                }
                _ => direction.update(&gradient),
            };
            for (w, u) in w.iter_mut().zip(&update) {
                *w = (1.0 - shrink) * *w - rate(step) * u;
            }
            let off = distance(&w, &weights[step + 1]);
            assert!(off <= TOLERANCE, "{words}, step {}: off by {off:e}", step + 1);
            worst = worst.max(off);
        }
        // Without the decay the same steps end elsewhere: the test sees it.
        assert!(distance(&weights[0], &w) > 1e-2, "{words} did not move");
        // A coupled decay is in the recorded update, and was seen in the gradient it was made of.
        let coupled = setting.rule() == Some(DecayRule::CoupledL2);
        if setting.coefficient() == 0.0 || (coupled && recorded.is_some()) {
            continue;
        }
        let mut undecayed = weights[0].clone();
        let mut direction = Direction::new(&setting, undecayed.len());
        for (step, gradient) in gradients.iter().enumerate() {
            let update = match &recorded {
                Some(updates) => updates[step].clone(),
                None => direction.update(gradient),
            };
            undecayed.iter_mut().zip(&update).for_each(|(w, u)| *w -= rate(step) * u);
        }
        assert!(distance(&undecayed, &w) > 1e-3, "{words}: the decay is too small to be seen");
    }
    println!("farthest from any library: {worst:e}");
    assert!(worst > 0.0, "nothing was compared");
}

/// pytorch_optimizer's RAdam leaves the decay out until its variance can be rectified, as the table
/// says: while ρ_t = ρ_∞ − 2tβ₂ᵗ/(1 − β₂ᵗ) < 5 (Liu et al. 2020, algorithm 2).
fn skips_decay(setting: &Setting, step: usize) -> bool {
    let beta2 = setting.value(KeyMeaning::Beta2).map_or(0.0, |beta| beta.value);
    let (t, power) = (step as f64 + 1.0, beta2.powi(step as i32 + 1));
    let length = 2.0 / (1.0 - beta2) - 1.0 - 2.0 * t * power / (1.0 - power);
    setting.entry.name == "pytorch_optimizer.RAdam" && length < 5.0
}

#[test]
fn every_golden_entry_has_its_trajectory_and_version() {
    let golden = golden();
    let mut seen = BTreeSet::new();
    for key in ["trajectories", "fits", "laplace"] {
        for case in list(&golden, key) {
            let (setting, _) = setting(case);
            seen.insert((&setting.entry.name, &setting.variant.equation, &setting.variant.call));
        }
    }
    for entry in library::entries().filter(|entry| entry.checked.method == Method::Golden) {
        for variant in &entry.variants {
            assert!(
                seen.contains(&(&entry.name, &variant.equation, &variant.call)),
                "{}: {:?} has no golden values",
                entry.name,
                variant.switches
            );
        }
        // `torch 2.15.0` is what golden.py found installed.
        let (name, version) = entry.checked.version.split_once(' ').expect("name and version");
        assert_eq!(golden["versions"][name].as_str(), Some(version), "{}", entry.name);
    }
}

// ---- Estimators ----

/// Solves the symmetric system `matrix` · x = `right` by Gaussian elimination.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let n = right.len();
    for pivot in 0..n {
        for row in pivot + 1..n {
            let factor = matrix[row][pivot] / matrix[pivot][pivot];
            let above = matrix[pivot].clone();
            matrix[row].iter_mut().zip(&above).for_each(|(value, above)| *value -= factor * above);
            right[row] -= factor * right[pivot];
        }
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|column| matrix[row][column] * right[column]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    right
}

/// How far coefficients are from the minimum of Σ_i ℓ_i + (P/2)‖w‖² + L‖w‖₁: Newton's step on those
/// that are not zero, relative to their norm. Those that are zero must have a gradient within L.
fn off_the_minimum(
    x: &[Vec<f64>],
    y: &[f64],
    w: &[f64],
    (quadratic, absolute): (f64, f64),
    logistic: bool,
) -> f64 {
    let active: Vec<usize> = (0..w.len()).filter(|&index| w[index].abs() > 1e-9).collect();
    let mut gradient = vec![0.0; w.len()];
    let mut hessian = vec![vec![0.0; w.len()]; w.len()];
    for (row, y) in x.iter().zip(y) {
        let score: f64 = row.iter().zip(w).map(|(x, w)| x * w).sum();
        let (residual, curvature) = if logistic {
            let p = 1.0 / (1.0 + (-score).exp());
            (p - y, p * (1.0 - p))
        } else {
            (score - y, 1.0)
        };
        for i in 0..w.len() {
            gradient[i] += residual * row[i];
            for j in 0..w.len() {
                hessian[i][j] += curvature * row[i] * row[j];
            }
        }
    }
    for index in 0..w.len() {
        if active.contains(&index) {
            gradient[index] += quadratic * w[index] + absolute * w[index].signum();
            hessian[index][index] += quadratic;
        } else {
            assert!(
                gradient[index].abs() <= absolute * (1.0 + 1e-6),
                "a coefficient is zero that should not be"
            );
        }
    }
    let matrix = active.iter().map(|&i| active.iter().map(|&j| hessian[i][j]).collect()).collect();
    norm(&solve(matrix, active.iter().map(|&i| gradient[i]).collect())) / norm(w)
}

/// (P, L) of a setting, by way of scikit-learn's own numbers: λ(1 − r) and λr for the elastic net,
/// (1 − r)/C and r/C for the logistic regression.
fn strengths(setting: &Setting, logistic: bool, data: f64) -> (f64, f64) {
    let target = if logistic { "sklearn.LogisticRegression" } else { "sklearn.ElasticNet" };
    let conversion = convert(setting, &target.parse().unwrap()).unwrap();
    assert_eq!(conversion.fidelity, Fidelity::Exact, "{:?}", conversion.reasons);
    let ratio = match conversion.keys.iter().find(|(name, _)| *name == "l1_ratio") {
        Some((_, wd_conventions::conversion::Value::Number(ratio))) => *ratio,
        _ => panic!("no l1_ratio"),
    };
    let value = conversion.lambda().unwrap();
    let strength = if logistic { 1.0 / value } else { value * data };
    (strength * (1.0 - ratio), strength * ratio)
}

#[test]
fn every_estimator_rests_at_the_minimum_of_its_objective() {
    let golden = golden();
    let x = rows(&golden["data"]["x"]);
    for case in list(&golden, "fits") {
        let (setting, words) = setting(case);
        let target = case["target"].as_str().unwrap();
        let logistic = target == "labels";
        let (quadratic, absolute) = strengths(&setting, logistic, x.len() as f64);
        for (y, w) in rows(&golden["data"][target]).iter().zip(rows(&case["coefficients"])) {
            let off = off_the_minimum(&x, y, &w, (quadratic, absolute), logistic);
            assert!(off <= TOLERANCE, "{words}: off by {off:e}");
            // A penalty a thousandth larger has another minimum: the test sees it.
            let other = (1.001 * quadratic, 1.001 * absolute);
            let off = off_the_minimum(&x, y, &w, other, logistic);
            assert!(off > 10.0 * TOLERANCE, "{words}: {off:e} does not tell a wrong penalty");
        }
    }
}

#[test]
fn the_laplace_posterior_has_the_converted_prior() {
    // Posterior precision = (XᵀX + P·I)/σ², with P the number of sklearn.Ridge.
    let golden = golden();
    let x = rows(&golden["data"]["x"]);
    for case in list(&golden, "laplace") {
        let (setting, words) = setting(case);
        let ridge = convert(&setting, &"sklearn.Ridge".parse().unwrap()).unwrap();
        let noise = setting.run.noise_std.unwrap();
        let precision = rows(&case["precision"]);
        for i in 0..3 {
            for j in 0..3 {
                let gram: f64 = x.iter().map(|row| row[i] * row[j]).sum();
                let prior = if i == j { ridge.lambda().unwrap() } else { 0.0 };
                let expected = (gram + prior) / (noise * noise);
                assert!(
                    (precision[i][j] - expected).abs() <= TOLERANCE * precision[i][i],
                    "{words} {i} {j}"
                );
            }
        }
    }
}
