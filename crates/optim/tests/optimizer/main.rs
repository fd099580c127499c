//! The optimizers as their users see them.

mod arena;
mod golden;
mod invariance;
mod measurements;
mod norms;
mod refusals;
mod rules;
mod state;
mod threads;
