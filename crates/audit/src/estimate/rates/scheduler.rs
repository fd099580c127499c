//! Learning rates from the saved state of a scheduler of PyTorch whose closed form is known.

use std::f64::consts::PI;

use crate::checkpoint::{SchedulerState, Value};

/// The rate of a scheduler as a function of its own count of steps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClosedForm {
    base: f64,
    shape: Shape,
}

#[derive(Debug, Clone, PartialEq)]
enum Shape {
    /// `CosineAnnealingLR`.
    Cosine { period: f64, floor: f64 },
    /// `StepLR`.
    Steps { size: f64, factor: f64 },
    /// `MultiStepLR`; a milestone may count several times.
    Milestones { at: Vec<(f64, f64)>, factor: f64 },
    /// `ExponentialLR`.
    Exponential { factor: f64 },
    /// `LinearLR`; `ConstantLR` is the one whose factor jumps at the end.
    Linear { start: f64, end: f64, steps: f64, is_jump: bool },
    /// `PolynomialLR`.
    Polynomial { power: f64, steps: f64 },
}

impl ClosedForm {
    /// The form for one group; nothing if the scheduler is of another kind, or the rate that it
    /// saved is not the one that the form gives.
    pub(crate) fn of(scheduler: &SchedulerState, group: usize) -> Option<Self> {
        let base = item(scheduler, "base_lrs", group)?;
        let shape = Shape::of(scheduler)?;
        let form = ClosedForm { base, shape };
        let now = form.at(number(scheduler, "last_epoch")?);
        let saved = item(scheduler, "_last_lr", group)?;
        // PyTorch multiplies step by step, which rounds a little at each.
        ((now - saved).abs() <= 1e-6 * saved.abs().max(1e-12)).then_some(form)
    }

    /// The rate after `count` steps of the scheduler.
    pub(crate) fn at(&self, count: f64) -> f64 {
        let factor = match &self.shape {
            Shape::Cosine { period, floor } => {
                return floor + (self.base - floor) * 0.5 * (1.0 + (PI * count / period).cos());
            }
            Shape::Steps { size, factor } => factor.powf((count / size).floor()),
            Shape::Milestones { at, factor } => {
                let passed: f64 =
                    at.iter().filter(|(step, _)| *step <= count).map(|(_, times)| times).sum();
                factor.powf(passed)
            }
            Shape::Exponential { factor } => factor.powf(count),
            Shape::Linear { start, steps, is_jump: true, .. } => {
                if count < *steps {
                    *start
                } else {
                    1.0
                }
            }
            Shape::Linear { start, end, steps, .. } => {
                start + (end - start) * (count / steps).min(1.0)
            }
            Shape::Polynomial { power, steps } => (1.0 - (count / steps).min(1.0)).powf(*power),
        };
        self.base * factor
    }
}

impl Shape {
    /// Schedulers save no name: their settings tell which they are.
    fn of(scheduler: &SchedulerState) -> Option<Self> {
        let get = |key: &str| number(scheduler, key);
        let positive = |key: &str| get(key).filter(|&x| x > 0.0);
        let has = |key: &str| scheduler.settings.iter().any(|(name, _)| name == key);
        if has("T_max") && has("eta_min") {
            return Some(Shape::Cosine { period: positive("T_max")?, floor: get("eta_min")? });
        }
        if has("step_size") && has("gamma") {
            return Some(Shape::Steps { size: positive("step_size")?, factor: get("gamma")? });
        }
        if has("milestones") && has("gamma") {
            return Some(Shape::Milestones { at: milestones(scheduler)?, factor: get("gamma")? });
        }
        if has("power") && has("total_iters") {
            return Some(Shape::Polynomial {
                power: get("power")?,
                steps: positive("total_iters")?,
            });
        }
        if has("start_factor") && has("end_factor") {
            let (start, end) = (get("start_factor")?, get("end_factor")?);
            return Some(Shape::Linear {
                start,
                end,
                steps: positive("total_iters")?,
                is_jump: false,
            });
        }
        if has("factor") && has("total_iters") {
            let (start, steps) = (get("factor")?, positive("total_iters")?);
            return Some(Shape::Linear { start, end: 1.0, steps, is_jump: true });
        }
        // `gamma` belongs to CyclicLR too, which has a mode.
        if has("gamma") && !has("mode") && !has("step_size_up") && !has("base_momentums") {
            return Some(Shape::Exponential { factor: get("gamma")? });
        }
        None
    }
}

