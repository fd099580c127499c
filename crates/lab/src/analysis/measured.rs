//! The numbers of a finished trial that are compared.

use wd_decay::Role;
use wd_store::{Plan, PlannedTensor, Status};

use super::group::{Group, groups};
use crate::LabError;
use crate::analysis::window::{part, window_mean, window_means, windows};
use crate::record::{Curve, Record, Series, TrainingLoss};

/// The numbers of a finished trial; NaN where nothing was recorded. Curves have one number a
/// window.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) train_loss: Vec<f64>,
    pub(crate) gradient_norm: Vec<f64>,
    pub(crate) relative_update: Vec<f64>,
    pub(crate) weight_rms: Vec<f64>,
    pub(crate) early_train: f64,
    pub(crate) final_train: f64,
    pub(crate) final_validation: f64,
    pub(crate) final_train_evaluation: f64,
    pub(crate) late_gradient_norm: f64,
    pub(crate) late_relative_update: f64,
    pub(crate) late_weight_rms: f64,
    /// In the order of [`groups`] of the plan.
    pub(crate) group_rms: Vec<GroupRms>,
    /// Of another program's run the first point of each loss: tag, step, value.
    pub(crate) first_losses: Vec<(String, u64, f64)>,
}

/// Measured weight RMS of a group of tensors.
#[derive(Debug, Clone)]
pub(crate) struct GroupRms {
    pub(crate) windows: Vec<f64>,
    /// Row and value of the last measurement.
    pub(crate) last: Option<(usize, f64)>,
}

impl Measured {
    /// The numbers of a run; absent unless every step that was planned was done and recorded.
    ///
    /// # Errors
    /// [`LabError::Store`] when the metrics of a finished run are damaged or missing.
    pub(crate) fn of(record: &Record) -> Result<Option<Self>, LabError> {
        let Status::Finished { step } = record.status else {
            return Ok(None);
        };
        let series = record.whole_series()?;
        if let Some(recording) = &record.recording {
            return Ok(Some(Self::recorded(&series, step as usize, recording.training_is)));
        }
        let Some(plan) = &record.plan else { return Ok(None) };
        let is_whole = series.rows() as u64 == plan.steps && plan.steps > 0;
        Ok(is_whole.then(|| Self::read(&series, plan)))
    }

    fn read(series: &Series, plan: &Plan) -> Self {
        let is_weight = |tensor: &&PlannedTensor| Role::WEIGHTS.contains(&tensor.role);
        let weights: Vec<&PlannedTensor> = plan.tensors.iter().filter(is_weight).collect();
        let relative_update = every_step(series.combined("relative_update", &weights));
        let weight_rms = every_step(series.combined("weight_rms", &weights));
        let rows = series.rows();
        let late = part(rows, 0.88, 0.98);
        let train_loss = series.curve("train_loss");
        Measured {
            final_train: window_mean(&train_loss, part(rows, 0.95, 1.0)),
            late_relative_update: window_mean(&relative_update, late.clone()),
            late_weight_rms: window_mean(&weight_rms, late),
            relative_update: window_means(&relative_update, rows),
            weight_rms: window_means(&weight_rms, rows),
            group_rms: groups(plan)
                .iter()
                .map(|group| GroupRms::read(series, plan, group))
                .collect(),
            ..Self::losses(series, rows, &train_loss)
        }
    }

    /// What runs of any program have; the rest is NaN.
    fn losses(series: &Series, steps: usize, train_loss: &Curve) -> Self {
        let gradient_norm = series.curve("gradient_norm");
        let nothing = vec![f64::NAN; windows(steps).len()];
        Measured {
            early_train: window_mean(train_loss, part(steps, 0.1, 0.5)),
            final_train: f64::NAN,
            final_validation: series.at_end("validation_loss"),
            final_train_evaluation: series.at_end("train_eval_loss"),
            late_gradient_norm: window_mean(&gradient_norm, part(steps, 0.88, 0.98)),
            late_relative_update: f64::NAN,
            late_weight_rms: f64::NAN,
            train_loss: window_means(train_loss, steps),
            gradient_norm: window_means(&gradient_norm, steps),
            relative_update: nothing.clone(),
            weight_rms: nothing,
            group_rms: Vec::new(),
            first_losses: Vec::new(),
        }
    }

    /// The numbers of another program's run of `steps` steps.
    fn recorded(series: &Series, steps: usize, training_is: TrainingLoss) -> Self {
        let train_loss = series.curve("train_loss");
        let last = train_loss.values.last().copied().unwrap_or(f64::NAN);
        // A loss of the weights at one step needs no mean; where nothing was written in the last
        // part of the run, the last number stands for it.
        let mean = window_mean(&train_loss, part(steps, 0.95, 1.0));
        let is_of_weights = training_is == TrainingLoss::FixedSet;
        let final_train = if is_of_weights || mean.is_nan() { last } else { mean };
        let losses = series.names().into_iter().filter(|name| {
            name.to_ascii_lowercase().contains("loss") || Some(name) == series.recorded_validation()
        });
        // A loss that was logged once is the final one: it says nothing of how runs began.
        let first_losses = losses
            .filter_map(|name| {
                let curve = series.curve(&name);
                curve.steps.get(1)?;
                Some((name, *curve.steps.first()?, *curve.values.first()?))
            })
            .collect();
        Measured { final_train, first_losses, ..Self::losses(series, steps, &train_loss) }
    }

    /// The final loss that decides: validation, or training where nothing was held out.
    pub(crate) fn final_loss(&self) -> f64 {
        match self.final_validation.is_nan() {
            true => self.final_train,
            false => self.final_validation,
        }
    }

    /// Validation − training loss of the final weights.
    pub(crate) fn gap(&self) -> f64 {
        self.final_validation - self.final_train_evaluation
    }
}

impl GroupRms {
    fn read(series: &Series, plan: &Plan, group: &Group) -> Self {
        let tensors: Vec<&PlannedTensor> =
            group.tensors.iter().map(|&tensor| &plan.tensors[tensor]).collect();
        let rms = series.combined("weight_rms", &tensors);
        let last = rms.iter().rposition(|value| value.is_finite()).map(|row| (row, rms[row]));
        GroupRms { windows: window_means(&every_step(rms), series.rows()), last }
    }
}

/// A number for each step.
fn every_step(values: Vec<f64>) -> Curve {
    Curve { steps: (1..=values.len() as u64).collect(), values }
}
