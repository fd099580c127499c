//! An MLP: the image as one long row, hidden layers, the head.

use super::config::{MlpActivation, MlpConfig};
use crate::Float;
use crate::builder::Builder;
use crate::kernels::activation::Pointwise;
use crate::kernels::patch::PatchShape;
use crate::kernels::store::Store;
use crate::vision::network::{Classifier, NetworkSizes};
use crate::workspace::{Activation, DropoutSite, Linear, Workspace};

/// A map, the non-linearity and dropout.
#[derive(Debug, Clone, Copy)]
struct HiddenLayer {
    linear: Linear,
    site: DropoutSite,
    input: Activation,
    /// The map's output, before the non-linearity.
    pre: Activation,
    output: Activation,
    gradient: Activation,
}

/// The whole model, without any memory of its own.
#[derive(Debug, Clone)]
pub(crate) struct MlpNetwork {
    /// The whole image as one patch.
    pixels: PatchShape,
    input: Activation,
    function: Pointwise,
    layers: Vec<HiddenLayer>,
    classifier: Classifier,
}

impl MlpNetwork {
    /// Appends the model's tensors.
    pub(crate) fn new(builder: &mut Builder, config: &MlpConfig) -> (Self, NetworkSizes) {
        let input = builder.plan.take(config.image.numbers());
        let mut last = input;
        let mut layers = Vec::new();
        for (index, outputs) in config.hidden.iter().enumerate() {
            // Keeps the variance of the activations under ReLU (He et al., 1502.01852, equation
            // 10).
            let std = (2.0 / last.columns as f64).sqrt();
            let path = format!("hidden.{index}");
            let layer = HiddenLayer {
                linear: builder.linear(&path, [*outputs, last.columns], std, true),
                site: builder.dropout_site(),
                input: last,
                pre: builder.plan.take(*outputs),
                output: builder.plan.take(*outputs),
                gradient: builder.plan.take(*outputs),
            };
            last = layer.output;
            layers.push(layer);
        }
        let logits = builder.plan.take(config.classes);
        let network = Self {
            pixels: PatchShape {
                image: config.image,
                height: config.image.height,
                width: config.image.width,
                class_token: false,
            },
            input,
            function: match config.activation {
                MlpActivation::Relu => Pointwise::Relu,
                MlpActivation::Gelu => Pointwise::Gelu,
            },
            layers,
            classifier: Classifier::new(builder, last, logits, 1.0 / (last.columns as f64).sqrt()),
        };
        let sizes =
            NetworkSizes { tokens: 1, activation_columns: builder.plan.columns, scratch: 0 };
        (network, sizes)
    }

    /// From the images to the logits.
    pub(crate) fn forward<F: Float>(&self, workspace: &mut Workspace<'_, F>) {
        workspace.patches_forward(self.pixels, self.input);
        for layer in &self.layers {
            workspace.linear_forward(&layer.linear, layer.input, layer.pre);
            workspace.pointwise_forward(self.function, layer.linear.bias, layer.pre, layer.output);
            workspace.dropout(layer.site, layer.output);
        }
        self.classifier.forward(workspace);
    }

    /// From the logits' gradient to that of every parameter.
    pub(crate) fn backward<F: Float>(&self, workspace: &mut Workspace<'_, F>) {
        let gradient_below = |index: usize| {
            let below = index.checked_sub(1)?;
            Some(self.layers[below].gradient)
        };
        let last = gradient_below(self.layers.len());
        self.classifier.backward(workspace, last);
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let HiddenLayer { linear, input, pre, output, gradient, .. } = *layer;
            workspace.dropout(layer.site, gradient);
            // Computes the output again without its mask; nobody reads it any more.
            workspace.pointwise_backward(self.function, linear.bias, pre, output, gradient);
            workspace.linear_backward_weight(&linear, input, gradient);
            if let Some(input_gradient) = gradient_below(index) {
                workspace.linear_backward_input(
                    &linear,
                    gradient,
                    input_gradient,
                    Store::Overwrite,
                );
            }
        }
    }

    pub(crate) fn logits(&self) -> Activation {
        self.classifier.logits
    }
}

impl MlpConfig {
    /// Six operations a weight, four in the first map: images need no gradient.
    pub(crate) fn flops_per_image(&self) -> f64 {
        let mut inputs = self.image.numbers() as f64;
        let mut flops = 0.0;
        for (index, outputs) in self.hidden.iter().chain([&self.classes]).enumerate() {
            let outputs = *outputs as f64;
            flops += if index == 0 { 4.0 } else { 6.0 } * inputs * outputs;
            inputs = outputs;
        }
        flops
    }
}
