//! Linear models with Gaussian noise: everything about every λ from one reduction of the smaller
//! Gram matrix.
//!
//! X̃ᵀX̃ = QTQᵀ with T tridiagonal costs 4p³/3 operations, and no eigenvectors are ever formed:
//! eigenvalues s and the rotated target z = Vᵀ X̃ᵀỹ come from T in O(p²) (Golub & Welsch 1969),
//! after which evidence, γ, ‖w‖² and the residual of any λ cost O(p), and coefficients, w = Q(T +
//! λ)⁻¹QᵀX̃ᵀỹ, O(p²). With more columns than rows the n × n matrix X̃X̃ᵀ takes the place of X̃ᵀX̃:
//! the dual, w = X̃ᵀ(X̃X̃ᵀ + λ)⁻¹ỹ.
//!
//! | file | question it answers |
//! |---|---|
//! | `model` | which matrix, from which data? |
//! | `solution` | coefficients at one λ or many |
//! | `tridiagonal` | Q and T; solving (T + λ)a = b |
//! | `spectrum` | s and z from T |
//! | `evidence` | γ, evidence, residual, GCV of one λ |
//! | `maximum` | which λ has the highest evidence, and how sharply? |
//! | `fixed_point` | and by MacKay's iteration? |
//! | `leave_one_out` | which λ predicts a row left out best? |
//! | `recurrence` | leverages in the tridiagonal basis |
//! | `folds` | and a fold, or a hold-out, left out? |
//! | `posterior` | how sure is it of coefficients and predictions? |

mod evidence;
mod fixed_point;
mod folds;
mod leave_one_out;
mod maximum;
mod model;
mod posterior;
mod recurrence;
mod solution;
mod spectrum;
mod tridiagonal;

pub use evidence::{Evidence, Point};
pub use fixed_point::FixedPoint;
pub use folds::{CrossValidation, cross_validate, cross_validate_rows};
pub(crate) use folds::{check_folds, summarize};
pub use leave_one_out::LeaveOneOut;
pub(crate) use maximum::NORMAL_975;
pub use maximum::{Maximum, Outcome};
pub use model::{Fit, Gaussian};
pub use posterior::{Posterior, Prediction};
