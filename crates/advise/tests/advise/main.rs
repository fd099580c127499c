//! The laws against their papers' numbers, identities and ranges; what they say together; the public recipes.

mod advice;
mod laws;
mod planned;
mod recipes;
