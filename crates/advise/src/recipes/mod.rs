//! Public recipes, and how far they are from the laws.
//!
//! Only recipes whose numbers were read in the configuration, code or model card (mark P) or in a
//! note that quotes them (mark S) are here; what was remembered is not.

mod all;
mod comparison;
mod departure;
mod nearest;
pub(crate) mod one_unit;
mod page;
mod recipe;

pub use all::all;
pub use comparison::RecipeComparison;
pub use departure::Departure;
pub use nearest::nearest;
pub use page::page;
pub use recipe::{Mark, Recipe};
