//! The laws against their papers' numbers, identities and ranges; what they say together; the
//! public recipes.

mod advice;
mod laws;
mod one_unit;
mod page;
mod planned;
mod recipes;
mod truth;
