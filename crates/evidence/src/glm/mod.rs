//! Classes and counts: λ by Laplace's approximation to the evidence.
//!
//! With log likelihood ℓ(W, b) = Σ w ln p(y | W, b), a prior N(0, 1/α) on each of the d·K
//! standardised weights and a flat one on the intercepts, the mode (Ŵ, b̂) is found by Newton's
//! method, and around it, with H = −∇²ℓ + α at the mode,
//!
//! ln p(y | α) ≈ ℓ − ½α‖Ŵ‖² + ½dK ln α − ½ ln|H| + ½(number of intercepts) ln 2π.
//!
//! λ is α: the likelihood is *summed*, so that scikit-learn's `LogisticRegression(C=1/λ)` and
//! statsmodels' Poisson with penalty ½λ‖w‖² have the same mode. γ = dK − α tr(H⁻¹) over the
//! weights. Source: MacKay 1992 (“The evidence framework applied to classification networks”);
//! Bishop 2006, §4.4–4.5.
//!
//! | file | question it answers |
//! |---|---|
//! | `family` | which likelihood, with which derivatives? |
//! | `design` | which rows and columns, standardised? More columns than rows are rotated into as many as rows |
//! | `curvature` | ∇ℓ, −∇²ℓ, and how −∇²ℓ turns along the path |
//! | `mode` | Newton's method |
//! | `laplace` | evidence, γ and slope of one λ |
//! | `search` | the path, and the λ of highest evidence |
//! | `held_out` | log loss on rows left out |
//! | `leave_one_out` | about the same of each row by all others, without n fits |
//! | `posterior` | probabilities, and these averaged over the posterior |

mod curvature;
mod design;
mod family;
mod held_out;
mod laplace;
mod leave_one_out;
mod mode;
mod posterior;
mod search;

pub use design::{Glm, GlmRows};
pub use family::Family;
pub use held_out::{FoldLosses, cross_validate};
pub use laplace::LaplacePoint;
pub use posterior::{GlmPosterior, GlmPrediction};
pub use search::GlmMaximum;
