//! Small-sample statistics over paired seeds.
//!
//! | file | what |
//! |---|---|
//! | [`student`] | quantiles, p and 95 % intervals of Student's t |
//! | [`paired`] | paired differences, the seeds that significance needs |
//! | [`mod@holm`] | correction for several comparisons |
//! | [`mod@equivalence`] | two one-sided tests: is a difference inside a margin? |
//! | [`crossing`] | where a mean difference falls through zero, with a bootstrap interval |
//! | [`window`] | means over windows of a run |

pub mod crossing;
pub mod equivalence;
pub mod holm;
pub mod paired;
pub mod student;
pub mod window;

pub use crossing::{cross_down, crossing_of};
pub use equivalence::{Equivalence, equivalence, seeds_for_equivalence};
pub use holm::{adjust_family, holm};
pub use paired::{MOST_SEEDS, seeds_needed};
pub use student::{interval, quantile, standard_deviation, two_sided_p};
