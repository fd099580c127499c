//! What can be wrong with data from which λ is to be learnt.

/// An error of this crate: what is wrong, where, and how to mend it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum EvidenceError {
    /// A matrix or a list whose size does not fit the others.
    #[error("{what}: {given} where {expected} were expected")]
    Shape { what: &'static str, given: usize, expected: usize },
    /// A value that is not a finite number.
    #[error("{what} {column} of row {row} is {value}: remove the row or impute the value")]
    NotFinite { what: &'static str, column: usize, row: usize, value: f64 },
    /// A weight that is negative or not finite.
    #[error("the weight of row {row} is {value}: weights are finite and at least 0")]
    Weight { row: usize, value: f64 },
    /// No row with a positive weight, or no column.
    #[error("there are no {0}: nothing can be learnt")]
    Empty(&'static str),
    /// Values whose squares overflow or vanish in f64.
    #[error(
        "{what} {column} spreads over {spread:e}, whose square f64 cannot hold exactly: divide the \
         column by that"
    )]
    Scale { what: &'static str, column: usize, spread: f64 },
    /// A target without variation.
    #[error(
        "target {target} is the same in every row: there is nothing to explain, and no λ to find"
    )]
    ConstantTarget { target: usize },
    /// No column varies.
    #[error(
        "no column varies: with an intercept there is nothing left to fit; drop the intercept or \
         add columns"
    )]
    ConstantColumns,
    /// Fewer rows than are needed.
    #[error("too few rows {purpose}: {rows}, where at least {needed} are needed")]
    TooFewRows { rows: usize, purpose: &'static str, needed: usize },
    /// A λ that is no λ.
    #[error("λ is {0}: it must be positive and finite")]
    Lambda(f64),
    /// A label that the family does not know.
    #[error("target of row {row} is {value}: {family} takes {expected}")]
    Label { row: usize, value: f64, family: &'static str, expected: &'static str },
    /// A target of which no intercept is the best: it would go to ±∞.
    #[error("{problem}: the intercept has no finite best value; {fix}")]
    NoIntercept { problem: &'static str, fix: &'static str },
    /// A fold without which a class has no rows.
    #[error("without fold {fold} {problem}: its rows cannot be predicted from the others")]
    Fold { fold: usize, problem: String },
    /// An iteration that did not end where it should.
    #[error("{what} did not converge in {iterations} iterations{hint}")]
    NotConverged { what: &'static str, iterations: usize, hint: &'static str },
    /// Statistics read from a file that no data can have.
    #[error("these statistics are damaged: {0}")]
    Damaged(String),
}
