//! What can be wrong with data from which λ is to be learnt.

/// An error of this crate: what is wrong, where, and how to mend it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// A matrix or a list whose size does not fit the others.
    #[error("{what}: {given} where {expected} were expected")]
    Shape {
        /// What was counted, for example `columns of the block`.
        what: &'static str,
        /// How many there are.
        given: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A value that is not a finite number.
    #[error("{what} {column} of row {row} is {value}: remove the row or impute the value")]
    NotFinite {
        /// `column` or `target`.
        what: &'static str,
        /// Which column or target, from 0.
        column: usize,
        /// Which row of the data handed over, from 0.
        row: usize,
        /// The value found.
        value: f64,
    },
    /// A weight that is negative or not finite.
    #[error("the weight of row {row} is {value}: weights are finite and at least 0")]
    Weight {
        /// Which row of the data handed over, from 0.
        row: usize,
        /// The value found.
        value: f64,
    },
    /// No row with a positive weight, or no column.
    #[error("there are no {0}: nothing can be learnt")]
    Empty(&'static str),
    /// Values whose squares overflow or vanish in f64.
    #[error(
        "{what} {column} spreads over {spread:e}, whose square f64 cannot hold exactly: divide the \
         column by that"
    )]
    Scale {
        /// `column` or `target`.
        what: &'static str,
        /// Which column or target, from 0.
        column: usize,
        /// Its standard deviation, as far as it could be computed.
        spread: f64,
    },
    /// A target without variation.
    #[error(
        "target {target} is the same in every row: there is nothing to explain, and no λ to find"
    )]
    ConstantTarget {
        /// Which target, from 0.
        target: usize,
    },
    /// No column varies.
    #[error(
        "no column varies: with an intercept there is nothing left to fit; drop the intercept or \
         add columns"
    )]
    ConstantColumns,
    /// Fewer rows than are needed.
    #[error("too few rows {purpose}: {rows}, where at least {needed} are needed")]
    TooFewRows {
        /// How many rows with a positive weight there are.
        rows: usize,
        /// What they are too few for.
        purpose: &'static str,
        /// How many it takes.
        needed: usize,
    },
    /// A λ that is no λ.
    #[error("λ is {0}: it must be positive and finite")]
    Lambda(f64),
    /// A label that the family does not know.
    #[error("target of row {row} is {value}: {family} takes {expected}")]
    Label {
        /// Which row, from 0.
        row: usize,
        /// The value found.
        value: f64,
        /// The family's name.
        family: &'static str,
        /// What it takes.
        expected: &'static str,
    },
    /// A target of which no intercept is the best: it would go to ±∞.
    #[error("{problem}: the intercept has no finite best value; {fix}")]
    NoIntercept {
        /// What the target looks like.
        problem: &'static str,
        /// How to mend it.
        fix: &'static str,
    },
    /// An iteration that did not end where it should.
    #[error("{what} did not converge in {iterations} iterations{hint}")]
    NotConverged {
        /// Which iteration.
        what: &'static str,
        /// How many were made.
        iterations: usize,
        /// What may help.
        hint: &'static str,
    },
    /// Statistics read from a file that no data can have.
    #[error("these statistics are damaged: {0}")]
    Damaged(String),
}
