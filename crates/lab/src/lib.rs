//! Studies: grids of runs, the launcher of their processes, paired statistics, analysis and
//! verdict.
//!
//! | module | question it answers |
//! |---|---|
//! | [`setting`], [`configuration`] | what does `optim.lr=3e-3` mean, and what differs between two configurations? |
//! | [`grid`] | which trials does a command line ask for? |
//! | [`study`] | where do they live, and which are there already? |
//! | [`launch`] | how are their processes started, watched and stopped? |
//! | [`record`] | what is known of one run? |
//! | [`analysis`] | which arms, curves and paired differences came out? |
//! | [`verdict`] | what follows, in words and numbers, and what is still open? |
//! | [`progress`] | how far are the runs, and what is seen of those that still run? |
//! | [`page`], [`run_page`] | the page of a study, and of one run |
//! | [`wording`] | how are statistics written? |
//!
//! This crate links no training code. It starts a command for each trial and reads the run
//! directories that remain.
//!
//! # Symbols
//! | symbol | meaning |
//! |---|---|
//! | λ | weight-decay coefficient, as a person types it |
//! | κ | Σ_t s_t: total decay exponent of a run |
//! | τ | 1/(peak shrink): averaging timescale of the decay |
//! | n | number of (paired) seeds |
//!
//! # Example
//! ```
//! use std::process::Command;
//! use wd_lab::{Grid, Launcher, Outcome, Study};
//! # let folder = tempfile::tempdir()?;
//! # let out = folder.path();
//! let base = "[decay]\nlambda = 0.0\n";
//! let mut study = Study::open_or_create(out, "a first look", base)?;
//! let trials = study.add(&Grid::parse(&["decay.lambda=0,0.1", "run.seed=0..1"])?)?;
//! study.save()?;
//! assert_eq!(trials[1].name, "lambda=0.1,seed=0");
//!
//! // `true` stands for `wd train`: it ends at once, with exit status 0.
//! let report = Launcher::new(2).run(&trials, |_trial| Command::new("true"), |_event| {});
//! assert_eq!(report.outcomes, vec![Outcome::Finished; 4]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod analyse;
pub mod analysis;
pub mod configuration;
mod error;
pub mod grid;
pub mod launch;
mod naming;
pub mod page;
pub mod progress;
pub mod record;
mod recording;
pub mod run_page;
pub mod setting;
pub mod study;
pub mod verdict;
pub mod wording;

pub use analyse::{
    Analysis, AnalysisOptions, analyse, analyse_again, analyse_directories, analyse_records,
    analyse_some,
};
pub use analysis::{
    Arm, Band, Comparison, ComparisonKind, Diverged, Late, NearBest, Pairing, RoleNorm, Setup,
};
pub use error::LabError;
pub use grid::{Axis, Grid};
pub use launch::{Interrupter, Launcher, Outcome};
pub use progress::Progress;
pub use record::{Curve, Record, Recording, TrainingLoss};
pub use setting::Setting;
pub use study::{Study, Trial};
pub use verdict::{ActsAs, Verdict};
