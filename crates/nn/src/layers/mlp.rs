//! MLP branch: down(f(up(x))), or down(silu(gate(x))·up(x)).

use super::BlockConfig;
use crate::Float;
use crate::builder::Builder;
use crate::kernels::activation::Pointwise;
use crate::kernels::store::Store;
use crate::workspace::{Activation, ActivationPlan, BranchEnd, Linear, Rows, Workspace};

/// What stands between the maps of an MLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nonlinearity {
    Pointwise(Pointwise),
    SwiGlu,
}

/// The non-linearity with what it needs.
#[derive(Debug, Clone, Copy)]
enum Inner {
    Pointwise(Pointwise),
    SwiGlu(Gate),
}

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
    inner: Inner,
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
    pub(crate) fn temporary_columns(config: &BlockConfig) -> usize {
        let matrices = if config.nonlinearity == Nonlinearity::SwiGlu { 3 } else { 2 };
        matrices * config.hidden
    }

    /// Appends the branch's tensors under `path`; `rows` is what its input and output have.
    pub(crate) fn new(builder: &mut Builder, config: &BlockConfig, path: &str, rows: Rows) -> Self {
        let BlockConfig { width, hidden, std, bias, .. } = *config;
        let take = |plan: &mut ActivationPlan| plan.take_rows(rows, hidden, config.context);
        let mut temporary = builder.temporary;
        let inner = match config.nonlinearity {
            Nonlinearity::Pointwise(function) => Inner::Pointwise(function),
            Nonlinearity::SwiGlu => Inner::SwiGlu(Gate {
                linear: builder.linear(&format!("{path}.gate"), [hidden, width], std, bias),
                output: take(&mut builder.plan),
                gradient: take(&mut temporary),
            }),
        };
        let up = builder.linear(&format!("{path}.up"), [hidden, width], std, bias);
        let down =
            builder.linear(&format!("{path}.down"), [width, hidden], config.branch_std, bias);
        Self {
            inner,
            up,
            down,
            end: BranchEnd { bias: down.bias, site: builder.dropout_site() },
            up_output: take(&mut builder.plan),
            hidden: take(&mut temporary),
            hidden_gradient: take(&mut temporary),
        }
    }

    /// output ← branch(input), without `down`'s bias.
    pub(crate) fn forward<F: Float>(
        &self,
        workspace: &mut Workspace<'_, F>,
        input: Activation,
        output: Activation,
    ) {
        workspace.linear_forward(&self.up, input, self.up_output);
        match &self.inner {
            Inner::Pointwise(function) => {
                workspace.pointwise_forward(*function, self.up.bias, self.up_output, self.hidden);
            }
            Inner::SwiGlu(gate) => {
                workspace.linear_forward(&gate.linear, input, gate.output);
                let biases = gate.linear.bias.zip(self.up.bias).map(|(gate, up)| [gate, up]);
                workspace.swiglu_forward(biases, gate.output, self.up_output, self.hidden);
            }
        }
        workspace.linear_forward(&self.down, self.hidden, output);
    }

    /// Gradients of the branch's tensors (but `down`'s bias) and of its input.
    pub(crate) fn backward<F: Float>(
        &self,
        workspace: &mut Workspace<'_, F>,
        input: Activation,
        output_gradient: Activation,
        input_gradient: Activation,
    ) {
        let Self { up, down, up_output, hidden, hidden_gradient, .. } = *self;
        // The hidden activations are gone: they come back with the non-linearity's backward, which
        // needs `down`'s dX.
        workspace.linear_backward_input(&down, output_gradient, hidden_gradient, Store::Overwrite);
        match &self.inner {
            Inner::Pointwise(function) => {
                // Sums the gradient of the bias on its way.
                workspace.pointwise_backward(
                    *function,
                    up.bias,
                    up_output,
                    hidden,
                    hidden_gradient,
                );
            }
            Inner::SwiGlu(gate) => {
                workspace.swiglu_backward(
                    gate.output,
                    up_output,
                    hidden,
                    hidden_gradient,
                    gate.gradient,
                );
                if let (Some(gate_bias), Some(up_bias)) = (gate.linear.bias, up.bias) {
                    workspace.bias_backward(gate_bias, gate.gradient);
                    workspace.bias_backward(up_bias, hidden_gradient);
                }
            }
        }
        workspace.linear_backward_weight(&down, hidden, output_gradient);
        workspace.linear_backward_weight(&up, input, hidden_gradient);
        workspace.linear_backward_input(&up, hidden_gradient, input_gradient, Store::Overwrite);
        if let Inner::SwiGlu(gate) = &self.inner {
            workspace.linear_backward_weight(&gate.linear, input, gate.gradient);
            workspace.linear_backward_input(
                &gate.linear,
                gate.gradient,
                input_gradient,
                Store::Add,
            );
        }
    }
}
