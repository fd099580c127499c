//! The numbers of a finished trial that are compared.

use serde::Serialize;
use wd_store::{Plan, Status};

use wd_lab::configuration::{Flat, flatten};
use wd_lab::record::Series;
use wd_lab::study::Study;
use wd_lab::{LabError, Record};

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

    fn of(series: &Series) -> Self {
        Finals {
            test_loss: series.at_end("validation_loss"),
            train_loss: series.at_end("train_eval_loss"),
            test_accuracy: series.at_end("test_accuracy"),
            train_accuracy: series.at_end("train_accuracy"),
            calibration_error: series.at_end("calibration_error"),
            shifted_loss: series.at_end("shifted_loss"),
            shifted_accuracy: series.at_end("shifted_accuracy"),
        }
    }
}

/// A trial that ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) settings: Flat,
    pub(super) plan: Plan,
    /// Absent when it diverged.
    pub(super) finals: Option<Finals>,
}

/// Every trial that ended, and how many have not.
pub(super) fn read(study: &Study) -> Result<(Vec<Ended>, usize), LabError> {
    let mut ended = Vec::new();
    for trial in study.trials() {
        let record = Record::read(&trial.directory, flatten(&trial.configuration)?)?;
        let finals = match record.status {
            Status::Finished { .. } => Some(Finals::of(&record.whole_series()?)),
            Status::Diverged { .. } => None,
            Status::New | Status::Running { .. } | Status::Interrupted { .. } => continue,
        };
        let Record { settings, plan, .. } = record;
        ended.extend(plan.map(|plan| Ended { settings, plan, finals }));
    }
    let unfinished = study.trials().len() - ended.len();
    Ok((ended, unfinished))
}
