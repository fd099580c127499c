//! From the logits' gradient to that of every parameter, stage after stage.

use std::ops::Range;

use super::memory::{Network, give_back, lend};
use super::plan::Stage;
use super::shares::{Images, over_shares};
use super::slots::StageSlots;
use crate::Float;
use crate::kernels::pool::PoolShape;
use crate::kernels::store::Store;
use crate::kernels::{bias, channel_norm, matmul, pool};

impl<F: Float> Network<F> {
    /// From the logits' gradient, which stands in their place.
    pub(super) fn backward(
        &mut self,
        parameters: &[F],
        gradients: &mut [F],
        images: &[F],
        count: usize,
    ) {
        gradients.fill(F::from_f64(0.0));
        self.head_backward(parameters, gradients, images, count);
        for index in (0..self.plan.stages.len()).rev() {
            let slots = self.slots.stages[index];
            match self.plan.stages[index] {
                Stage::Convolve { .. } => {
                    self.convolve_backward(index, slots, parameters, gradients, images, count);
                }
                Stage::Join { a, b, output } => {
                    self.join_backward(a, b, output, slots, images, count);
                }
                Stage::Pool { input, output, shape } => {
                    self.pool_backward(input, output, shape, slots, images, count);
                }
            }
        }
    }

    fn head_backward(&mut self, parameters: &[F], gradients: &mut [F], images: &[F], count: usize) {
        let head = self.plan.head;
        let tensor = self.plan.tensors[head.input];
        let channels = tensor.channels;
        let (features, logits) =
            (&self.features[..count * channels], &self.logits[..count * head.classes]);
        let range = head.weight..head.weight + head.classes * channels;
        let weight_gradient = &mut gradients[range.clone()];
        matmul::backward_weight(weight_gradient, logits, features, count, channels, head.classes);
        bias::backward(&mut gradients[head.bias..head.bias + head.classes], logits);
        let dfeatures = &mut self.feature_gradients[..count * channels];
        let weight = &parameters[range];
        matmul::backward_input(
            dfeatures,
            logits,
            weight,
            count,
            channels,
            head.classes,
            Store::Overwrite,
        );

        let mut n = lend(&mut self.gradients, Some(self.slots.head));
        let mut sums = self.lend_sums(head.input);
        let each = self.sums_each(head.input);
        let reader = self.reader(images);
        let dfeatures = &self.feature_gradients;
        let work = |range: Range<usize>, operands: (Images<'_, F>, Images<'_, f64>)| {
            let (mut n, mut sums) = operands;
            for (local, image) in range.enumerate() {
                let n = n.range(local..local + 1);
                let affine = reader.affine(head.input, image);
                let gradient = &dfeatures[image * channels..(image + 1) * channels];
                pool::global_backward(reader.image(head.input, image), affine, gradient, n);
                reader.gradient_sums(head.input, image, n, sums.range(local..local + 1));
            }
        };
        let operands =
            (Images::new(&mut n, count, tensor.len()), Images::new(&mut sums, count, each));
        over_shares(count, self.shares(count), operands, &work);
        self.give_back_sums(head.input, sums);
        give_back(&mut self.gradients, Some(self.slots.head), n);
    }

    fn join_backward(
        &mut self,
        a: usize,
        b: Option<usize>,
        output: usize,
        slots: StageSlots,
        images: &[F],
        count: usize,
    ) {
        let mut gradient = lend(&mut self.gradients, slots.direct);
        let len = self.plan.tensors[output].len();
        // A plain second operand has no sums.
        let b = b.filter(|b| self.norms[*b].is_some());
        let mut a_sums = self.lend_sums(a);
        let mut b_sums = b.map(|b| self.lend_sums(b)).unwrap_or_default();
        let a_each = self.sums_each(a);
        let b_each = b.map_or(0, |b| self.sums_each(b));
        let reader = self.reader(images);
        type Operands<'a, F> = (Images<'a, F>, Images<'a, f64>, Images<'a, f64>);
        let work = |range: Range<usize>, operands: Operands<'_, F>| {
            let (mut gradient, mut a_sums, mut b_sums) = operands;
            for (local, image) in range.enumerate() {
                let one = local..local + 1;
                let gradient = gradient.range(one.clone());
                channel_norm::join_backward(reader.image(output, image), gradient);
                reader.gradient_sums(a, image, gradient, a_sums.range(one.clone()));
                if let Some(b) = b {
                    reader.gradient_sums(b, image, gradient, b_sums.range(one));
                }
            }
        };
        let operands = (
            Images::new(&mut gradient, count, len),
            Images::new(&mut a_sums, count, a_each),
            Images::new(&mut b_sums, count, b_each),
        );
        over_shares(count, self.shares(count), operands, &work);
        self.give_back_sums(a, a_sums);
        if let Some(b) = b {
            self.give_back_sums(b, b_sums);
        }
        give_back(&mut self.gradients, slots.direct, gradient);
    }

    fn pool_backward(
        &mut self,
        input: usize,
        output: usize,
        shape: PoolShape,
        slots: StageSlots,
        images: &[F],
        count: usize,
    ) {
        let n_slot = slots.input.map(|input| input.slot);
        let mut n = lend(&mut self.gradients, n_slot);
        let mut sums = self.lend_sums(input);
        let (len, each) = (self.plan.tensors[input].len(), self.sums_each(input));
        let out_len = self.plan.tensors[output].len();
        let out_gradient = slots.direct.map(|slot| &*self.gradients[slot]);
        let out_gradient = out_gradient.unwrap_or_default();
        let reader = self.reader(images);
        let work = |range: Range<usize>, operands: (Images<'_, F>, Images<'_, f64>)| {
            let (mut n, mut sums) = operands;
            for (local, image) in range.enumerate() {
                let n = n.range(local..local + 1);
                let affine = reader.affine(input, image);
                let gradient = &out_gradient[image * out_len..(image + 1) * out_len];
                pool::backward(reader.image(input, image), affine, gradient, n, shape);
                reader.gradient_sums(input, image, n, sums.range(local..local + 1));
            }
        };
        let operands = (Images::new(&mut n, count, len), Images::new(&mut sums, count, each));
        over_shares(count, self.shares(count), operands, &work);
        self.give_back_sums(input, sums);
        give_back(&mut self.gradients, n_slot, n);
    }
}
