//! One tensor of a plan.

use serde::{Deserialize, Serialize};
use wd_decay::Role;

/// One tensor of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedTensor {
    /// Path in the model, for example `block.0.mlp.up.weight`.
    pub path: String,
    /// Shape, row-major, output dimension first.
    pub shape: Vec<usize>,
    /// What the tensor does in its model.
    pub role: Role,
    /// Number of elements.
    pub parameters: u64,
    /// λ of this tensor at the peak of the λ schedule.
    pub lambda: f64,
    /// Its learning rate over that of the run.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub rate_ratio: f64,
    /// Why this tensor has this λ.
    pub reason: String,
    /// Root mean square of the initial weights, from the initialisation's formula.
    pub initial_rms: f64,
}

fn one() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(ratio: &f64) -> bool {
    *ratio == 1.0
}