fn setting<'a>(scheduler: &'a SchedulerState, key: &str) -> Option<&'a Value> {
    scheduler.settings.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

/// A number among the settings.
pub(super) fn number(scheduler: &SchedulerState, key: &str) -> Option<f64> {
    setting(scheduler, key)?.number().filter(|number| number.is_finite())
}

/// The number of one group in a list among the settings.
pub(super) fn item(scheduler: &SchedulerState, key: &str, group: usize) -> Option<f64> {
    match setting(scheduler, key)? {
        Value::List(items) => items.get(group)?.number().filter(|number| number.is_finite()),
        _ => None,
    }
}

/// Steps and how often each counts: PyTorch keeps them as a `Counter`.
fn milestones(scheduler: &SchedulerState) -> Option<Vec<(f64, f64)>> {
    match setting(scheduler, "milestones")? {
        Value::Table(pairs) => {
            pairs.iter().map(|(step, times)| Some((step.parse().ok()?, times.number()?))).collect()
        }
        Value::List(steps) => steps.iter().map(|step| Some((step.number()?, 1.0))).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(settings: &[(&str, Value)]) -> SchedulerState {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        SchedulerState { settings: settings.collect() }
    }

    fn rates(rate: f64) -> Value {
        Value::List(vec![Value::Number(rate)])
    }

    /// `last_epoch` 280 of `T_max` 300, from 5e-3 to 2.5e-5: a public checkpoint's own numbers.
    #[test]
    fn a_saved_cosine_gives_the_rate_that_it_saved() {
        let cosine = |last: f64| {
            state(&[
                ("T_max", Value::Integer(300)),
                ("eta_min", Value::Number(2.5e-5)),
                ("base_lrs", rates(5e-3)),
                ("last_epoch", Value::Integer(280)),
                ("_last_lr", rates(last)),
            ])
        };
        let form = ClosedForm::of(&cosine(7.935_784_317_465_87e-5), 0).unwrap();
        assert!((form.at(0.0) - 5e-3).abs() < 1e-18 && (form.at(300.0) - 2.5e-5).abs() < 1e-12);
        assert_eq!(ClosedForm::of(&cosine(8e-5), 0), None);
        assert_eq!(ClosedForm::of(&cosine(7.935_784_317_465_87e-5), 1), None);
    }

    #[test]
    fn other_forms_are_recognised_by_their_settings() {
        let common = |last: i64, rate: f64| {
            vec![
                ("base_lrs", rates(0.1)),
                ("last_epoch", Value::Integer(last)),
                ("_last_lr", rates(rate)),
            ]
        };
        let of = |more: &[(&'static str, Value)], last, rate| {
            let mut settings = common(last, rate);
            settings.extend_from_slice(more);
            ClosedForm::of(&state(&settings), 0)
        };
        let (gamma, tenth) = (("gamma", Value::Number(0.1)), Value::Number(0.1));
        let steps = of(&[("step_size", Value::Integer(30)), gamma.clone()], 65, 1e-3).unwrap();
        assert!((steps.at(29.0) - 0.1).abs() < 1e-12 && (steps.at(30.0) - 0.01).abs() < 1e-12);
        let counter = Value::Table(vec![
            ("10".to_owned(), Value::Integer(1)),
            ("20".to_owned(), Value::Integer(2)),
        ]);
        let jumps = of(&[("milestones", counter), gamma.clone()], 25, 1e-4).unwrap();
        assert!((jumps.at(15.0) - 1e-2).abs() < 1e-12);
        let linear = [
            ("start_factor", tenth.clone()),
            ("end_factor", Value::Number(1.0)),
            ("total_iters", Value::Integer(10)),
        ];
        assert!((of(&linear, 5, 0.055).unwrap().at(10.0) - 0.1).abs() < 1e-12);
        let held = [("factor", tenth), ("total_iters", Value::Integer(4))];
        assert!((of(&held, 5, 0.1).unwrap().at(3.0) - 0.01).abs() < 1e-12);
        let power = [("power", Value::Number(2.0)), ("total_iters", Value::Integer(10))];
        assert!((of(&power, 5, 0.025).unwrap().at(0.0) - 0.1).abs() < 1e-12);
        assert!((of(&[gamma], 2, 1e-3).unwrap().at(1.0) - 0.01).abs() < 1e-12);
        // A function is not saved.
        assert_eq!(of(&[("lr_lambdas", Value::List(vec![Value::None]))], 5, 0.1), None);
    }
}
