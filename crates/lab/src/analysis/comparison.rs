//! An arm against its baseline, seed by seed.

use serde::Serialize;

use super::{Band, Interval};

/// Which two arms a comparison sets side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComparisonKind {
    /// Every setting but λ is equal.
    SameSettings,
    /// Each side at the peak learning rate that is best for its own λ; every other setting is equal.
    BestLearningRate,
}

/// An arm with λ > 0 against its baseline, seed by seed. Differences are arm − baseline: negative is better.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// What is held equal.
    pub kind: ComparisonKind,
    /// Index into [`Analysis::arms`](super::Analysis::arms).
    pub arm: usize,
    /// Index into [`Analysis::arms`](super::Analysis::arms) of the arm with λ = 0.
    pub baseline: usize,
    /// Paired difference of the training loss over the run, in the windows of [`Arm::train_loss`](super::Arm::train_loss).
    pub difference: Vec<Band>,
    /// Mean paired difference of training loss between 10 % and 50 % of the run.
    pub early_train: PairedDifference,
    /// Where the mean difference falls to zero or below for the last time; absent when it does not, or when the early
    /// difference is not significantly positive.
    pub crossing: Option<Crossing>,
    /// Paired difference of the final training loss.
    pub final_train: PairedDifference,
    /// Paired difference of the final validation loss.
    pub final_validation: PairedDifference,
    /// Paired change of the gap.
    pub gap: PairedDifference,
    /// Paired difference of the late gradient norm.
    pub late_gradient_norm: PairedDifference,
    /// Paired difference of the late relative update.
    pub late_relative_update: PairedDifference,
}

/// The step at which a mean paired difference turns from positive to non-positive and stays so.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Crossing {
    /// Step, interpolated between window centres.
    pub step: f64,
    /// The same as a fraction of the run.
    pub fraction: f64,
    /// Lower end of the 95 % bootstrap interval (steps); absent with fewer than three seeds.
    pub low: Option<f64>,
    /// Upper end; absent with fewer than three seeds, or when the interval reaches past the end of the run.
    pub high: Option<f64>,
}

/// A mean difference over paired seeds and what it is worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairedDifference {
    /// Mean difference with its 95 % interval.
    pub interval: Interval,
    /// Each seed with its difference, ascending by seed.
    pub per_seed: Vec<(u64, f64)>,
    /// Two-sided p of the paired t-test; absent with fewer than two seeds.
    pub p_value: Option<f64>,
    /// The same after Holm's correction within its family: all arms compared with the same baseline.
    pub adjusted_p: Option<f64>,
    /// Is the uncorrected p below 5 % (the interval then excludes zero)?
    pub significant: bool,
    /// Further seeds after which this effect, with this spread, would be significant at 5 % with 80 % power.
    /// Absent when significant already, or with fewer than two seeds; at most
    /// [`MOST_SEEDS`](crate::statistics::MOST_SEEDS), which stands for "no practical number".
    pub more_seeds: Option<u64>,
}
