//! Applying λ: optimizer directions × decay rules, in one fused pass over flat slices that measures
//! as it goes.
//!
//! An [`Optimizer`] holds the state of one arena of parameters. Its [`step`](Optimizer::step) takes
//! the arena of gradients and moves the parameters:
//!
//! 1. g ← min(1, clip/‖g‖) g, when clipping is on (the norm is over all tensors);
//! 2. g ← g + λ(w − a), under [`CoupledL2`](wd_decay::DecayRule::CoupledL2);
//! 3. the direction u is formed from g and the state;
//! 4. w ← w − s(w − a), under every other rule;
//! 5. w ← w − ηu.
//!
//! Under [`Hyperball`](wd_decay::DecayRule::Hyperball), a held tensor takes w ← R·Norm(w −
//! ηR·Norm(u)) in the place of 4 and 5. Where weights decay to a target norm R, w − a is (1 −
//! R/‖w‖)w.
//!
//! The *cautious* modifier (arXiv 2510.12402) keeps 4 to the coordinates where u·(w − a) ≥ 0. Since
//! u is *subtracted*, these are the coordinates that the optimizer itself moves towards the anchor
//! (or leaves alone): there the decay goes along with it, elsewhere it would fight it.
//!
//! What each direction u is stands at [`Direction`]; what s is, at
//! [`DecayRule`](wd_decay::DecayRule). Hyper-parameters are `f64`; weights, gradients and state are
//! `f32`. Weights may be stored in bf16 ([`Optimizer::set_storage`]): then they are rounded after
//! each step, and rounded to nearest, after 4 too.
//!
//! A step runs in the current rayon pool, allocates nothing, and gives the same bits whatever the
//! number of threads: the arithmetic is cut into fixed chunks, whose measurements are added in a
//! fixed order. AVX2 or AVX-512 is picked at run time.
//!
//! | file | idea |
//! |---|---|
//! | `config` | which optimizer, and which combinations are refused |
//! | `direction`, `decay` | the arithmetic of one coordinate: u, and the decay beside or within it |
//! | `pass` | both fused over a chunk, with the sums that measure it |
//! | `chunks` | chunks over threads |
//! | `clip` | the norm of all gradients |
//! | `newton_schulz`, `muon` | the one direction that is not a matter of single coordinates |
//! | `sphere` | the step whose size and norm are fixed (Hyperball) |
//! | `moves` | how far a step moves each tensor, and the moving |
//! | `measurement` | from sums to norms |
//! | `state` | momentum and moments; saving and restoring |
//! | `storage` | weights that are stored in bf16 |
//! | `optimizer` | a step from its beginning to its end |

mod chunks;
mod clip;
mod config;
mod decay;
mod direction;
mod error;
mod measurement;
mod moves;
mod muon;
mod newton_schulz;
mod optimizer;
mod pass;
mod sphere;
mod state;
mod storage;

pub use config::{AdamParameters, Direction, OptimizerConfig, StepSettings, TensorSettings};
pub use error::OptimError;
pub use measurement::{StepReport, TensorMeasurement};
pub use optimizer::Optimizer;
pub use storage::round_to_bf16;

/// The vector instructions that this processor was found to have: `AVX-512`, `AVX2` or `baseline`.
pub fn instruction_set() -> &'static str {
    match pulp::Arch::new() {
        #[cfg(target_arch = "x86_64")]
        pulp::Arch::V4(_) => "AVX-512",
        #[cfg(target_arch = "x86_64")]
        pulp::Arch::V3(_) => "AVX2",
        _ => "baseline",
    }
}
