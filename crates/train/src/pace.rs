//! The effective learning rate of another run, for this one.
//!
//! A step moves a tensor by about η‖u‖/‖w‖ of its norm. To see whether weight decay works through
//! that share alone, a run without decay takes it over from a run with: the learning rate of each
//! tensor is multiplied by ‖w‖ here over ‖w‖ there, step by step
//! ([`Optimizer::set_pace`](wd_optim::Optimizer::set_pace)).

use std::path::Path;

use wd_nn::ParameterLayout;
use wd_store::{Plan, RunDirectory, Status, StoreError};

/// The norms of the weights of a finished run, as it measured them.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    /// The steps (1, 2, …) before which norms were measured, ascending.
    steps: Vec<f64>,
    /// The norms of each tensor at those steps, in layout order; of a tensor that does not decay
    /// there, none.
    norms: Vec<Vec<f64>>,
    /// The norms of the step at hand.
    now: Vec<f64>,
}

impl Pace {
    /// Reads them from the directory of a run with the tensors of `layout` and at least `steps`
    /// steps.
    ///
    /// # Errors
    /// In words, why that run cannot be followed.
    pub(crate) fn read(
        directory: &Path,
        layout: &ParameterLayout,
        steps: u64,
    ) -> Result<Self, String> {
        let run = RunDirectory::open(directory).map_err(said)?;
        let plan = run.read_plan().map_err(said)?;
        let place = directory;
        if !matches!(run.status().map_err(said)?, Status::Finished { .. }) {
            return Err(format!("{} holds a run that has not finished", place.display()));
        }
        if plan.steps < steps {
            return Err(format!(
                "{} holds a run of {} steps, fewer than the {steps} of this one",
                place.display(),
                plan.steps
            ));
        }
        check_tensors(place, &plan, layout)?;
        if plan.decayed_parameters == 0 || plan.lambda == 0.0 {
            return Err(format!("{} holds a run in which nothing decays", place.display()));
        }
        let metrics = run.metrics().map_err(said)?;
        let all_steps = metrics.column("step").map_err(said)?;
        let mut norms = Vec::new();
        let mut measured: Vec<bool> = vec![true; all_steps.len()];
        for tensor in &plan.tensors {
            let column = match tensor.lambda > 0.0 {
                true => metrics.column(&format!("weight_norm/{}", tensor.path)).map_err(said)?,
                false => Vec::new(),
            };
            for (is_measured, norm) in measured.iter_mut().zip(&column) {
                *is_measured &= norm.is_finite();
            }
            norms.push(column);
        }
        let keep = |column: Vec<f64>| -> Vec<f64> {
            column.into_iter().zip(&measured).filter(|(_, keep)| **keep).map(|(x, _)| x).collect()
        };
        let steps = keep(all_steps);
        if steps.is_empty() {
            return Err(format!("{} holds a run that measured no norm", place.display()));
        }
        let norms: Vec<Vec<f64>> = norms.into_iter().map(keep).collect();
        Ok(Pace { now: vec![f64::NAN; norms.len()], steps, norms })
    }

    /// The norm of each tensor before this step (0, 1, …), between two measurements on the straight
    /// line between them; NaN where the tensor keeps its rate.
    pub(crate) fn at(&mut self, step: u64) -> &[f64] {
        let step = step as f64 + 1.0;
        let after = self.steps.partition_point(|measured| *measured < step);
        let before = after.saturating_sub(1);
        let after = after.min(self.steps.len() - 1);
        let length = self.steps[after] - self.steps[before];
        let share =
            if length > 0.0 { ((step - self.steps[before]) / length).clamp(0.0, 1.0) } else { 0.0 };
        for (now, norms) in self.now.iter_mut().zip(&self.norms) {
            *now = match norms.is_empty() {
                true => f64::NAN,
                false => norms[before] + share * (norms[after] - norms[before]),
            };
        }
        &self.now
    }
}

fn said(error: StoreError) -> String {
    error.to_string()
}

fn check_tensors(place: &Path, plan: &Plan, layout: &ParameterLayout) -> Result<(), String> {
    let theirs = plan.tensors.iter().map(|tensor| (&tensor.path, &tensor.shape));
    let ours = layout.segments.iter().map(|segment| (&segment.path, &segment.shape));
    if theirs.clone().eq(ours.clone()) {
        return Ok(());
    }
    let first = ours.zip(theirs).find(|(ours, theirs)| ours != theirs);
    let what = first.map_or_else(
        || format!("{} tensors, and this one {}", plan.tensors.len(), layout.segments.len()),
        |(ours, theirs)| {
            format!("{} {:?} where this one has {} {:?}", theirs.0, theirs.1, ours.0, ours.1)
        },
    );
    Err(format!("{} holds a run of another model: it has {what}", place.display()))
}

#[cfg(test)]
mod tests {
    use super::Pace;

    #[test]
    fn norms_lie_on_the_line_between_two_measurements() {
        let mut pace = Pace {
            steps: vec![1.0, 10.0, 20.0],
            norms: vec![vec![2.0, 2.9, 1.9], Vec::new()],
            now: vec![0.0; 2],
        };
        for (step, norm) in [(0, 2.0), (4, 2.4), (9, 2.9), (14, 2.4), (19, 1.9), (40, 1.9)] {
            let found = pace.at(step);
            assert!((found[0] - norm).abs() < 1e-12, "step {step}: {found:?}");
            assert!(found[1].is_nan());
        }
    }
}
