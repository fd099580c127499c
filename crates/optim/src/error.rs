//! What can be wrong with an optimizer's settings, its inputs or its numbers.

/// Errors of this crate. Tensors are named by their index in the list the optimizer was made with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OptimError {
    /// A combination of settings that has no meaning.
    #[error("{0}")]
    Refused(&'static str),
    /// A number outside its range.
    #[error("{name} is {value}; it must be {range}")]
    OutOfRange {
        /// Name of the hyper-parameter.
        name: &'static str,
        /// The value as given.
        value: f64,
        /// The values that it may take.
        range: &'static str,
    },
    /// Tensors must lie one after another within the arena.
    #[error(
        "tensor {tensor} lies at {start}..{end}, but may only lie within {free_from}..{parameters}"
    )]
    Misplaced {
        /// Index of the tensor.
        tensor: usize,
        /// First element.
        start: usize,
        /// One past the last element.
        end: usize,
        /// One past the last element of the tensor before it.
        free_from: usize,
        /// Length of the arena.
        parameters: usize,
    },
    /// Muon moves matrices only.
    #[error(
        "Muon moves matrices, but tensor {tensor} has shape {shape:?}: let the auxiliary AdamW \
         move it"
    )]
    NotAMatrix {
        /// Index of the tensor.
        tensor: usize,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// Hyperball holds matrices only.
    #[error(
        "hyperball holds matrices, but tensor {tensor} has shape {shape:?}: set its weight decay \
         to 0"
    )]
    HeldNoMatrix {
        /// Index of the tensor.
        tensor: usize,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// On a sphere of radius 0 nothing can be learnt.
    #[error(
        "hyperball would hold tensor {tensor} at the norm 0, with which it starts: set its weight \
         decay to 0, or start it elsewhere"
    )]
    HeldAtZero {
        /// Index of the tensor.
        tensor: usize,
    },
    /// Hyperball without the norms to hold.
    #[error(
        "hyperball needs the norms to hold: give the initial weights to `set_norm_target` before \
         the first step"
    )]
    NoNormTarget,
    /// A slice of another length than the arena.
    #[error("{what} has {found} elements; {expected} are needed")]
    WrongLength {
        /// Which slice.
        what: String,
        /// Elements needed.
        expected: usize,
        /// Elements found.
        found: usize,
    },
    /// A saved state of another optimizer.
    #[error("the saved state holds {found}; this optimizer needs {expected}")]
    WrongState {
        /// Names found.
        found: String,
        /// Names needed.
        expected: String,
    },
    /// The decay of one step would carry the weights past their anchor.
    #[error(
        "a step would take {shrink} of the weights of tensor {tensor}; more than 1 carries them \
         past where they decay to: lower the learning rate or the weight decay"
    )]
    Overshoot {
        /// Index of the tensor.
        tensor: usize,
        /// The shrink of the step.
        shrink: f64,
    },
    /// A gradient is infinite, not a number, or too large to be squared.
    #[error("the gradient of tensor {tensor} is not finite")]
    NonFinite {
        /// Index of the first such tensor.
        tensor: usize,
    },
}
