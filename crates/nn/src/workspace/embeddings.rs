//! What turns tokens and images into rows of the residual stream, and rows into one an image.

use super::handles::{Activation, DropoutSite, Parameter, PatchEmbedding};
use super::micro_batch::{Workspace, windows};
use crate::Float;
use crate::kernels::patch::PatchShape;
use crate::kernels::sequence_pool::Pool;
use crate::kernels::{dropout, embedding, patch, sequence_pool};

impl<F: Float> Workspace<'_, F> {
    /// output ← dropout(token rows (+ position rows)).
    pub(crate) fn embedding_forward(
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

    /// Scatters `gradient` into both tables; `gradient` itself is masked in place.
    pub(crate) fn embedding_backward(
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

    /// output ← the patches of the images, one a row; a row of zeros where the class token goes.
    pub(crate) fn patches_forward(&mut self, patches: PatchShape, output: Activation) {
        let range = self.range(output);
        patch::gather(&mut self.activations[range], self.batch.images, patches);
    }

    /// stream ← dropout(stream + position + (class token or bias)).
    pub(crate) fn patch_embedding_forward(
        &mut self,
        embedding: &PatchEmbedding,
        stream: Activation,
    ) {
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

    /// Gradients of the learned rows; `gradient` itself is masked in place.
    pub(crate) fn patch_embedding_backward(
        &mut self,
        embedding: &PatchEmbedding,
        gradient: Activation,
    ) {
        self.dropout(embedding.site, gradient);
        let values = &self.activations[self.range(gradient)];
        let none = Parameter { offset: 0, rows: 0, columns: 0 };
        let class_token = embedding.class_token.unwrap_or(none);
        let ranges = [embedding.position, class_token, embedding.bias].map(Parameter::range);
        let [position, class_token, bias] = windows(self.gradients, ranges);
        let class_token = embedding.class_token.is_some().then_some(class_token);
        patch::learned_rows_backward(values, position, class_token, bias);
    }

    /// output, a row a sequence ← the first token of each, or the mean of all.
    pub(crate) fn pool_forward(&mut self, pool: Pool, input: Activation, output: Activation) {
        let ranges = [self.range(input), self.range(output)];
        let [x, y] = windows(self.activations, ranges);
        sequence_pool::forward(pool, x, y, output.columns);
    }

    /// Gradient of all tokens, overwritten.
    pub(crate) fn pool_backward(
        &mut self,
        pool: Pool,
        output_gradient: Activation,
        input_gradient: Activation,
    ) {
        let ranges = [self.range(output_gradient), self.range(input_gradient)];
        let [dy, dx] = windows(self.activations, ranges);
        sequence_pool::backward(pool, dy, dx, output_gradient.columns);
    }
}
