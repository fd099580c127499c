//! Choosing λ by published law: each law with its source and the range in which it was established.
//!
//! | file | question it answers |
//! |---|---|
//! | [`run`] | which run is planned? |
//! | [`law`] | what is a law, and what can it answer? |
//! | [`laws`] | which laws are there? |
//! | [`verdict`] | what do their answers come to together? |
//! | [`advice`] | what do they say of a run, and what would settle it where they disagree? |
//! | [`record`] | what does a record that took no part in a law say of it? |
//! | [`scaling`] | what would λ be at another batch, budget, model or width? |
//! | [`recipes`] | what do public recipes use, and how far are they from the law? |
//! | [`target`] | what is the recommended λ in another library? |
//! | [`standing`] | where does a λ stand that somebody has chosen? |
//! | [`report`] | what is the whole answer, as data and as a page? |
//!
//! λ is that of `decoupled` decay, w ← w − η_tλw with η the learning rate, as in
//! `torch.optim.AdamW`, wherever it is not said otherwise.
//!
//! # Example
//! ```
//! use wd_advise::{PlannedRun, Verdict, advise};
//! use wd_decay::{Run, Schedule, ScheduleKind, Unit};
//!
//! let run = Run {
//!     unit: Unit::Token,
//!     parameters: Some(124_000_000),
//!     total: Some(3.28e9),
//!     batch: Some(65_536.0),
//!     schedule: Some(Schedule::new(ScheduleKind::Cosine, 400, 50_000, 0.1, 0)?),
//!     ..Run::at_peak(6e-4)
//! };
//! let Verdict::Recommended { lambda, laws, .. } = advise(&PlannedRun::new(&run)?).verdict else {
//!     panic!("a law applies")
//! };
//! assert_eq!(laws, ["power-lines"]);
//! assert!((lambda - 0.17).abs() < 0.005);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod advice;
mod check;
mod error;
pub mod law;
pub mod laws;
mod page;
pub mod recipes;
pub mod record;
pub mod report;
pub mod run;
pub mod scaling;
pub mod standing;
pub mod target;
pub mod verdict;
mod words;

pub use advice::{Advice, Sweep, advise};
pub use error::AdviseError;
pub use law::{Answer, HALF_STEP, Interval, Law, Range};
pub use recipes::{Departure, Mark, Recipe, RecipeComparison};
pub use record::IndependentRecord;
pub use report::AdviceReport;
pub use run::{Doubt, PlannedRun};
pub use scaling::{Axis, ScaledLambda, ScalingTable};
pub use standing::{Explained, Standing};
pub use target::TargetLambda;
pub use verdict::{LawAnswer, Position, Verdict};
