//! MLP branch: down(GELU(up(x))), or down(silu(gate(x))·up(x)).

use crate::device::{Activation, BranchEnd, Device, Linear, Store};
use crate::model::Builder;
use crate::{Activation as Nonlinearity, GptConfig};

/// SwiGLU's second map and its activations.
#[derive(Debug, Clone, Copy)]
struct Gate {
    linear: Linear,
    output: Activation,
    gradient: Activation,
}

/// The MLP of a block.
#[derive(Debug, Clone)]
pub(crate) struct MlpBranch {
    gate: Option<Gate>,
    up: Linear,
    down: Linear,
    pub(crate) end: BranchEnd,

    /// `up`'s output, before the non-linearity.
    up_output: Activation,
    /// After the non-linearity: not kept for the backward, which computes it again.
    hidden: Activation,
    hidden_gradient: Activation,
}

impl MlpBranch {
    /// Columns of activations that need not outlive the branch's backward.
    pub(crate) fn temporary_columns(config: &GptConfig) -> usize {
        let matrices = if config.activation == Nonlinearity::SwiGlu {
            3
        } else {
            2
        };
        matrices * config.hidden()
    }

    /// Appends the branch's tensors under `path`.
    pub(crate) fn new(builder: &mut Builder<'_>, path: &str) -> Self {
        let GptConfig {
            width,
            activation,
            init_std,
            ..
        } = *builder.config;
        let hidden_width = builder.config.hidden();
        let mut temporary = builder.temporary;
        let gate = (activation == Nonlinearity::SwiGlu).then(|| Gate {
            linear: builder.linear(&format!("{path}.gate"), hidden_width, width, init_std),
            output: builder.plan.take(hidden_width),
            gradient: temporary.take(hidden_width),
        });
        let up = builder.linear(&format!("{path}.up"), hidden_width, width, init_std);
        let down = builder.linear(
            &format!("{path}.down"),
            width,
            hidden_width,
            builder.branch_std(),
        );
        Self {
            gate,
            up,
            down,
            end: BranchEnd {
                bias: down.bias,
                site: builder.dropout_site(),
            },
            up_output: builder.plan.take(hidden_width),
            hidden: temporary.take(hidden_width),
            hidden_gradient: temporary.take(hidden_width),
        }
    }

    /// output ← branch(input), without `down`'s bias.
    pub(crate) fn forward<D: Device>(&self, device: &mut D, input: Activation, output: Activation) {
        device.linear_forward(&self.up, input, self.up_output);
        match &self.gate {
            None => device.gelu_forward(self.up.bias, self.up_output, self.hidden),
            Some(gate) => {
                device.linear_forward(&gate.linear, input, gate.output);
                let biases = gate
                    .linear
                    .bias
                    .zip(self.up.bias)
                    .map(|(gate, up)| [gate, up]);
                device.swiglu_forward(biases, gate.output, self.up_output, self.hidden);
            }
        }
        device.linear_forward(&self.down, self.hidden, output);
    }

    /// Gradients of the branch's tensors (but `down`'s bias) and of its input.
    pub(crate) fn backward<D: Device>(
        &self,
        device: &mut D,
        input: Activation,
        output_gradient: Activation,
        input_gradient: Activation,
    ) {
        let Self {
            up,
            down,
            up_output,
            hidden,
            hidden_gradient,
            ..
        } = *self;
        // The hidden activations are gone: they come back with the non-linearity's backward, which needs `down`'s dX.
        device.linear_backward_input(&down, output_gradient, hidden_gradient, Store::Overwrite);
        match &self.gate {
            None => {
                // Sums the gradient of the bias on its way.
                device.gelu_backward(up.bias, up_output, hidden, hidden_gradient);
            }
            Some(gate) => {
                device.swiglu_backward(
                    gate.output,
                    up_output,
                    hidden,
                    hidden_gradient,
                    gate.gradient,
                );
                if let (Some(gate_bias), Some(up_bias)) = (gate.linear.bias, up.bias) {
                    device.bias_backward(gate_bias, gate.gradient);
                    device.bias_backward(up_bias, hidden_gradient);
                }
            }
        }
        device.linear_backward_weight(&down, hidden, output_gradient);
        device.linear_backward_weight(&up, input, hidden_gradient);
        device.linear_backward_input(&up, hidden_gradient, input_gradient, Store::Overwrite);
        if let Some(gate) = &self.gate {
            device.linear_backward_weight(&gate.linear, input, gate.gradient);
            device.linear_backward_input(&gate.linear, gate.gradient, input_gradient, Store::Add);
        }
    }
}
