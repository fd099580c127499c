//! The factors of a schedule.

use pyo3::prelude::*;
use wd_conventions::RunDeclaration;
use wd_decay::{Point, Points, Schedule};

use crate::failure::raised_of;

/// The factor of a schedule in words, such as `cosine,warmup=400,floor=0.1`, at each step.
#[pyfunction]
pub(crate) fn schedule_of_words(py: Python<'_>, words: &str, steps: u64) -> PyResult<Vec<f64>> {
    let read = || {
        let mut declaration = RunDeclaration::default();
        declaration.set("steps", &steps.to_string())?;
        declaration.set("schedule", words)?;
        declaration.resolve()
    };
    let run = read().map_err(|error| raised_of(py, &error))?;
    let schedule = run.schedule.unwrap_or(Schedule::constant(steps));
    Ok(factors(schedule, steps))
}

/// The factor of a schedule through points, each a share of the run, a factor of at most 1 and how
/// it is reached: `linear`, `cosine` or `step`.
#[pyfunction]
pub(crate) fn schedule_of_points(
    py: Python<'_>,
    points: Vec<(f64, f64, String)>,
    steps: u64,
) -> PyResult<Vec<f64>> {
    let read = || {
        let points = points.iter().map(|(share, factor, curve)| {
            let curve = wd_decay::names::find("way between points", curve)?;
            Ok(Point { share: *share, factor: *factor, curve })
        });
        Schedule::through(Points::new(&points.collect::<Result<Vec<_>, _>>()?)?, steps)
    };
    let schedule = read().map_err(|error: wd_decay::DecayError| raised_of(py, &error))?;
    Ok(factors(schedule, steps))
}

/// At each step, and at the end of the run.
fn factors(schedule: Schedule, steps: u64) -> Vec<f64> {
    (0..=steps).map(|step| schedule.factor(step)).collect()
}
