//! What is read from one trial's run directory.

use std::path::Path;

use wd_decay::Role;
use wd_store::{MetricsReader, Plan, RunDirectory, Status, StoreError};

use super::group::{Group, groups};
use crate::LabError;
use crate::analysis::window::{part, window_mean, windows};
use crate::configuration::Flat;
use crate::grid::SEED_KEY;

/// A trial as far as it got.
#[derive(Debug)]
pub(crate) struct TrialRecord {
    /// Its configuration.
    pub(crate) configuration: Flat,
    /// Its seed.
    pub(crate) seed: u64,
    /// Absent when it was never planned.
    pub(crate) plan: Option<Plan>,
    /// How it stands.
    pub(crate) end: End,
}

/// How a trial stands.
#[derive(Debug)]
pub(crate) enum End {
    /// Every step was done and recorded.
    Finished(Box<Measured>),
    /// A number became non-finite at this step.
    Diverged(u64),
    /// New, running, interrupted or failed; or its metrics are incomplete.
    Unfinished,
}

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

impl TrialRecord {
    /// Reads what `directory` holds of the trial with this configuration.
    ///
    /// # Errors
    /// [`LabError::Store`] when a file of a run that has begun is damaged.
    pub(crate) fn read(directory: &Path, configuration: Flat) -> Result<Self, LabError> {
        let seed = configuration.get(SEED_KEY).and_then(|seed| seed.parse().ok()).unwrap_or(0);
        let unplanned =
            |configuration| TrialRecord { configuration, seed, plan: None, end: End::Unfinished };
        let run = match RunDirectory::open(directory) {
            Ok(run) => run,
            Err(StoreError::Missing { .. }) => return Ok(unplanned(configuration)),
            Err(error) => return Err(error.into()),
        };
        let status = run.status()?;
        let plan = match run.read_plan() {
            Ok(plan) => plan,
            Err(StoreError::Missing { .. }) => return Ok(unplanned(configuration)),
            Err(error) => return Err(error.into()),
        };
        let end = match status {
            Status::Diverged { step, .. } => End::Diverged(step),
            Status::Finished { .. } => {
                let reader = run.metrics()?;
                match reader.rows() as u64 == plan.steps && plan.steps > 0 {
                    true => End::Finished(Box::new(Measured::read(&reader, &plan)?)),
                    false => End::Unfinished,
                }
            }
            Status::New | Status::Running { .. } | Status::Interrupted { .. } => End::Unfinished,
        };
        Ok(TrialRecord { configuration, seed: plan.seed, plan: Some(plan), end })
    }

    /// The numbers, when the trial finished.
    pub(crate) fn measured(&self) -> Option<&Measured> {
        match &self.end {
            End::Finished(measured) => Some(measured),
            _ => None,
        }
    }
}

impl Measured {
    fn read(reader: &MetricsReader, plan: &Plan) -> Result<Self, LabError> {
        let rows = reader.rows();
        let optional = |name: &str| match reader.has_column(name) {
            true => reader.column(name),
            false => Ok(vec![f64::NAN; rows]),
        };
        let train_loss = reader.column("train_loss")?;
        let gradient_norm = optional("gradient_norm")?;
        let weights: Vec<usize> = (0..plan.tensors.len())
            .filter(|&tensor| Role::WEIGHTS.contains(&plan.tensors[tensor].role))
            .collect();
        let weight_squares = sum_of_squares(reader, plan, "weight_norm", &weights)?;
        let update_squares = sum_of_squares(reader, plan, "update_norm", &weights)?;
        let elements: u64 = weights.iter().map(|&tensor| plan.tensors[tensor].parameters).sum();
        let relative_update: Vec<f64> = update_squares
            .iter()
            .zip(&weight_squares)
            .map(|(update, weight)| (update / weight).sqrt())
            .collect();
        let weight_rms: Vec<f64> =
            weight_squares.iter().map(|square| (square / elements as f64).sqrt()).collect();
        let group_rms = groups(plan)
            .iter()
            .map(|group| GroupRms::read(reader, plan, group))
            .collect::<Result<_, _>>()?;
        let last = |values: Vec<f64>| values.last().copied().unwrap_or(f64::NAN);
        let late = part(rows, 0.88, 0.98);
        Ok(Measured {
            early_train: window_mean(&train_loss, part(rows, 0.1, 0.5)),
            final_train: window_mean(&train_loss, part(rows, 0.95, 1.0)),
            final_validation: last(optional("validation_loss")?),
            final_train_evaluation: last(optional("train_eval_loss")?),
            late_gradient_norm: window_mean(&gradient_norm, late.clone()),
            late_relative_update: window_mean(&relative_update, late.clone()),
            late_weight_rms: window_mean(&weight_rms, late),
            train_loss: curve(&train_loss),
            gradient_norm: curve(&gradient_norm),
            relative_update: curve(&relative_update),
            weight_rms: curve(&weight_rms),
            group_rms,
        })
    }

    /// Validation − training loss of the final weights.
    pub(crate) fn gap(&self) -> f64 {
        self.final_validation - self.final_train_evaluation
    }
}

impl GroupRms {
    fn read(reader: &MetricsReader, plan: &Plan, group: &Group) -> Result<Self, LabError> {
        let elements: u64 =
            group.tensors.iter().map(|&tensor| plan.tensors[tensor].parameters).sum();
        let rms: Vec<f64> = sum_of_squares(reader, plan, "weight_norm", &group.tensors)?
            .iter()
            .map(|square| (square / elements as f64).sqrt())
            .collect();
        let last = rms.iter().rposition(|value| value.is_finite()).map(|row| (row, rms[row]));
        Ok(GroupRms { windows: curve(&rms), last })
    }
}

/// Σ over tensors of a norm's square, row by row; NaN where one was not measured.
fn sum_of_squares(
    reader: &MetricsReader,
    plan: &Plan,
    measure: &str,
    tensors: &[usize],
) -> Result<Vec<f64>, LabError> {
    let mut sums = vec![0.0; reader.rows()];
    for &tensor in tensors {
        let name = format!("{measure}/{}", plan.tensors[tensor].path);
        if !reader.has_column(&name) {
            return Ok(vec![f64::NAN; reader.rows()]);
        }
        for (sum, norm) in sums.iter_mut().zip(reader.column(&name)?) {
            *sum += norm * norm;
        }
    }
    Ok(sums)
}

fn curve(values: &[f64]) -> Vec<f64> {
    windows(values.len()).into_iter().map(|window| window_mean(values, window)).collect()
}
