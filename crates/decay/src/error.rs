//! What can be wrong with a declared decay.

use crate::{DecayRule, counted};

/// Errors of this crate: each says what was declared, and how to mend it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecayError {
    /// A name that is none of the known ones.
    #[error("unknown {what} `{given}`; known: {known}")]
    UnknownName {
        /// What was being named, for example `role`.
        what: &'static str,
        /// The name as given.
        given: String,
        /// The names that exist.
        known: String,
    },
    /// λ is negative, infinite or not a number.
    #[error("weight decay of {of} is {value}; it must be finite and at least 0")]
    InvalidLambda {
        /// Which λ: `the run`, or an override's pattern.
        of: String,
        /// The value as given.
        value: f64,
    },
    /// An override's pattern is not a glob.
    #[error("override `{glob}` is not a valid pattern: {reason}")]
    InvalidGlob {
        /// The pattern as given.
        glob: String,
        /// What the pattern parser says.
        reason: String,
    },
    /// An override matches no tensor.
    #[error("override `{glob}` matches no tensor; nearest: {nearest}")]
    UnmatchedGlob {
        /// The pattern as given.
        glob: String,
        /// The most similar paths, nearest first.
        nearest: String,
    },
    /// Points that no schedule goes through.
    #[error("these points make no schedule: {reason}")]
    InvalidPoints {
        /// What is wrong with them.
        reason: String,
    },
    /// Warm-up is longer than the run.
    #[error(
        "a warm-up of {} does not fit into a run of {}",
        counted(warmup, "step"),
        counted(steps, "step")
    )]
    WarmupTooLong {
        /// Warm-up steps.
        warmup: u64,
        /// Steps of the run.
        steps: u64,
    },
    /// Warm-up and final decay of a WSD schedule are together longer than the run.
    #[error(
        "warm-up ({warmup}) and final decay ({decay}) do not fit into a run of {}",
        counted(steps, "step")
    )]
    DecayTooLong {
        /// Warm-up steps.
        warmup: u64,
        /// Steps of the final decay.
        decay: u64,
        /// Steps of the run.
        steps: u64,
    },
    /// A quantity that has to be above 0.
    #[error("{what} is {value}; it must be finite and above 0")]
    NotPositive {
        /// Which quantity.
        what: &'static str,
        /// The value as given.
        value: f64,
    },
    /// No equilibrium connects λ with norms and angles.
    #[error("under {rule} λ does not fix a norm or an angle: {reason}")]
    NoEquivalence {
        /// The rule.
        rule: DecayRule,
        /// Why not.
        reason: &'static str,
    },
    /// Beyond what taking the whole weight at each step would do.
    #[error(
        "no decay brings about that {what} is {value}: at this learning rate a shrink of 1 settles \
         at an RMS of {rms:.3e} and turns by {angle:.3} a step"
    )]
    OutOfReach {
        /// Which quantity.
        what: &'static str,
        /// The value as given.
        value: f64,
        /// The smallest RMS.
        rms: f64,
        /// The largest angle.
        angle: f64,
    },
    /// The floor is not a fraction.
    #[error("a schedule's floor is a fraction of its peak, between 0 and 1, not {floor}")]
    InvalidFloor {
        /// The value as given.
        floor: f64,
    },
}
