//! Memory that a model owns, taken once: long arenas, and what every thread at work needs one of.

mod arena;
mod per_thread;

pub(crate) use arena::Arena;
pub(crate) use per_thread::PerThread;
