//! The columns of `metrics.bin`: one row a step, first the run's, then each tensor's.

use wd_nn::ParameterLayout;
use wd_optim::TensorMeasurement;
use wd_store::Column;

/// Columns of the run, in order. `train_loss` is the mean loss of the step's batch before the update;
/// `validation_loss` and `train_eval_loss` are losses of the weights after it, on held-out windows and on windows
/// already trained on, and absent (NaN) between evaluations. `decay` is the norm of what decay alone moved.
const RUN_COLUMNS: [&str; 12] = [
    "step",
    "tokens",
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
pub const TENSOR_MEASURES: [&str; 6] = [
    "weight_norm",
    "gradient_norm",
    "update_norm",
    "relative_update",
    "cosine",
    "decay_norm",
];

/// All columns of a run.
pub(crate) fn columns(layout: &ParameterLayout) -> Vec<Column> {
    let run = RUN_COLUMNS.iter().map(|name| Column::f64(*name));
    let tensors = layout.segments.iter().flat_map(|segment| {
        TENSOR_MEASURES
            .iter()
            .map(|measure| Column::f32(format!("{measure}/{}", segment.path)))
    });
    run.chain(tensors).collect()
}

/// What a step says about the run as a whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepRow {
    pub step: u64,
    pub tokens: u64,
    pub epoch: f64,
    pub train_loss: f64,
    pub validation_loss: f64,
    pub train_eval_loss: f64,
    pub learning_rate: f64,
    pub lambda: f64,
    pub shrink: f64,
    pub gradient_norm: f64,
    pub clip_factor: f64,
}

impl StepRow {
    /// Writes the row; `tensors` is empty on steps that are not measured.
    pub(crate) fn write(&self, tensors: &[TensorMeasurement], row: &mut [f64]) {
        row.fill(f64::NAN);
        let decay = if tensors.is_empty() {
            f64::NAN
        } else {
            let squares: f64 = tensors.iter().map(|t| t.decay_norm * t.decay_norm).sum();
            squares.sqrt()
        };
        row[..RUN_COLUMNS.len()].copy_from_slice(&[
            self.step as f64,
            self.tokens as f64,
            self.epoch,
            self.train_loss,
            self.validation_loss,
            self.train_eval_loss,
            self.learning_rate,
            self.lambda,
            self.shrink,
            self.gradient_norm,
            self.clip_factor,
            decay,
        ]);
        let cells = row[RUN_COLUMNS.len()..].chunks_exact_mut(TENSOR_MEASURES.len());
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
}
