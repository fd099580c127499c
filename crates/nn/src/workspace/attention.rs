//! Rotary positions and attention.

use super::handles::{Activation, Attention};
use super::micro_batch::{Workspace, windows};
use crate::Float;
use crate::kernels::{attention, rotary};

impl<F: Float> Workspace<'_, F> {
    /// Rotates queries and keys in place.
    pub(crate) fn rotary_forward(&mut self, qkv: Activation) {
        self.rotate(qkv, false);
    }

    /// Rotates their gradients back in place.
    pub(crate) fn rotary_backward(&mut self, gradient: Activation) {
        self.rotate(gradient, true);
    }

    /// output ← attention.
    pub(crate) fn attention_forward(
        &mut self,
        attention: Attention,
        qkv: Activation,
        log_sums: Activation,
        output: Activation,
    ) {
        let shape = self.attention_shape(attention, output.columns);
        let mask = self.mask(attention.site);
        let ranges = [qkv, log_sums, output].map(|activation| self.range(activation));
        let [qkv, log_sums, out] = windows(self.activations, ranges);
        attention::forward(qkv, out, log_sums, shape, mask, self.scratch);
    }

    /// Gradient of queries, keys and values, overwritten.
    pub(crate) fn attention_backward(
        &mut self,
        attention: Attention,
        qkv: Activation,
        log_sums: Activation,
        output: Activation,
        output_gradient: Activation,
        qkv_gradient: Activation,
    ) {
        let shape = self.attention_shape(attention, output.columns);
        let mask = self.mask(attention.site);
        let ranges = [qkv, log_sums, output, output_gradient, qkv_gradient]
            .map(|activation| self.range(activation));
        let [qkv, log_sums, out, dout, dqkv] = windows(self.activations, ranges);
        attention::backward(qkv, out, log_sums, dout, dqkv, shape, mask, self.scratch);
    }

    fn rotate(&mut self, qkv: Activation, backward: bool) {
        let (range, context) = (self.range(qkv), self.tables.context);
        if let Some(table) = &self.tables.rotary {
            rotary::rotate(
                &mut self.activations[range],
                qkv.columns,
                qkv.columns / 3 * 2,
                context,
                table,
                backward,
            );
        }
    }
}
