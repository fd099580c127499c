//! What stands between the maps of an MLP.

use super::handles::{Activation, DropoutSite, Parameter};
use super::micro_batch::{Workspace, windows};
use crate::Float;
use crate::kernels::activation::Pointwise;
use crate::kernels::{activation, dropout};

impl<F: Float> Workspace<'_, F> {
    /// input += bias; output ← f(input).
    pub(crate) fn pointwise_forward(
        &mut self,
        function: Pointwise,
        bias: Option<Parameter>,
        input: Activation,
        output: Activation,
    ) {
        let parameters = self.parameters;
        let bias = bias.map(|parameter| &parameters[parameter.range()]);
        let ranges = [self.range(input), self.range(output)];
        let [pre, out] = windows(self.activations, ranges);
        activation::forward(function, pre, bias, out, input.columns);
    }

    /// `gradient`: of the output on entry, of the input on return. `output` is computed again.
    pub(crate) fn pointwise_backward(
        &mut self,
        function: Pointwise,
        bias: Option<Parameter>,
        input: Activation,
        output: Activation,
        gradient: Activation,
    ) {
        let ranges = [input, output, gradient].map(|activation| self.range(activation));
        let [pre, out, gradient] = windows(self.activations, ranges);
        let bias_gradient = bias.map(|parameter| &mut self.gradients[parameter.range()]);
        activation::backward(function, pre, out, gradient, bias_gradient, input.columns);
    }

    /// gate and up += their biases; output ← silu(gate)·up.
    pub(crate) fn swiglu_forward(
        &mut self,
        biases: Option<[Parameter; 2]>,
        gate: Activation,
        up: Activation,
        output: Activation,
    ) {
        let parameters = self.parameters;
        let [gate_bias, up_bias] = match biases {
            Some(biases) => biases.map(|parameter| Some(&parameters[parameter.range()])),
            None => [None; 2],
        };
        let ranges = [gate, up, output].map(|activation| self.range(activation));
        let [gate_values, up_values, out] = windows(self.activations, ranges);
        activation::swiglu_forward(gate_values, up_values, gate_bias, up_bias, out, gate.columns);
    }

    /// `gradient`: of the output on entry, of `up` on return. `output` is computed again.
    pub(crate) fn swiglu_backward(
        &mut self,
        gate: Activation,
        up: Activation,
        output: Activation,
        gradient: Activation,
        gate_gradient: Activation,
    ) {
        let ranges =
            [gate, up, output, gradient, gate_gradient].map(|activation| self.range(activation));
        let [gate, up, out, gradient, gate_gradient] = windows(self.activations, ranges);
        activation::swiglu_backward(gate, up, out, gradient, gate_gradient);
    }

    /// output ← dropout(output), which is its own backward.
    pub(crate) fn dropout(&mut self, site: DropoutSite, output: Activation) {
        let (range, first) = (self.range(output), self.first_element(output));
        if let Some(mask) = self.mask(site) {
            dropout::apply(&mut self.activations[range], mask, first);
        }
    }
}
