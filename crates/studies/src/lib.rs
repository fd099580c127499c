//! The studies that the project ships, a folder each: what they train or draw, what they claim, and
//! their page.
//!
//! | module | question |
//! |---|---|
//! | [`force`] | what does λ do to a small language model that sees each token once? |
//! | [`vision`] | where does the best λ lie, for models of images and amounts of data? |
//! | [`prior`] | what does a Gaussian prior do in a linear model, over many draws? |
//! | [`claims`] | what do all of these say to a post on weight decay, claim by claim? |
//!
//! [`Findings`] reads any study of runs, whichever it is.
//!
//! This crate links no training code: the trials of `force` and `vision` are processes, of which it
//! reads the run directories.

pub mod claims;
mod definition;
mod error;
mod findings;
pub mod force;
pub mod prior;
pub mod vision;

pub use definition::{Definition, Length};
pub use error::StudyError;
pub use findings::Findings;
