//! Statistics in words: how an interval, a difference and what it is worth are written.
//!
//! | file | what |
//! |---|---|
//! | [`interval`] | a mean with its interval, wherever it stands |
//! | [`sentence`] | the sentences of a verdict: `−0.0063 [−0.0096, −0.0030], n = 5` |
//! | [`cell`] | the cells of a table and the captions of a figure: `−0.0063 ± 0.0034` |

pub mod cell;
pub mod interval;
pub mod sentence;

pub use interval::Ends;
