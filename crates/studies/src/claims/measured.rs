//! The numbers of a run of a language model that claims are about.

use wd_decay::Role;
use wd_store::PlannedTensor;

use super::runs::Run;

/// Where a run is late: after it the rate of a cosine is all but 0.
const LATE: (f64, f64) = (0.88, 0.98);
/// Where it is in its middle, with a rate near the peak.
const MIDDLE: (f64, f64) = (0.3, 0.5);

impl Run {
    /// Loss of the final weights on held-out text, in nats a token.
    pub(super) fn validation(&self) -> f64 {
        self.series.at_end("validation_loss")
    }

    /// The same of the moving average of the weights.
    pub(super) fn average(&self) -> f64 {
        self.series.at_end("average_loss")
    }

    /// Validation less training loss of the final weights.
    pub(super) fn gap(&self) -> f64 {
        self.validation() - self.series.at_end("train_eval_loss")
    }

    /// Norm of all gradients before clipping, late in the run.
    pub(super) fn late_gradient(&self) -> f64 {
        self.series.mean("gradient_norm", LATE.0, LATE.1)
    }

    /// The same in its middle.
    pub(super) fn middle_gradient(&self) -> f64 {
        self.series.mean("gradient_norm", MIDDLE.0, MIDDLE.1)
    }

    /// The learning rate in its middle over that late.
    pub(super) fn rate_falls_by(&self) -> f64 {
        let mean = |(from, to)| self.series.mean("learning_rate", from, to);
        mean(MIDDLE) / mean(LATE)
    }

    /// ‖Δw‖/‖w‖ of the matrices, late in the run.
    pub(super) fn late_relative_update(&self) -> f64 {
        self.series.mean_combined("relative_update", &self.matrices(), LATE.0, LATE.1)
    }

    /// ‖w‖ of the matrices, late in the run.
    pub(super) fn late_norm(&self) -> f64 {
        self.series.mean_combined("weight_norm", &self.matrices(), LATE.0, LATE.1)
    }

    /// ‖w‖ of the matrices at the end.
    pub(super) fn final_norm(&self) -> f64 {
        let norms = self.series.combined("weight_norm", &self.matrices());
        norms.iter().rev().copied().find(|norm| norm.is_finite()).unwrap_or(f64::NAN)
    }

    /// The tensors that linear maps multiply by.
    pub(super) fn matrices(&self) -> Vec<&PlannedTensor> {
        self.plan.tensors.iter().filter(|tensor| tensor.role == Role::Matrix).collect()
    }
}
