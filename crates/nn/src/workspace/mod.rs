//! The CPU: resolves handles to slices and calls the kernels.

use std::ops::Range;

use super::{
    Activation, Attention, BranchEnd, Device, DropoutSite, HeadNormalisation, Linear,
    Normalisation, Parameter, PatchEmbedding, Rows, Store,
};
use crate::kernels::activation::Pointwise;
use crate::kernels::attention::AttentionShape;
use crate::kernels::dropout::Mask;
use crate::kernels::patch::PatchShape;
use crate::kernels::rotary::RotaryTable;
use crate::kernels::{
    activation, attention, bias, class_loss, dropout, embedding, head_norm, loss, matmul, norm,
    patch, rotary, sequence_pool,
};
use crate::random::Stream;
use crate::vision::{ClassLoss, Pool, Targets};
use crate::{Float, GptConfig};

/// What never changes and every micro-batch reads.
pub(crate) struct Tables<F> {
    pub(crate) context: usize,
    pub(crate) rotary: Option<RotaryTable<F>>,
}

/// One micro-batch and how it stands in its batch. A GPT's has tokens, an image model's has images.
#[derive(Clone, Copy, Default)]
pub(crate) struct MicroBatch<'a, F> {
    /// Number of sequences, or of images.
    pub(crate) sequences: usize,
    /// Index of its first sequence in the batch.
    pub(crate) first_sequence: usize,
    pub(crate) inputs: &'a [u32],
    pub(crate) targets: &'a [u32],
    pub(crate) images: &'a [F],
    pub(crate) classes: Targets<'a>,
    /// Factor of the gradient: 1/(number of targets of the batch).
    pub(crate) gradient_scale: f64,
    /// Dropping probability and the stream that all masks of this step come from.
    pub(crate) dropout: Option<(f64, Stream)>,
}

/// One micro-batch on one core.
pub(crate) struct Cpu<'a, F> {
    pub(crate) tables: &'a Tables<F>,
    pub(crate) batch: MicroBatch<'a, F>,
    pub(crate) parameters: &'a [F],
    /// Empty when only the loss is asked for.
    pub(crate) gradients: &'a mut [F],
    pub(crate) activations: &'a mut [F],
    /// Tokens that the activation arena has room for.
    pub(crate) capacity: usize,
    pub(crate) scratch: &'a mut [F],
}

/// Elements of scratch that a micro-batch of `tokens` tokens needs.
pub(crate) fn scratch_len(config: &GptConfig, tokens: usize) -> usize {
    let GptConfig { vocabulary, context, width, heads, .. } = *config;
    let shape = AttentionShape {
        sequences: 1,
        context,
        heads,
        head_width: config.head_width(),
        first_sequence: 0,
        causal: true,
    };
    shape.scratch_len().max(loss::scratch_len(vocabulary, width, tokens))
}

impl Parameter {
    fn range(self) -> Range<usize> {
        self.offset..self.offset + self.rows * self.columns
    }
}

impl<F: Float> Cpu<'_, F> {
    fn rows(&self, rows: Rows) -> usize {
        match rows {
            Rows::Token => self.batch.sequences * self.tables.context,
            Rows::Sequence => self.batch.sequences,
        }
    }

    fn range(&self, activation: Activation) -> Range<usize> {
        let offset = activation.start * self.capacity;
        offset..offset + self.rows(activation.rows) * activation.columns
    }

    /// The numbers of an activation.
    pub(crate) fn values(&self, activation: Activation) -> &[F] {
        &self.activations[self.range(activation)]
    }

    fn mask(&self, site: DropoutSite) -> Option<Mask> {
        self.batch
            .dropout
            .map(|(probability, stream)| Mask::new(stream.within(site.0), probability))
    }

    /// Index, in the whole batch, of element 0 of an activation.
    fn first_element(&self, activation: Activation) -> u64 {
        let rows_per_sequence = match activation.rows {
            Rows::Token => self.tables.context,
            Rows::Sequence => 1,
        };
        (self.batch.first_sequence * rows_per_sequence * activation.columns) as u64
    }

    fn attention_shape(&self, attention: Attention, width: usize) -> AttentionShape {
        AttentionShape {
            sequences: self.batch.sequences,
            context: self.tables.context,
            heads: attention.heads,
            head_width: width / attention.heads,
            first_sequence: self.batch.first_sequence,
            causal: attention.causal,
        }
    }
}

/// Slices of distinct activations, of which all may be written.
///
/// The plan never hands out overlapping places, so this cannot fail; if a layer named one twice, the panic says so.
fn windows<F, const N: usize>(activations: &mut [F], ranges: [Range<usize>; N]) -> [&mut [F]; N] {
    activations
        .get_disjoint_mut(ranges)
        .expect("operands of one operation are distinct activations")
}

