//! The numbers of a finished trial that are compared.

use serde::Serialize;
use wd_store::{MetricsReader, Plan, RunDirectory, Status, StoreError};

use wd_lab::LabError;
use wd_lab::configuration::{Flat, flatten};
use wd_lab::study::Study;

/// Losses (nats an image) and accuracies (0 … 1) of the final weights; NaN where the run did not
/// measure them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Finals {
    /// On the test images.
    pub test_loss: f64,
    /// On the training images, without augmentation.
    pub train_loss: f64,
    /// On the test images.
    pub test_accuracy: f64,
    /// On the training images, without augmentation.
    pub train_accuracy: f64,
    /// Expected calibration error on the test images.
    pub calibration_error: f64,
    /// On the shifted images.
    pub shifted_loss: f64,
    /// On the shifted images.
    pub shifted_accuracy: f64,
}

impl Finals {
    /// Test − training loss.
    pub fn gap(&self) -> f64 {
        self.test_loss - self.train_loss
    }

    fn read(reader: &MetricsReader) -> Result<Self, LabError> {
        let last = |name: &str| -> Result<f64, LabError> {
            match reader.has_column(name) {
                true => Ok(reader.column(name)?.last().copied().unwrap_or(f64::NAN)),
                false => Ok(f64::NAN),
            }
        };
        Ok(Finals {
            test_loss: last("validation_loss")?,
            train_loss: last("train_eval_loss")?,
            test_accuracy: last("test_accuracy")?,
            train_accuracy: last("train_accuracy")?,
            calibration_error: last("calibration_error")?,
            shifted_loss: last("shifted_loss")?,
            shifted_accuracy: last("shifted_accuracy")?,
        })
    }
}

/// A trial that ended.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) configuration: Flat,
    pub(super) plan: Plan,
    /// Absent when it diverged.
    pub(super) finals: Option<Finals>,
}

/// Every trial that ended, and how many have not.
pub(super) fn read(study: &Study) -> Result<(Vec<Record>, usize), LabError> {
    let mut records = Vec::new();
    let mut unfinished = 0;
    for trial in study.trials() {
        let run = match RunDirectory::open(&trial.directory) {
            Ok(run) => run,
            Err(StoreError::Missing { .. }) => {
                unfinished += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let finals = match run.status()? {
            Status::Finished { .. } => Some(Finals::read(&run.metrics()?)?),
            Status::Diverged { .. } => None,
            Status::New | Status::Running { .. } | Status::Interrupted { .. } => {
                unfinished += 1;
                continue;
            }
        };
        records.push(Record {
            configuration: flatten(&trial.configuration)?,
            plan: run.read_plan()?,
            finals,
        });
    }
    Ok((records, unfinished))
}
