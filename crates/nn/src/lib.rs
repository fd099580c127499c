//! The training engine: small GPTs and image classifiers, forward and backward by hand, on the CPU.
//!
//! - [`GptConfig`] is the shape of a model; [`ParameterLayout`] says where each tensor lies in one
//!   flat arena;
//! - [`Gpt`] computes a batch's loss and its gradient with respect to that arena. It knows no
//!   optimizer and no file;
//! - [`VisionConfig`] and [`VisionModel`] are the same for classifiers of images: vision
//!   transformers and MLPs.
//!
//! Inside, `model`, `vision`, `transformer` and `layers` describe the networks as operations on
//! handles, a `workspace` resolves the handles to memory, and `kernels` holds the arithmetic.
//! Everything is generic over [`Float`], so the tests can check every backward by finite
//! differences in f64.
//!
//! The same seed gives the same bits on any number of threads. It need not on another processor:
//! how a sum is cut depends on the width of its registers.

mod accumulators;
mod builder;
mod config;
mod error;
mod exponential;
mod float;
mod gpt;
mod image;
mod initialize;
mod kernels;
mod layers;
mod layout;
mod memory;
mod model;
mod random;
mod simd;
mod targets;
mod transformer;
mod vision;
mod workspace;

pub use config::{Activation, GptConfig, Norm, Position};
pub use error::NnError;
pub use float::Float;
pub use gpt::{DropoutKey, Gpt};
pub use image::ImageShape;
pub use kernels::pool::Pooling;
pub use kernels::sequence_pool::Pool;
pub use layout::{ParameterLayout, ParameterSegment};
pub use targets::{ClassLoss, Targets};
pub use vision::{
    CnnConfig, ImageNorm, MlpActivation, MlpConfig, ResnetConfig, Stem, VisionConfig, VisionModel,
    VitActivation, VitConfig,
};
