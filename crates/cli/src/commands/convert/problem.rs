//! The small problems that both sides of a conversion are run on.

use serde_json::{Value as Json, json};
use wd_conventions::Setting;

/// Steps of both trajectories.
const STEPS: u64 = 50;
/// Weights, a 3 × 2 matrix.
const WEIGHTS: usize = 6;
/// Data points of a fit when the setting names none.
pub(super) const DATA_POINTS: f64 = 40.0;
/// Rate of the steps where no side has one: a penalty under plain SGD.
const RATE_OF_A_PENALTY: f64 = 0.05;

/// Rates, start and gradients of 50 steps: the setting's schedule drawn together to them, or a
/// cosine to a tenth when it has none, since a constant rate would hide how a decay follows the
/// rate.
pub(super) fn steps(setting: &Setting) -> Json {
    let peak = setting.run.peak_learning_rate.map_or(RATE_OF_A_PENALTY, |rate| rate.value);
    let rates: Vec<f64> = (0..STEPS)
        .map(|step| match setting.run.schedule {
            Some(schedule) => peak * schedule.factor(step * schedule.steps / STEPS),
            None => {
                peak * (0.55 + 0.45 * (std::f64::consts::PI * step as f64 / STEPS as f64).cos())
            }
        })
        .collect();
    let wave = |a: f64, b: f64| (a * 1.3 + b * 2.1).sin() + 0.5 * (a * b * 0.7 + b).cos();
    let weights: Vec<f64> = (0..WEIGHTS).map(|index| wave(index as f64, 7.0)).collect();
    let gradients: Vec<Vec<f64>> = (0..STEPS)
        .map(|step| (0..WEIGHTS).map(|index| wave(step as f64, index as f64 + 1.0)).collect())
        .collect();
    json!({ "rates": rates, "weights": weights, "gradients": gradients })
}

/// A regression and a classification on three columns.
pub(super) fn data(setting: &Setting) -> Json {
    let points = setting.run.data_points.unwrap_or(DATA_POINTS) as usize;
    let x: Vec<[f64; 3]> = (0..points)
        .map(|row| {
            let row = row as f64;
            [(1.3 * row).sin(), 0.5 * (2.1 * row + 1.0).cos(), 2.0 * (0.7 * row + 2.0).sin()]
        })
        .collect();
    let score = |row: &[f64; 3]| row[0] - 2.0 * row[1] + 0.3 * row[2];
    let noise = |row: usize, size: f64| size * (5.1 * row as f64 + 0.4).sin();
    let y: Vec<f64> =
        x.iter().enumerate().map(|(row, values)| score(values) + noise(row, 0.5)).collect();
    let labels: Vec<f64> = x
        .iter()
        .enumerate()
        .map(|(row, values)| f64::from(u8::from(score(values) + noise(row, 1.5) > 0.0)))
        .collect();
    json!({ "x": x, "y": y, "labels": labels })
}
