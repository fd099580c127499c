//! What can be wrong with a declared decay.

use crate::{DecayRule, counted};

/// Errors of this crate: each says what was declared, and how to mend it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum DecayError {
    /// A name that is none of the known ones.
    #[error("unknown {what} `{given}`; known: {known}")]
    UnknownName { what: &'static str, given: String, known: String },
    /// λ is negative, infinite or not a number.
    #[error("weight decay of {of} is {value}; it must be finite and at least 0")]
    InvalidLambda { of: String, value: f64 },
    /// An override's pattern is not a glob.
    #[error("override `{glob}` is not a valid pattern: {reason}")]
    InvalidGlob { glob: String, reason: String },
    /// An override matches no tensor.
    #[error("override `{glob}` matches no tensor; nearest: {nearest}")]
    UnmatchedGlob { glob: String, nearest: String },
    /// Points that no schedule goes through.
    #[error("these points make no schedule: {reason}")]
    InvalidPoints { reason: String },
    /// Warm-up is longer than the run.
    #[error(
        "a warm-up of {} does not fit into a run of {}",
        counted(warmup, "step"),
        counted(steps, "step")
    )]
    WarmupTooLong { warmup: u64, steps: u64 },
    /// Warm-up and final decay of a WSD schedule are together longer than the run.
    #[error(
        "warm-up ({warmup}) and final decay ({decay}) do not fit into a run of {}",
        counted(steps, "step")
    )]
    DecayTooLong { warmup: u64, decay: u64, steps: u64 },
    /// A quantity that has to be above 0.
    #[error("{what} is {value}; it must be finite and above 0")]
    NotPositive { what: &'static str, value: f64 },
    /// No equilibrium connects λ with norms and angles.
    #[error("under {rule} λ does not fix a norm or an angle: {reason}")]
    NoEquivalence { rule: DecayRule, reason: &'static str },
    /// Beyond what taking the whole weight at each step would do.
    #[error(
        "no decay brings about that {what} is {value}: at this learning rate a shrink of 1 settles \
         at an RMS of {rms:.3e} and turns by {angle:.3} a step"
    )]
    OutOfReach { what: &'static str, value: f64, rms: f64, angle: f64 },
    /// The floor is not a fraction.
    #[error("a schedule's floor is a fraction of its peak, between 0 and 1, not {floor}")]
    InvalidFloor { floor: f64 },
}
