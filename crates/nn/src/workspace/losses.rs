//! What ends a model: the head over tokens with its loss, the loss over classes.

use super::handles::{Activation, Parameter};
use super::micro_batch::{Workspace, windows};
use crate::Float;
use crate::kernels::{class_loss, loss};
use crate::targets::ClassLoss;

impl<F: Float> Workspace<'_, F> {
    /// The sum of the cross-entropies of the targets.
    pub(crate) fn head_loss(&mut self, weight: Parameter, input: Activation) -> f64 {
        let x = &self.activations[self.range(input)];
        let weight_values = &self.parameters[weight.range()];
        loss::forward_backward(
            x,
            weight_values,
            self.batch.targets,
            weight.columns,
            self.scratch,
            None,
        )
    }

    /// The logits x Wᵀ of the position at a row of the input.
    pub(crate) fn head_logits(
        &self,
        weight: Parameter,
        input: Activation,
        row: usize,
        logits: &mut [F],
    ) {
        let width = weight.columns;
        let x = &self.activations[self.range(input)][row * width..(row + 1) * width];
        let rows = self.parameters[weight.range()].chunks_exact(width);
        for (logit, row) in logits.iter_mut().zip(rows) {
            let products =
                row.iter().zip(x).map(|(weight, value)| weight.to_f64() * value.to_f64());
            *logit = F::from_f64(products.sum());
        }
    }

    /// The sum of the cross-entropies, with the gradients of W and of the input.
    pub(crate) fn head_loss_and_gradient(
        &mut self,
        weight: Parameter,
        input: Activation,
        input_gradient: Activation,
    ) -> f64 {
        let weight_values = &self.parameters[weight.range()];
        let ranges = [self.range(input), self.range(input_gradient)];
        let [x, dx] = windows(self.activations, ranges);
        let gradient = loss::HeadGradient {
            input: dx,
            weight: &mut self.gradients[weight.range()],
            scale: F::from_f64(self.batch.gradient_scale),
        };
        loss::forward_backward(
            x,
            weight_values,
            self.batch.targets,
            weight.columns,
            self.scratch,
            Some(gradient),
        )
    }

    /// The sum of the losses (with such a label smoothing) of the images; `logits` become their
    /// gradient.
    pub(crate) fn class_loss(&mut self, loss: (ClassLoss, f64), logits: Activation) -> f64 {
        let range = self.range(logits);
        class_loss::forward_backward(
            &mut self.activations[range],
            self.batch.classes,
            logits.columns,
            loss,
            self.batch.gradient_scale,
        )
    }
}
