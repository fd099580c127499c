//! Vision transformers: an image's patches as the tokens of a transformer whose attention sees all
//! of them.

mod config;
mod network;

pub use config::{VitActivation, VitConfig};
pub(crate) use network::VitNetwork;
