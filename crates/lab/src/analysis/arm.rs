//! An arm: all trials that differ only in their seed.

use serde::Serialize;
use wd_decay::{DecayRule, OptimizerKind, Role, ScheduleKind, Unit};
use wd_statistics::Interval;
use wd_store::Plan;

use crate::recording::TrainingLoss;

/// A mean with its 95 % interval at one place of the run: a point of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Band {
    /// Step at the centre of the window.
    pub step: f64,
    /// Mean over seeds of the window's mean.
    pub mean: f64,
    /// Lower end; NaN with fewer than two seeds.
    pub low: f64,
    /// Upper end; NaN with fewer than two seeds.
    pub high: f64,
    /// Number of seeds.
    pub n: usize,
}

/// A trial that ended in a non-finite loss or gradient: a result, counted and shown, but in no
/// mean.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diverged {
    /// Its seed.
    pub seed: u64,
    /// The step at which it diverged.
    pub step: u64,
}

/// What a plan says of how the trials of an arm are trained, beyond λ, schedule and rate. Other
/// programs do not record it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setup {
    /// One line that describes the schedule fully.
    pub schedule_description: String,
    /// Decay rule.
    pub rule: DecayRule,
    /// Optimizer.
    pub optimizer: OptimizerKind,
    /// κ = Σ_t s_t, the total decay exponent.
    pub kappa: f64,
    /// τ = 1/(peak shrink), as a fraction of the run; absent when nothing decays.
    pub tau_fraction: Option<f64>,
    /// Trainable parameters.
    pub parameters: u64,
    /// What its samples are: tokens or images.
    pub unit: Unit,
    /// Samples a step.
    pub samples_per_step: u64,
    /// Passes over the training data.
    pub epochs: f64,
    /// Training samples seen per parameter.
    pub samples_per_parameter: f64,
}

impl Setup {
    /// What a plan says.
    pub(crate) fn of(plan: &Plan) -> Self {
        Setup {
            schedule_description: plan.schedule.describe(),
            rule: plan.rule,
            optimizer: plan.optimizer,
            kappa: plan.kappa,
            tau_fraction: plan.tau_fraction,
            parameters: plan.parameters,
            unit: plan.unit,
            samples_per_step: plan.samples_per_step,
            epochs: plan.epochs,
            samples_per_parameter: plan.samples_per_parameter,
        }
    }
}

impl Arm {
    /// κ as planned; NaN where no plan is.
    pub fn kappa(&self) -> f64 {
        self.setup.as_ref().map_or(f64::NAN, |setup| setup.kappa)
    }
}

/// All trials that differ only in their seed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Arm {
    /// Short name that tells this arm from every other of the study, for example `λ=0.1, cosine,
    /// lr=0.008`.
    pub label: String,
    /// λ as configured.
    pub lambda: f64,
    /// Shape of the learning-rate schedule; absent where another program does not say.
    pub schedule: Option<ScheduleKind>,
    /// Peak learning rate; absent where another program does not say.
    pub peak_learning_rate: Option<f64>,
    /// Configuration keys (other than λ, schedule kind, peak learning rate) whose values differ
    /// within the study.
    pub settings: Vec<(String, String)>,
    /// How it was trained, as planned; absent for runs of other programs.
    #[serde(flatten)]
    pub setup: Option<Setup>,
    /// Optimizer steps; of other programs the last step at which a loss was logged.
    pub steps: u64,
    /// What its losses are in, as [`wd_store::Plan::loss_unit`] says; `as logged` of other
    /// programs.
    pub loss_unit: String,
    /// What its training loss is.
    pub training_loss: TrainingLoss,
    /// Seeds of the finished trials, ascending.
    pub seeds: Vec<u64>,
    /// Trials that diverged.
    pub diverged: Vec<Diverged>,
    /// Seeds of trials that are new, running, interrupted or failed.
    pub unfinished: Vec<u64>,
    /// Training loss over the run, in about 60 windows.
    pub train_loss: Vec<Band>,
    /// Mean training loss of the last 5 % of the steps; of a fixed set, the last one.
    pub final_train: Interval,
    /// Validation loss of the final weights; `n` = 0 when nothing was held out.
    pub final_validation: Interval,
    /// Loss of the final weights on training windows that were seen; the training side of the gap.
    pub final_train_evaluation: Interval,
    /// Validation − training loss of the same final weights.
    pub gap: Interval,
    /// Gradient norm, relative update and weight norm.
    pub late: Late,
    /// Measured and predicted weight RMS, for whole roles first, then for each kind of matrix.
    pub weight_rms_by_role: Vec<RoleNorm>,
}

/// How the weights moved: curves over the run, and their means between 88 % and 98 % of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Late {
    /// Global gradient norm before clipping, over the run.
    pub gradient_norm: Vec<Band>,
    /// Relative update ‖Δw‖/‖w‖ of all decayed-role tensors together (roles matrix, embedding,
    /// position, head).
    pub relative_update: Vec<Band>,
    /// Root mean square of those weights.
    pub weight_rms: Vec<Band>,
    /// Late mean of the gradient norm.
    pub late_gradient_norm: Interval,
    /// Late mean of the relative update.
    pub late_relative_update: Interval,
    /// Late mean of the weight RMS.
    pub late_weight_rms: Interval,
}

/// Weight RMS of one role, or of one kind of matrix, as measured and as the norm recursion predicts
/// it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoleNorm {
    /// The role of the tensors.
    pub role: Role,
    /// Absent: the whole role. Present: the tensors of this role with this path once the block
    /// number is cut out, for example `attention.qkv.weight`.
    pub kind: Option<String>,
    /// Measured RMS over the run.
    pub measured: Vec<Band>,
    /// Predicted RMS, as (step, RMS); empty where the recursion makes no statement (not an Adam,
    /// coupled L2, …).
    pub predicted: Vec<(f64, f64)>,
    /// Measured / predicted at the last measurement, over seeds; `n` = 0 without a prediction.
    pub ratio: Interval,
}
