//! Small-sample statistics: what a mean, a difference or a share over a few runs is worth.
//!
//! | file | what |
//! |---|---|
//! | [`student`] | quantiles and two-sided p of Student's t |
//! | [`mod@interval`] | a mean with its 95 % interval |
//! | [`paired`] | paired differences, and the seeds that significance needs |
//! | [`mod@holm`] | the correction for several comparisons |
//! | [`mod@equivalence`] | two one-sided tests: is a difference inside a margin? |
//! | [`crossing`] | where a mean difference falls through zero, with a bootstrap interval |
//! | [`bootstrap`] | a check beside an interval, which says when there are too few values |
//! | [`sequential`] | looking after every seed at a controlled error |
//! | [`noise`] | the spread of a difference, as it grows with the distance of two λ |
//! | [`mod@nearest`] | which arms are within ε of the best, and what would settle the others |
//! | [`target`] | is a mean below a target? |
//! | [`share`] | a share of counted things with its 95 % interval |
//! | [`quantiles`] | quartiles by the nearest rank |
//!
//! Values that are not finite are left out of means and tests. What cannot be computed from so few
//! values is NaN or absent, never a guess.
//!
//! # Symbols
//! | symbol | meaning |
//! |---|---|
//! | n | number of (paired) seeds |
//! | x̄, s | mean and standard deviation (n − 1 in the denominator) of the seeds' values |
//! | t_{p,ν} | p-quantile of Student's t with ν degrees of freedom |
//!
//! # Example
//! ```
//! use wd_statistics::PairedDifference;
//!
//! // Loss with λ minus loss without, of the same three seeds.
//! let difference = PairedDifference::of(vec![(0, -0.0060), (1, -0.0066), (2, -0.0063)]);
//! assert!(difference.significant);
//! assert!((difference.interval.mean + 0.0063).abs() < 1e-12);
//! ```

pub mod bootstrap;
pub mod crossing;
pub mod equivalence;
pub mod holm;
pub mod interval;
pub mod nearest;
pub mod noise;
pub mod paired;
pub mod quantiles;
pub mod sequential;
pub mod share;
pub mod student;
pub mod target;

pub use bootstrap::{BootstrapCheck, bootstrap_check};
pub use crossing::{Crossing, cross_down, crossing_of};
pub use equivalence::{Equivalence, equivalence, seeds_for_equivalence};
pub use holm::{adjust_family, holm};
pub use interval::{Interval, interval, mean, standard_deviation};
pub use nearest::{Candidate, Nearest, Nearness, Standing, nearest};
pub use noise::{DifferenceNoise, DistantDifferences};
pub use paired::{MOST_SEEDS, PairedDifference, seeds_needed};
pub use quantiles::quartiles;
pub use sequential::{Look, LookRule, look};
pub use share::share_interval;
pub use student::{LEVEL, quantile, two_sided_p};
pub use target::{TargetTest, below_target};
