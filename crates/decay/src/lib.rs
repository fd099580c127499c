//! λ's mathematics and vocabulary: pure `f64`, without tensors and without files.
//!
//! | file | question it answers |
//! |---|---|
//! | [`role`] | what is this tensor? |
//! | [`policy`] | does this tensor decay, with which λ, and why? |
//! | [`schedule`] | what multiplies the peak learning rate (or λ) at step t? |
//! | [`rule`] | how does λ become this step's shrink? |
//! | [`mod@shrink`] | how much does a step take off, through whichever optimizer? |
//! | [`optimizer_kind`] | which family of optimizers is it? |
//! | [`anchor`] | towards which point does a tensor decay? |
//! | [`momenta`] | how does an optimizer remember earlier gradients? |
//! | [`timescale`] | how much of the start is forgotten, and over how many steps? |
//! | [`mod@memory`] | which steps do the final weights still hold? |
//! | [`norm`] | which weight norm does theory predict at each step? |
//! | [`mod@equivalence`] | which λ, τ, norm and angle are the same thing? |
//! | [`run`] | which run is a λ part of? |
//! | [`mod@unit`] | what does a number count? |
//! | [`names`] | which known name did a person mean? |
//!
//! # Symbols
//! | symbol | meaning |
//! |---|---|
//! | η_t, η_max | learning rate of step t, its peak |
//! | λ | weight-decay coefficient, as a person types it |
//! | s_t | shrink: the step's multiplier in w ← w − s_t(w − a) |
//! | a | anchor: the point a tensor decays to (0 by default) |
//! | κ | Σ_t s_t: total decay exponent; e^−κ of the start is left |
//! | τ | 1/s_peak: the averaging timescale in steps |
//! | ρ | mean square of a tensor's weights; its root is the RMS |
//!
//! # Example
//! ```
//! use wd_decay::{Application, DecayRule, LearningRate, PeakLearningRate, Shrink};
//! use wd_decay::{Schedule, ScheduleKind};
//!
//! let schedule = Schedule::new(ScheduleKind::Cosine, 100, 1000, 0.1, 0)?;
//! let peak = PeakLearningRate(1e-3);
//! let rate = LearningRate(peak.0 * schedule.factor(100));
//! let decay = DecayRule::Decoupled.apply(0.1, rate, peak);
//! assert_eq!(decay, Application::Shrink(Shrink(1e-4)));
//! # Ok::<(), wd_decay::DecayError>(())
//! ```

pub mod anchor;
mod counted;
pub mod equivalence;
mod error;
pub mod memory;
pub mod momenta;
pub mod names;
pub mod norm;
pub mod optimizer_kind;
pub mod points;
pub mod policy;
pub mod role;
pub mod rule;
pub mod run;
pub mod schedule;
pub mod shrink;
pub mod storage;
pub mod timescale;
pub mod unit;

use counted::counted;

pub use anchor::Anchor;
pub use equivalence::{Equivalence, Known, equivalence};
pub use error::DecayError;
pub use memory::Memory;
pub use momenta::Momenta;
pub use norm::{
    Equilibrium, MuonScale, UpdateNoise, coupled_sgd_equilibrium, norm_recursion,
    scale_invariant_sgd_norm,
};
pub use optimizer_kind::OptimizerKind;
pub use points::{Curve, Point, Points};
pub use policy::{
    Choice, DecayPolicy, DecidedBy, Preset, TensorDescription, in_order, last_matches,
};
pub use role::Role;
pub use rule::{Application, DecayRule, LearningRate, PeakLearningRate, Shrink};
pub use run::{Declared, Dtype, Loss, Reduction, Run, Spared};
pub use schedule::{Schedule, ScheduleKind};
pub use shrink::{PenaltyPath, StepShrink};
pub use storage::Storage;
pub use timescale::{Timescale, tokens_per_parameter};
pub use unit::Unit;
