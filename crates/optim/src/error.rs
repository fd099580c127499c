//! What can be wrong with an optimizer's settings, its inputs or its numbers.

/// Errors of this crate. Tensors are named by their index in the list the optimizer was made with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum OptimError {
    /// A combination of settings that has no meaning.
    #[error("{0}")]
    Refused(&'static str),
    /// A number outside its range.
    #[error("{name} is {value}; it must be {range}")]
    OutOfRange { name: &'static str, value: f64, range: &'static str },
    /// Tensors must lie one after another within the arena.
    #[error(
        "tensor {tensor} lies at {start}..{end}, but may only lie within {free_from}..{parameters}"
    )]
    Misplaced { tensor: usize, start: usize, end: usize, free_from: usize, parameters: usize },
    /// Muon moves matrices only.
    #[error(
        "Muon moves matrices, but tensor {tensor} has shape {shape:?}: let the auxiliary AdamW \
         move it"
    )]
    NotAMatrix { tensor: usize, shape: Vec<usize> },
    /// Hyperball holds matrices only.
    #[error(
        "hyperball holds matrices, but tensor {tensor} has shape {shape:?}: set its weight decay \
         to 0"
    )]
    HeldNoMatrix { tensor: usize, shape: Vec<usize> },
    /// On a sphere of radius 0 nothing can be learnt.
    #[error(
        "hyperball would hold tensor {tensor} at the norm 0, with which it starts: set its weight \
         decay to 0, or start it elsewhere"
    )]
    HeldAtZero { tensor: usize },
    /// Hyperball without the norms to hold.
    #[error(
        "hyperball needs the norms to hold: give the initial weights to `set_norm_target` before \
         the first step"
    )]
    NoNormTarget,
    /// A slice of another length than the arena.
    #[error("{what} has {found} elements; {expected} are needed")]
    WrongLength { what: String, expected: usize, found: usize },
    /// A saved state of another optimizer.
    #[error("the saved state holds {found}; this optimizer needs {expected}")]
    WrongState { found: String, expected: String },
    /// The decay of one step would carry the weights past their anchor.
    #[error(
        "a step would take {shrink} of the weights of tensor {tensor}; more than 1 carries them \
         past where they decay to: lower the learning rate or the weight decay"
    )]
    Overshoot { tensor: usize, shrink: f64 },
    /// A gradient is infinite, not a number, or too large to be squared.
    #[error("the gradient of tensor {tensor} is not finite")]
    NonFinite { tensor: usize },
}
