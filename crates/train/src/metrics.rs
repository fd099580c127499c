//! The columns of `metrics.bin`: one row a step, first the run's, then each tensor's.

use wd_decay::Unit;
use wd_nn::ParameterLayout;
use wd_optim::TensorMeasurement;
use wd_store::Column;

use crate::task::Scores;

/// Columns of the run, in order; `samples` is named by their unit. `train_loss` is the mean loss of
/// the step's batch before the update; `validation_loss` and `train_eval_loss` are losses of the
/// weights after it, on held-out windows and on windows already trained on, and absent (NaN)
/// between evaluations. `decay` is the norm of what decay alone moved.
pub const RUN_COLUMNS: [&str; 12] = [
    "step",
    "samples",
    "epoch",
    "train_loss",
    "validation_loss",
    "train_eval_loss",
    "learning_rate",
    "lambda",
    "shrink",
    "gradient_norm",
    "clip_factor",
    "decay",
];

/// Measures of each tensor, in order; column `measure/path`. Absent (NaN) between measurements.
pub const TENSOR_MEASURES: [&str; 6] =
    ["weight_norm", "gradient_norm", "update_norm", "relative_update", "cosine", "decay_norm"];

/// The columns of a run, and the row under way.
pub(crate) struct Row {
    /// Names of the columns that are no tensor's.
    run: Vec<&'static str>,
    columns: Vec<Column>,
    values: Vec<f64>,
}

/// What a step says about the run as a whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepRow {
    pub step: u64,
    pub samples: u64,
    pub epoch: f64,
    pub train_loss: f64,
    pub learning_rate: f64,
    pub lambda: f64,
    pub shrink: f64,
    pub gradient_norm: f64,
    pub clip_factor: f64,
}

impl Row {
    /// The columns of a run on this data, with those that its evaluations add.
    pub(crate) fn new(unit: Unit, evaluations: &[&'static str], layout: &ParameterLayout) -> Self {
        let run: Vec<&str> = RUN_COLUMNS
            .iter()
            .map(|name| match *name {
                "samples" => unit.words(),
                name => name,
            })
            .chain(evaluations.iter().copied())
            .collect();
        let tensors = layout.segments.iter().flat_map(|segment| {
            TENSOR_MEASURES.iter().map(|measure| Column::f32(format!("{measure}/{}", segment.path)))
        });
        let columns: Vec<Column> =
            run.iter().map(|name| Column::f64(*name)).chain(tensors).collect();
        Row { values: vec![f64::NAN; columns.len()], run, columns }
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    /// Begins the row of a step; `tensors` is empty on steps that are not measured.
    pub(crate) fn begin(&mut self, step: &StepRow, tensors: &[TensorMeasurement]) {
        self.values.fill(f64::NAN);
        let decay = if tensors.is_empty() {
            f64::NAN
        } else {
            let squares: f64 = tensors.iter().map(|t| t.decay_norm * t.decay_norm).sum();
            squares.sqrt()
        };
        self.values[..RUN_COLUMNS.len()].copy_from_slice(&[
            step.step as f64,
            step.samples as f64,
            step.epoch,
            step.train_loss,
            f64::NAN,
            f64::NAN,
            step.learning_rate,
            step.lambda,
            step.shrink,
            step.gradient_norm,
            step.clip_factor,
            decay,
        ]);
        let cells = self.values[self.run.len()..].chunks_exact_mut(TENSOR_MEASURES.len());
        for (cells, tensor) in cells.zip(tensors) {
            cells.copy_from_slice(&[
                tensor.weight_norm,
                tensor.gradient_norm,
                tensor.update_norm,
                tensor.relative_update,
                tensor.cosine,
                tensor.decay_norm,
            ]);
        }
    }

    /// Adds the numbers of an evaluation.
    pub(crate) fn score(&mut self, scores: &Scores) {
        for (name, value) in scores {
            let column = self.run.iter().position(|column| column == name);
            debug_assert!(column.is_some(), "no column {name}");
            if let Some(column) = column {
                self.values[column] = *value;
            }
        }
    }
}
