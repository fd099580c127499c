//! What runs show: arms, and their paired differences.
//!
//! An *arm* is every trial that differs only in `run.seed`. A *comparison* pairs the seeds of one
//! arm with the same seeds of its baseline (λ = 0, every other setting equal): both runs of a pair
//! saw the same batches from the same initial weights, so their difference is far less noisy than
//! either loss.
//!
//! | name | meaning |
//! |---|---|
//! | final training loss | mean of `train_loss` over the last 5 % of the steps |
//! | final validation loss | `validation_loss` of the final weights |
//! | gap | `validation_loss` − `train_eval_loss`, both of the final weights |
//! | late | between 88 % and 98 % of the steps |
//!
//! Every interval is a two-sided 95 % Student interval over seeds; with one seed its ends are NaN
//! (`null` in JSON).

mod arm;
pub(crate) mod arms;
mod comparison;
mod group;
pub(crate) mod measured;
pub(crate) mod near;
mod norm;
pub(crate) mod pairs;
pub(crate) mod window;

pub use arm::{Arm, Band, Diverged, Late, RoleNorm, Setup};
pub use comparison::{Comparison, ComparisonKind, Pairing};
pub use near::NearBest;
pub use norm::predicted_rms;
