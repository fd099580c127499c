//! Choosing λ by published law: each law with its source and the range in which it was established.
//!
//! | file | question it answers |
//! |---|---|
//! | [`run`] | which run is planned? |
//! | [`law`] | what is a law, and what can it answer? |
//! | [`laws`] | which laws are there? |
//! | [`advice`] | what do they say together, and what would settle it where they disagree? |
//! | [`elsewhere`] | what would λ be at another batch, budget, model or width? |
//! | [`recipes`] | what do public recipes use, and how far are they from the law? |
//!
//! λ is that of `decoupled` decay, w ← w − η_tλw with η the learning rate, as in `torch.optim.AdamW`, wherever it is
//! not said otherwise.
//!
//! # Example
//! ```
//! use wd_advise::{Circumstances, PlannedRun, Verdict, advise};
//! use wd_conventions::RunDeclaration;
//!
//! let mut declared = RunDeclaration::default();
//! for (key, value) in [("params", "124M"), ("tokens", "3.28B"), ("batch", "65536tok"), ("schedule", "cosine:0.1")] {
//!     declared.set(key, value)?;
//! }
//! declared.peak_learning_rate = Some(wd_decay::Given::typed(6e-4));
//! let run = PlannedRun::new(&declared.resolve()?, Circumstances::default())?;
//! let Verdict::Recommended { lambda, laws, .. } = advise(&run).verdict else { panic!("a law applies") };
//! assert_eq!(laws, ["power-lines"]);
//! assert!((lambda - 0.17).abs() < 0.005);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod advice;
mod check;
pub mod elsewhere;
mod error;
pub mod law;
pub mod laws;
mod page;
pub mod recipes;
pub mod run;
mod words;

pub use advice::{Advice, Judged, Position, Sweep, Verdict, advise};
pub use elsewhere::{Axis, Elsewhere, Place};
pub use error::AdviseError;
pub use law::{Answer, HALF_STEP, Interval, Law, Range};
pub use recipes::{Mark, Recipe, Standing};
pub use run::{Circumstances, Optimizer, PlannedRun};
