//! Multilayer perceptrons: what a model knows that is told nothing of images.

mod config;
mod network;

pub use config::{MlpActivation, MlpConfig};
pub(crate) use network::MlpNetwork;
