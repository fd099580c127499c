//! What the data say to a plan.

use wd_decay::Unit;
use wd_store::{PlannedImages, PlannedText};

use crate::{
    config::{ConfigFault, ConfigSource},
    error::TrainError,
};

/// What the data say to a plan.
pub(crate) struct PlannedData {
    /// What the counts are counts of.
    pub unit: Unit,
    /// A step's share.
    pub per_step: u64,
    /// In the training part.
    pub training: u64,
    /// Held out.
    pub validation: u64,
    /// Steps in one epoch.
    pub steps_in_epoch: u64,
    /// Hash of all of it.
    pub hash: String,
    /// What is known of the text.
    pub text: Option<PlannedText>,
    /// What was decided about images.
    pub images: Option<PlannedImages>,
}

impl PlannedData {
    /// The steps of the run: those written, or all that the data give.
    pub(crate) fn steps(&self, source: &ConfigSource) -> Result<u64, TrainError> {
        let epochs = source.config.data.epochs;
        let available = epochs.saturating_mul(self.steps_in_epoch);
        let steps = source.config.run.steps.unwrap_or(available);
        if steps <= available {
            return Ok(steps);
        }
        Err(source.error(ConfigFault::TooFewData {
            steps,
            per_step: self.per_step,
            unit: self.unit,
            training: self.training,
            epochs,
            available,
            needed_epochs: steps.div_ceil(self.steps_in_epoch.max(1)),
        }))
    }
}