impl<F: Float> Device for Cpu<'_, F> {
    fn embedding_forward(
        &mut self,
        token: Parameter,
        position: Option<Parameter>,
        output: Activation,
        site: DropoutSite,
    ) {
        let (range, mask, first) =
            (self.range(output), self.mask(site), self.first_element(output));
        let parameters = self.parameters;
        let output_values = &mut self.activations[range];
        embedding::forward(
            output_values,
            self.batch.inputs,
            &parameters[token.range()],
            position.map(|position| &parameters[position.range()]),
            self.tables.context,
            output.columns,
        );
        if let Some(mask) = mask {
            dropout::apply(output_values, mask, first);
        }
    }

    fn embedding_backward(
        &mut self,
        token: Parameter,
        position: Option<Parameter>,
        gradient: Activation,
        site: DropoutSite,
    ) {
        let (range, mask, first) =
            (self.range(gradient), self.mask(site), self.first_element(gradient));
        let gradient_values = &mut self.activations[range];
        if let Some(mask) = mask {
            dropout::apply(gradient_values, mask, first);
        }
        let token_gradient = &mut self.gradients[token.range()];
        embedding::backward_token(
            token_gradient,
            self.batch.inputs,
            gradient_values,
            gradient.columns,
        );
        if let Some(position) = position {
            let position_gradient = &mut self.gradients[position.range()];
            embedding::backward_position(
                position_gradient,
                gradient_values,
                self.tables.context,
                gradient.columns,
            );
        }
    }

    fn linear_forward(&mut self, linear: &Linear, input: Activation, output: Activation) {
        let (parameters, weight) = (self.parameters, linear.weight);
        let rows = self.rows(input.rows);
        let ranges = [self.range(input), self.range(output)];
        let [x, y] = windows(self.activations, ranges);
        matmul::forward(y, x, &parameters[weight.range()], rows, weight.columns, weight.rows);
    }

    fn linear_backward_weight(
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

    fn linear_backward_input(
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

    fn bias_forward(&mut self, bias: Parameter, output: Activation) {
        let range = self.range(output);
        bias::forward(&mut self.activations[range], &self.parameters[bias.range()]);
    }

    fn bias_backward(&mut self, bias: Parameter, output_gradient: Activation) {
        let dy = &self.activations[self.range(output_gradient)];
        bias::backward(&mut self.gradients[bias.range()], dy);
    }

    fn norm_forward(
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

    fn norm_backward(
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

    fn pointwise_forward(
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

    fn pointwise_backward(
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

    fn swiglu_forward(
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

    fn swiglu_backward(
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

    fn head_norm_forward(
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

    fn head_norm_backward(
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

    fn rotary_forward(&mut self, qkv: Activation) {
        self.rotate(qkv, false);
    }

    fn rotary_backward(&mut self, gradient: Activation) {
        self.rotate(gradient, true);
    }

    fn attention_forward(
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

    fn attention_backward(
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

    fn head_loss(&mut self, weight: Parameter, input: Activation) -> f64 {
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

    fn head_loss_and_gradient(
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

    fn dropout(&mut self, site: DropoutSite, output: Activation) {
        let (range, first) = (self.range(output), self.first_element(output));
        if let Some(mask) = self.mask(site) {
            dropout::apply(&mut self.activations[range], mask, first);
        }
    }

    fn patches_forward(&mut self, patches: PatchShape, output: Activation) {
        let range = self.range(output);
        patch::gather(&mut self.activations[range], self.batch.images, patches);
    }

    fn patch_embedding_forward(&mut self, embedding: &PatchEmbedding, stream: Activation) {
        let (range, parameters) = (self.range(stream), self.parameters);
        let class_token = embedding.class_token.map(|parameter| &parameters[parameter.range()]);
        patch::add_learned_rows(
            &mut self.activations[range],
            &parameters[embedding.position.range()],
            class_token,
            &parameters[embedding.bias.range()],
        );
        self.dropout(embedding.site, stream);
    }

    fn patch_embedding_backward(&mut self, embedding: &PatchEmbedding, gradient: Activation) {
        self.dropout(embedding.site, gradient);
        let values = &self.activations[self.range(gradient)];
        let none = Parameter { offset: 0, rows: 0, columns: 0 };
        let class_token = embedding.class_token.unwrap_or(none);
        let ranges = [embedding.position, class_token, embedding.bias].map(Parameter::range);
        let [position, class_token, bias] = windows(self.gradients, ranges);
        let class_token = embedding.class_token.is_some().then_some(class_token);
        patch::learned_rows_backward(values, position, class_token, bias);
    }

    fn pool_forward(&mut self, pool: Pool, input: Activation, output: Activation) {
        let ranges = [self.range(input), self.range(output)];
        let [x, y] = windows(self.activations, ranges);
        sequence_pool::forward(pool, x, y, output.columns);
    }

    fn pool_backward(
        &mut self,
        pool: Pool,
        output_gradient: Activation,
        input_gradient: Activation,
    ) {
        let ranges = [self.range(output_gradient), self.range(input_gradient)];
        let [dy, dx] = windows(self.activations, ranges);
        sequence_pool::backward(pool, dy, dx, output_gradient.columns);
    }

    fn class_loss(&mut self, loss: ClassLoss, logits: Activation) -> f64 {
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

impl<F: Float> Cpu<'_, F> {
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
