//! The networks that see each image by itself, behind one door, and the head that they end in.

use wd_decay::Role;

use super::config::VisionConfig;
use super::mlp::MlpNetwork;
use super::vit::VitNetwork;
use crate::Float;
use crate::builder::Builder;
use crate::kernels::store::Store;
use crate::workspace::{Activation, Linear, Workspace};

/// How much of everything a network needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NetworkSizes {
    /// Rows an image becomes.
    pub(crate) tokens: usize,
    /// Columns of the activation arena.
    pub(crate) activation_columns: usize,
    /// Numbers of scratch.
    pub(crate) scratch: usize,
}

/// A classifier of images, without any memory of its own.
#[derive(Debug, Clone)]
pub(crate) enum Network {
    Vit(Box<VitNetwork>),
    Mlp(MlpNetwork),
}

impl Network {
    /// Appends the model's tensors and activations; of a model that works layer by layer there is
    /// none.
    pub(crate) fn new(
        builder: &mut Builder,
        config: &VisionConfig,
    ) -> Option<(Self, NetworkSizes)> {
        Some(match config {
            VisionConfig::Vit(config) => {
                let (network, sizes) = VitNetwork::new(builder, config);
                (Self::Vit(Box::new(network)), sizes)
            }
            VisionConfig::Mlp(config) => {
                let (network, sizes) = MlpNetwork::new(builder, config);
                (Self::Mlp(network), sizes)
            }
            VisionConfig::Cnn(_) | VisionConfig::Resnet(_) => return None,
        })
    }

    /// From the images to the logits.
    pub(crate) fn forward<F: Float>(&self, workspace: &mut Workspace<'_, F>) {
        match self {
            Self::Vit(network) => network.forward(workspace),
            Self::Mlp(network) => network.forward(workspace),
        }
    }

    /// From the logits' gradient to that of every parameter.
    pub(crate) fn backward<F: Float>(&self, workspace: &mut Workspace<'_, F>) {
        match self {
            Self::Vit(network) => network.backward(workspace),
            Self::Mlp(network) => network.backward(workspace),
        }
    }

    /// Where the logits are after the forward, and where the backward expects their gradient.
    pub(crate) fn logits(&self) -> Activation {
        match self {
            Self::Vit(network) => network.logits(),
            Self::Mlp(network) => network.logits(),
        }
    }
}

/// The last map, with its bias.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Classifier {
    head: Linear,
    input: Activation,
    pub(crate) logits: Activation,
}

impl Classifier {
    /// Appends the head's tensors.
    pub(crate) fn new(
        builder: &mut Builder,
        input: Activation,
        logits: Activation,
        std: f64,
    ) -> Self {
        let (path, bias_path) = ("head.weight".into(), "head.bias".into());
        let (classes, width) = (logits.columns, input.columns);
        let weight = builder.matrix(path, classes, width, Role::Head, std);
        let bias = builder.vector(bias_path, classes, Role::Bias, 0.0);
        Self { head: Linear { weight, bias: Some(bias) }, input, logits }
    }

    pub(crate) fn forward<F: Float>(&self, workspace: &mut Workspace<'_, F>) {
        workspace.linear_forward(&self.head, self.input, self.logits);
        if let Some(bias) = self.head.bias {
            workspace.bias_forward(bias, self.logits);
        }
    }

    /// Gradients of the head and, where wanted, of what it reads.
    pub(crate) fn backward<F: Float>(
        &self,
        workspace: &mut Workspace<'_, F>,
        input_gradient: Option<Activation>,
    ) {
        if let Some(bias) = self.head.bias {
            workspace.bias_backward(bias, self.logits);
        }
        workspace.linear_backward_weight(&self.head, self.input, self.logits);
        if let Some(gradient) = input_gradient {
            workspace.linear_backward_input(&self.head, self.logits, gradient, Store::Overwrite);
        }
    }
}
