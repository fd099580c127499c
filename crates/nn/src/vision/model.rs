//! An image classifier with the memory to train it.

use super::layered::Network;
use super::{Targets, VisionConfig};
use crate::{DropoutKey, Float, NnError, ParameterLayout};

/// An image classifier that computes losses and gradients; owns all the memory that a step needs, so that a step
/// allocates nothing.
///
/// Parameters, gradients and running statistics are the caller's, laid out as [`VisionConfig::layout`] and
/// [`VisionConfig::running_statistics`] say. Work runs on the current rayon pool.
pub struct VisionModel<F> {
    config: VisionConfig,
    network: Network<F>,
}

impl<F: Float> VisionModel<F> {
    /// Memory for batches of at most `images` images, worked on by at most `threads` threads at a time.
    ///
    /// # Errors
    /// [`NnError::Configuration`] if the configuration is not possible, or `images` or `threads` is 0.
    pub fn new(config: VisionConfig, images: usize, threads: usize) -> Result<Self, NnError> {
        config.validate()?;
        crate::config::check_size("images", images)?;
        crate::config::check_size("threads", threads)?;
        let plan = match &config {
            VisionConfig::Cnn(config) => config.plan(),
            VisionConfig::Resnet(config) => config.plan(),
            VisionConfig::Vit(_) | VisionConfig::Mlp(_) => unreachable!("merged with nn-vit"),
        };
        let network = Network::new(plan, config.loss(), images, threads);
        Ok(Self { config, network })
    }

    /// Mean loss over the batch and its gradient.
    pub fn loss_and_gradient(
        &mut self,
        parameters: &[F],
        gradients: &mut [F],
        running: &mut [F],
        images: &[F],
        targets: Targets<'_>,
        _dropout: DropoutKey,
    ) -> Result<f64, NnError> {
        self.network
            .loss_and_gradient(parameters, gradients, running, images, targets)
    }

    /// `logits` `[image][class]` in evaluation mode.
    pub fn logits(
        &mut self,
        parameters: &[F],
        running: &[F],
        images: &[F],
        logits: &mut [F],
    ) -> Result<(), NnError> {
        self.network.logits(parameters, running, images, logits)
    }

    /// The configuration that the model was made from.
    pub fn config(&self) -> &VisionConfig {
        &self.config
    }

    /// Bytes that the model owns.
    pub fn memory_bytes(&self) -> usize {
        self.network.memory_bytes()
    }
}

impl VisionConfig {
    fn plan(&self) -> super::layered::Plan {
        match self {
            VisionConfig::Cnn(config) => config.plan(),
            VisionConfig::Resnet(config) => config.plan(),
            VisionConfig::Vit(_) | VisionConfig::Mlp(_) => unreachable!("merged with nn-vit"),
        }
    }
    /// Every tensor of the model.
    pub fn layout(&self) -> ParameterLayout {
        self.plan().layout
    }
    /// Batch norm's running statistics.
    pub fn running_statistics(&self) -> ParameterLayout {
        self.plan().running
    }
    /// Floating-point operations of forward and backward an image.
    pub fn flops_per_image(&self) -> f64 {
        self.plan().flops_per_image()
    }
    /// Fills `parameters` with initial values.
    pub fn initialize(&self, seed: u64, parameters: &mut [f32]) -> Result<(), NnError> {
        self.layout().initialize(seed, parameters)
    }
}
