//! Linear maps and their biases.

use super::handles::{Activation, Linear, Parameter};
use super::micro_batch::{Workspace, windows};
use crate::Float;
use crate::kernels::store::Store;
use crate::kernels::{bias, matmul};

impl<F: Float> Workspace<'_, F> {
    /// output ← input·Wᵀ, without the bias.
    pub(crate) fn linear_forward(
        &mut self,
        linear: &Linear,
        input: Activation,
        output: Activation,
    ) {
        let (parameters, weight) = (self.parameters, linear.weight);
        let rows = self.rows(input.rows);
        let ranges = [self.range(input), self.range(output)];
        let [x, y] = windows(self.activations, ranges);
        matmul::forward(y, x, &parameters[weight.range()], rows, weight.columns, weight.rows);
    }

    /// Gradient of W.
    pub(crate) fn linear_backward_weight(
        &mut self,
        linear: &Linear,
        input: Activation,
        output_gradient: Activation,
    ) {
        let (rows, weight) = (self.rows(input.rows), linear.weight);
        let (x, dy) =
            (&self.activations[self.range(input)], &self.activations[self.range(output_gradient)]);
        matmul::backward_weight(
            &mut self.gradients[weight.range()],
            dy,
            x,
            rows,
            weight.columns,
            weight.rows,
        );
    }

    /// input_gradient ← output_gradient·W, or is added to.
    pub(crate) fn linear_backward_input(
        &mut self,
        linear: &Linear,
        output_gradient: Activation,
        input_gradient: Activation,
        store: Store,
    ) {
        let (parameters, weight) = (self.parameters, linear.weight);
        let rows = self.rows(output_gradient.rows);
        let ranges = [self.range(output_gradient), self.range(input_gradient)];
        let [dy, dx] = windows(self.activations, ranges);
        matmul::backward_input(
            dx,
            dy,
            &parameters[weight.range()],
            rows,
            weight.columns,
            weight.rows,
            store,
        );
    }

    /// output += bias, for maps whose bias no other operation adds on its way.
    pub(crate) fn bias_forward(&mut self, bias: Parameter, output: Activation) {
        let range = self.range(output);
        bias::forward(&mut self.activations[range], &self.parameters[bias.range()]);
    }

    /// Gradient of such a bias.
    pub(crate) fn bias_backward(&mut self, bias: Parameter, output_gradient: Activation) {
        let dy = &self.activations[self.range(output_gradient)];
        bias::backward(&mut self.gradients[bias.range()], dy);
    }
}
