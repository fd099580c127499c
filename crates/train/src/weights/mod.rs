//! Weights in files: in our own names, as checkpoints hold them, or in those of another library.

mod arenas;
mod dialect;
mod export;
pub(crate) mod gpt2;
mod import;
pub(crate) mod timm;
mod torchvision;

pub(crate) use arenas::{Arenas, Weights};
pub use export::export_run;
pub(crate) use import::import;
