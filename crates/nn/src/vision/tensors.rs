//! The tensors of a classifier, their initial weights, and the work that they make.

use super::config::VisionConfig;
use super::layered;
use super::network::Network;
use crate::builder::Builder;
use crate::{NnError, ParameterLayout};

impl VisionConfig {
    /// Every tensor of the model: path, shape, role, offset, initial distribution.
    ///
    /// Weights lie in the arena as in PyTorch: maps `[out, in]`, convolutions `[out, in, rows,
    /// columns]`, a patch embedding among them. Call [`VisionConfig::validate`] first: the layout
    /// of a configuration that it refuses means nothing.
    pub fn layout(&self) -> ParameterLayout {
        if let Some(plan) = self.layered() {
            return plan.layout;
        }
        let mut builder = Builder::default();
        let _ = Network::new(&mut builder, self);
        builder.layout
    }

    /// What batch norm remembers of the batches it saw: running means, 0 at first, and variances, 1
    /// at first; nothing of a ViT and an MLP.
    pub fn running_statistics(&self) -> ParameterLayout {
        self.layered().map(|plan| plan.running).unwrap_or_default()
    }

    /// The stages of a model that works layer by layer.
    pub(super) fn layered(&self) -> Option<layered::Plan> {
        match self {
            Self::Cnn(config) => Some(config.plan()),
            Self::Resnet(config) => Some(config.plan()),
            Self::Vit(_) | Self::Mlp(_) => None,
        }
    }

    /// Fills `parameters` with initial weights.
    ///
    /// CNN and ResNet: see [`CnnConfig`](crate::CnnConfig) and [`ResnetConfig`](crate::ResnetConfig). ViT, as timm and DeiT: N(0, 0.02²)
    /// for maps, the head and positions, N(0, 1e-6²) for the class token; the patch embedding N(0,
    /// 1/(3·inputs)), the variance of PyTorch's uniform numbers. MLP: N(0, 2/inputs) for hidden
    /// layers, N(0, 1/inputs) for the head. Biases 0, norm gains 1.
    ///
    /// A tensor's numbers are a function of (`seed`, path, element).
    ///
    /// # Errors
    /// [`NnError::Length`] if `parameters` does not have the layout's length;
    /// [`NnError::Configuration`].
    pub fn initialize(&self, seed: u64, parameters: &mut [f32]) -> Result<(), NnError> {
        self.validate()?;
        self.layout().initialize(seed, parameters)
    }

    /// Floating-point operations of forward and backward per image, in matrix products alone.
    ///
    /// Six per weight and row that it meets, four in the first map (images need no gradient), and
    /// what attention multiplies. What the backward computes a second time is not counted; what a
    /// ViT with a class token need not compute, its last block's maps of the patches, is.
    pub fn flops_per_image(&self) -> f64 {
        match self {
            Self::Vit(config) => config.flops_per_image(),
            Self::Mlp(config) => config.flops_per_image(),
            Self::Cnn(config) => config.plan().flops_per_image(),
            Self::Resnet(config) => config.plan().flops_per_image(),
        }
    }
}
