//! The numbers of a finished trial that are compared.

use wd_decay::Role;
use wd_store::{Plan, PlannedTensor, Status};

use super::group::{Group, groups};
use crate::LabError;
use crate::analysis::window::{part, window_mean, windows};
use crate::record::{Record, Series};

/// The numbers of a finished trial; NaN where nothing was recorded. Curves have one number a
/// window.
#[derive(Debug)]
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
}

/// Measured weight RMS of a group of tensors.
#[derive(Debug)]
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
        let (Some(plan), Status::Finished { .. }) = (&record.plan, &record.status) else {
            return Ok(None);
        };
        let series = record.whole_series()?;
        let is_whole = series.rows() as u64 == plan.steps && plan.steps > 0;
        Ok(is_whole.then(|| Self::read(&series, plan)))
    }

    fn read(series: &Series, plan: &Plan) -> Self {
        let train_loss = series.column("train_loss");
        let gradient_norm = series.column("gradient_norm");
        let is_weight = |tensor: &&PlannedTensor| Role::WEIGHTS.contains(&tensor.role);
        let weights: Vec<&PlannedTensor> = plan.tensors.iter().filter(is_weight).collect();
        let relative_update = series.combined("relative_update", &weights);
        let weight_rms = series.combined("weight_rms", &weights);
        let late = part(series.rows(), 0.88, 0.98);
        Measured {
            early_train: window_mean(&train_loss, part(series.rows(), 0.1, 0.5)),
            final_train: window_mean(&train_loss, part(series.rows(), 0.95, 1.0)),
            final_validation: series.at_end("validation_loss"),
            final_train_evaluation: series.at_end("train_eval_loss"),
            late_gradient_norm: window_mean(&gradient_norm, late.clone()),
            late_relative_update: window_mean(&relative_update, late.clone()),
            late_weight_rms: window_mean(&weight_rms, late),
            train_loss: curve(&train_loss),
            gradient_norm: curve(&gradient_norm),
            relative_update: curve(&relative_update),
            weight_rms: curve(&weight_rms),
            group_rms: groups(plan)
                .iter()
                .map(|group| GroupRms::read(series, plan, group))
                .collect(),
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
        GroupRms { windows: curve(&rms), last }
    }
}

fn curve(values: &[f64]) -> Vec<f64> {
    windows(values.len()).into_iter().map(|window| window_mean(values, window)).collect()
}
