//! Classifiers of images: their shapes, their targets and losses.
//!
//! Images are NHWC in memory, `[image][row][column][channel]`, already normalised by whoever loads
//! them. [`VisionConfig`] is the shape of a model and knows its tensors; [`VisionModel`] computes a
//! batch's loss and its gradient, or logits.

mod cnn;
mod config;
mod layered;
mod mlp;
mod model;
mod network;
mod per_image;
mod resnet;
mod tensors;
mod vit;

pub use cnn::{CnnConfig, ImageNorm};
pub use config::VisionConfig;
pub use mlp::{MlpActivation, MlpConfig};
pub use model::VisionModel;
pub use resnet::{ResnetConfig, Stem};
pub use vit::{VitActivation, VitConfig};
