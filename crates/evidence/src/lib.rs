//! Choosing λ by Bayes: the λ that the data themselves prefer, without a validation set.
//!
//! A Gaussian prior w ~ N(0, 1/α) on the weights of a linear model with noise 1/β gives the
//! posterior mode of ridge regression, Σ(y − ŷ)² + λ‖w‖² with **λ = α/β** for the *summed* squared
//! error. How probable the data are under the prior, the evidence, says which λ fits them best.
//!
//! | module | question it answers |
//! |---|---|
//! | [`statistics`] | what of the data does a Gaussian model need? Sums that stream and merge |
//! | [`columns`] | how do the columns enter: centred, standardised, with which intercept? |
//! | [`comparison`] | which λ does each criterion choose, and what does that cost by the others? |
//! | [`gaussian`] | evidence, γ, residual, leave-one-out and folds for every λ; the best λ; the posterior |
//! | [`groups`] | and if each group of columns has a λ of its own? |
//! | [`glm`] | and if the target is a class or a count? Laplace evidence |
//! | [`mod@fit`] | all of it from a table: files → request → analysis, saved, and predicting other rows |
//! | [`page`] | the same as a page |
//!
//! # Symbols
//! | symbol | meaning |
//! |---|---|
//! | n, p, k | rows, columns, targets |
//! | α | precision of the prior on each standardised weight: α = 1/σ² |
//! | β | precision of the noise |
//! | λ | α/β: weight of ‖w‖² beside the *sum* of squared errors (scikit-learn's `Ridge(alpha=λ)`) |
//! | s_i, z_i | eigenvalues of X̃ᵀX̃; X̃ᵀỹ in its eigenvectors (X̃, ỹ: centred, standardised, times √weight) |
//! | r | rank of X̃ |
//! | γ | Σ s_i/(s_i + λ): effective parameters, the trace of the hat matrix without the intercept |
//! | ν | degrees of freedom that the evidence counts: n, or n − 1 where the intercept is integrated out |
//!
//! # Example
//! ```
//! use wd_evidence::{Gaussian, MatRef, Options};
//! let x = MatRef::from_row_major_slice(&[0.0, 1.0, 1.0, 0.0, 2.0, 1.0, 3.0, 1.0, 4.0, 0.0, 5.0, 2.0], 6, 2);
//! let y = MatRef::from_row_major_slice(&[0.1, 1.2, 1.9, 3.1, 4.2, 4.8], 6, 1);
//! let model = Gaussian::from_rows(x, y, None, Options::default())?;
//! let best = model.evidence(0)?.maximum();
//! let fit = model.fit(0, best.point.lambda)?;
//! assert!(best.point.effective_parameters < 2.0);
//! assert!((fit.coefficients[0] - 1.0).abs() < 0.1);
//! # Ok::<(), wd_evidence::EvidenceError>(())
//! ```

pub mod columns;
pub mod comparison;
mod error;
pub mod fit;
pub mod gaussian;
pub mod glm;
pub mod groups;
mod normal_equations;
pub mod page;
pub mod statistics;
mod symmetric;

use faer::Par;
pub use faer::{Mat, MatRef};

pub use columns::{Intercept, Options, Weights};
pub use error::EvidenceError;
pub use gaussian::{
    CrossValidation, Evidence, Fit, FixedPoint, Gaussian, LeaveOneOut, Maximum, Outcome, Point,
    Posterior, Prediction, cross_validate, cross_validate_rows,
};
pub use glm::{Family, Glm, GlmPosterior, GlmRows};
pub use groups::{GroupedFit, grouped};
pub use statistics::{SparseRows, Statistics};

/// All threads of the process's rayon pool.
fn parallelism() -> Par {
    Par::rayon(0)
}
