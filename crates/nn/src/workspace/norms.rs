//! Normalisation of the residual stream, fused with the end of the branch before it, and of queries
//! and keys.

use super::handles::{Activation, BranchEnd, HeadNormalisation, Normalisation, Parameter};
use super::micro_batch::{Workspace, windows};
use crate::Float;
use crate::kernels::store::Store;
use crate::kernels::{bias, dropout, head_norm, norm};

impl<F: Float> Workspace<'_, F> {
    /// output ← norm(stream). With a branch, first stream ← residual + dropout(stream + bias).
    pub(crate) fn norm_forward(
        &mut self,
        layer: &Normalisation,
        branch: Option<(Activation, BranchEnd)>,
        stream: Activation,
        statistics: Activation,
        output: Activation,
    ) {
        let (parameters, epsilon) = (self.parameters, F::from_f64(layer.epsilon));
        let gain = &parameters[layer.gain.range()];
        let norm_bias = layer.bias.map(|parameter| &parameters[parameter.range()]);
        let ranges = [self.range(stream), self.range(statistics), self.range(output)];
        let Some((residual, end)) = branch else {
            let [stream, statistics, output] = windows(self.activations, ranges);
            norm::forward(
                stream,
                None,
                None,
                gain,
                norm_bias,
                layer.centered,
                epsilon,
                output,
                statistics,
            );
            return;
        };
        let (mask, first) = (self.mask(end.site), self.first_element(stream));
        let [stream_range, statistics_range, output_range] = ranges;
        let ranges = [stream_range, statistics_range, output_range, self.range(residual)];
        let [stream, statistics, output, residual] = windows(self.activations, ranges);
        let mut branch_bias = end.bias.map(|parameter| &parameters[parameter.range()]);
        if let Some(mask) = mask {
            if let Some(values) = branch_bias.take() {
                bias::forward(stream, values);
            }
            dropout::apply(stream, mask, first);
        }
        let centered = layer.centered;
        norm::forward(
            stream,
            Some(residual),
            branch_bias,
            gain,
            norm_bias,
            centered,
            epsilon,
            output,
            statistics,
        );
    }

    /// Gradient of the stream (stored as told), of the norm's parameters, and, with a branch, of
    /// the branch's output and bias. Without dropout the branch's gradient is the stream's and may
    /// share its place.
    #[expect(clippy::too_many_arguments, reason = "the operands of one fused operation")]
    pub(crate) fn norm_backward(
        &mut self,
        layer: &Normalisation,
        branch: Option<(Activation, BranchEnd)>,
        stream: Activation,
        statistics: Activation,
        output_gradient: Activation,
        stream_gradient: Activation,
        store: Store,
    ) {
        let gain = &self.parameters[layer.gain.range()];
        let mask = branch.and_then(|(_, end)| self.mask(end.site));
        let first = self.first_element(stream);
        let end_bias = branch.and_then(|(_, end)| end.bias);
        let ranges = [stream, statistics, output_gradient, stream_gradient]
            .map(|activation| self.range(activation));
        let [stream_values, statistics, dy, dstream] = windows(self.activations, ranges);

        // With dropout the branch's bias sees masked gradients, which do not exist yet.
        let fused_bias = end_bias.filter(|_| mask.is_none());
        let empty = Parameter { offset: 0, rows: 0, columns: 0 };
        let ranges = [Some(layer.gain), layer.bias, fused_bias]
            .map(|parameter| parameter.unwrap_or(empty).range());
        let [gain_gradient, bias_gradient, branch_bias_gradient] = windows(self.gradients, ranges);
        norm::backward(
            stream_values,
            statistics,
            gain,
            layer.centered,
            dy,
            dstream,
            store == Store::Add,
            gain_gradient,
            layer.bias.is_some().then_some(bias_gradient),
            fused_bias.is_some().then_some(branch_bias_gradient),
        );
        if let (Some(mask), Some((branch_gradient, _))) = (mask, branch) {
            let ranges = [self.range(stream_gradient), self.range(branch_gradient)];
            let [dstream, dbranch] = windows(self.activations, ranges);
            dbranch.copy_from_slice(dstream);
            dropout::apply(dbranch, mask, first);
            if let Some(parameter) = end_bias {
                bias::backward(&mut self.gradients[parameter.range()], dbranch);
            }
        }
    }

    /// output ← qkv with queries and keys normalised.
    pub(crate) fn head_norm_forward(
        &mut self,
        norm: &HeadNormalisation,
        qkv: Activation,
        statistics: Activation,
        output: Activation,
    ) {
        let parameters = self.parameters;
        let (query_gain, key_gain) =
            (&parameters[norm.query_gain.range()], &parameters[norm.key_gain.range()]);
        let (epsilon, width) = (F::from_f64(norm.epsilon), qkv.columns / 3);
        let ranges = [qkv, statistics, output].map(|activation| self.range(activation));
        let [qkv, statistics, out] = windows(self.activations, ranges);
        head_norm::forward(out, qkv, query_gain, key_gain, epsilon, statistics, width);
    }

    /// `gradient`: of the normalised queries and keys on entry, of the raw ones on return.
    pub(crate) fn head_norm_backward(
        &mut self,
        norm: &HeadNormalisation,
        qkv: Activation,
        statistics: Activation,
        gradient: Activation,
    ) {
        let parameters = self.parameters;
        let (query_gain, key_gain) =
            (&parameters[norm.query_gain.range()], &parameters[norm.key_gain.range()]);
        let width = qkv.columns / 3;
        let ranges = [qkv, statistics, gradient].map(|activation| self.range(activation));
        let [qkv, statistics, gradient] = windows(self.activations, ranges);
        let ranges = [norm.query_gain.range(), norm.key_gain.range()];
        let [query_gain_gradient, key_gain_gradient] = windows(self.gradients, ranges);
        head_norm::backward(
            gradient,
            qkv,
            query_gain,
            key_gain,
            statistics,
            query_gain_gradient,
            key_gain_gradient,
            width,
        );
    }
}
