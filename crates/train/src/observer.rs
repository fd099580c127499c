//! What a run tells while it goes on, and how it ends.

use wd_decay::Unit;

use crate::plan::RunPlan;

/// What a run tells while it goes on.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Loss of the last batch.
    pub loss: f64,
    /// η of the last step.
    pub learning_rate: f64,
    /// λ of the last step.
    pub lambda: f64,
    /// Training tokens (or images) a second, since the process began.
    pub samples_per_second: f64,
    /// What that is counted in.
    pub unit: Unit,
    /// Seconds left at that rate.
    pub eta_seconds: f64,
}

/// Whoever watches a run.
pub trait Observer {
    /// The run starts, or continues after `step` steps.
    fn started(&mut self, plan: &RunPlan, step: u64);
    /// A step is done.
    fn progress(&mut self, progress: &Progress);
    /// Something worth a line: a damaged checkpoint that was passed over, for example.
    fn notice(&mut self, message: &str);
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// All steps are done.
    Finished {
        /// Loss of the last batch; absent for a run of no steps.
        last_batch_loss: Option<f64>,
        /// Loss of the final weights on training data; absent when that was not evaluated.
        train_loss: Option<f64>,
        /// Loss of the final weights on what was held out; absent when nothing is.
        validation_loss: Option<f64>,
        /// Share of the test images that the final weights get right; absent on text.
        test_accuracy: Option<f64>,
    },
    /// It was asked to stop, and can go on.
    Interrupted {
        /// Steps done.
        step: u64,
    },
    /// A loss or gradient was not finite.
    Diverged {
        /// The step (1-based) at which it happened.
        step: u64,
        /// The first tensor whose gradient was not finite, if it was a gradient.
        tensor: Option<String>,
        /// Step of the last checkpoint.
        last_checkpoint: Option<u64>,
    },
}
