//! The training engine: small GPTs and image classifiers, forward and backward by hand, on the CPU.
//!
//! - [`GptConfig`] is the shape of a model; [`ParameterLayout`] says where each tensor lies in one flat arena;
//! - [`Gpt`] computes a batch's loss and its gradient with respect to that arena. It knows no optimizer and no file;
//! - [`VisionConfig`] and [`VisionModel`] are the same for classifiers of images: vision transformers and MLPs.
//!
//! Inside, `model`, `vision`, `transformer` and `layers` describe the networks as operations on handles, `device` is the seam behind which the
//! handles become memory, and `kernels` holds the arithmetic. Everything is generic over [`Float`], so the tests can
//! check every backward by finite differences in f64.
//!
//! The same seed gives the same bits on any number of threads. It need not on another processor: how a sum is cut
//! depends on the width of its registers.

mod config;
mod device;
mod error;
mod float;
mod gpt;
mod initialize;
mod kernels;
mod lanes;
mod layers;
mod layout;
mod model;
mod random;
mod simd;
mod transformer;
mod vision;

pub use config::{Activation, GptConfig, Norm, Position};
pub use error::NnError;
pub use float::Float;
pub use gpt::{DropoutKey, Gpt};
pub use kernels::pool::Pooling;
pub use layout::{ParameterLayout, ParameterSegment};
pub use vision::{
    ClassLoss, CnnConfig, ImageNorm, ImageShape, MlpActivation, MlpConfig, Pool, ResnetConfig,
    Stem, Targets, VisionConfig, VisionModel, VitActivation, VitConfig,
};
