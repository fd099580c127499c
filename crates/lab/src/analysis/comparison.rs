//! An arm against its baseline, seed by seed.

use serde::Serialize;
use wd_statistics::{Crossing, PairedDifference};

use super::Band;

/// Which two arms a comparison sets side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComparisonKind {
    /// Every setting but λ is equal.
    SameSettings,
    /// Each side at the peak learning rate that is best for its own λ; every other setting is
    /// equal.
    BestLearningRate,
}

/// Whether the runs of a comparison are paired by their seeds, and how that is known.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Pairing {
    /// Runs of this program: equal seeds have the same initial weights and the same batches.
    Seed,
    /// Runs of another program: the first logged losses of each pair agree.
    FirstLoss {
        /// The curve whose first numbers were compared.
        curve: String,
        /// The largest relative difference that is allowed.
        tolerance: f64,
        /// The largest that was seen.
        largest: f64,
    },
    /// Not paired: the difference is that of two means, by Welch's t-test.
    Unpaired {
        /// Why not.
        reason: String,
    },
}

impl Pairing {
    /// Are the runs paired?
    pub fn is_paired(&self) -> bool {
        !matches!(self, Pairing::Unpaired { .. })
    }
}

/// An arm with λ > 0 against its baseline, seed by seed. Differences are arm − baseline: negative
/// is better.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// What is held equal.
    pub kind: ComparisonKind,
    /// Index into [`Analysis::arms`](crate::Analysis::arms).
    pub arm: usize,
    /// Index into [`Analysis::arms`](crate::Analysis::arms) of the arm with λ = 0.
    pub baseline: usize,
    /// Whether the runs are paired. Where they are not, each difference below is one of two means.
    pub pairing: Pairing,
    /// Paired difference of the training loss over the run, in the windows of
    /// [`Arm::train_loss`](super::Arm::train_loss).
    pub difference: Vec<Band>,
    /// Mean paired difference of training loss between 10 % and 50 % of the run.
    pub early_train: PairedDifference,
    /// Where the mean difference falls to zero or below for the last time; absent when it does not,
    /// or when the early difference is not significantly positive.
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

impl Comparison {
    /// The final loss that decides: validation, or training when nothing was held out.
    pub fn final_loss(&self) -> &PairedDifference {
        match self.final_validation.interval.n {
            0 => &self.final_train,
            _ => &self.final_validation,
        }
    }
}
