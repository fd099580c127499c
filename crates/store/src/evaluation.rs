//! `evaluations.jsonl`: how well the weights of a run do on other images than those of its metrics.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::lines::{append_line, read_lines};
use crate::{RunDirectory, StoreError};

/// How well the weights of a run do on a set of images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Steps done by the weights.
    pub step: u64,
    /// Are they the moving average of the weights?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub average: bool,
    /// Other images of the same classes; absent: the test images of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// What was done to the test images; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corruption: Option<String>,
    /// How much of it, from 1 to 5; 0 where nothing was done.
    #[serde(default)]
    pub severity: u8,
    /// The loss that was minimised, without label smoothing.
    pub loss: f64,
    /// Mean negative log-likelihood, in nats an image.
    pub negative_log_likelihood: f64,
    /// Share of right predictions.
    pub accuracy: f64,
    /// Expected calibration error over 15 bins.
    pub calibration_error: f64,
    /// How the classes of other images were paired, where that was not by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paired: Option<String>,
}

impl Evaluation {
    /// Are both about the same images and the same kind of weights?
    fn repeats(&self, other: &Evaluation) -> bool {
        (self.average, self.severity) == (other.average, other.severity)
            && (&self.data, &self.corruption) == (&other.data, &other.corruption)
    }
}

impl RunDirectory {
    /// `evaluations.jsonl`.
    pub fn evaluations_path(&self) -> PathBuf {
        self.path().join("evaluations.jsonl")
    }

    /// Appends an evaluation and brings it to the disk.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`], [`StoreError::Io`].
    pub fn append_evaluation(&self, evaluation: &Evaluation) -> Result<(), StoreError> {
        append_line(&self.evaluations_path(), evaluation)
    }

    /// The evaluations of a run, the last of each kind. Lines that cannot be read are passed over.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn evaluations(&self) -> Result<Vec<Evaluation>, StoreError> {
        let mut kept: Vec<Evaluation> = Vec::new();
        for line in read_lines(&self.evaluations_path())?.split(|&byte| byte == b'\n') {
            let Ok(evaluation) = serde_json::from_slice::<Evaluation>(line) else { continue };
            kept.retain(|other| !evaluation.repeats(other));
            kept.push(evaluation);
        }
        Ok(kept)
    }
}
