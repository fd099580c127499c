//! The optimizers as their users see them.

mod arena;
mod equilibrium;
mod golden;
mod invariance;
mod measurements;
mod norms;
mod refusals;
mod rules;
mod state;
mod storage;
mod threads;
