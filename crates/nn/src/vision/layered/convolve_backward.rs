//! The backward of one convolution: through its output's normalisation, to its weights and its
//! input.

use std::ops::Range;

use rayon::prelude::*;

use super::memory::{Buffers, Network, give_back, lend};
use super::norm_state::NormState;
use super::plan::Stage;
use super::reader::{Reader, blocks};
use super::shares::{Images, PerShare, over_shares};
use super::slots::{InputGradient, StageSlots};
use crate::Float;
use crate::kernels::channel_norm::{self, Affine};
use crate::kernels::convolution::Convolution;
use crate::kernels::sum;
use crate::memory::{Arena, PerThread};

/// Elements of a gradient that are summed over the shares at a time.
const SUM_CHUNK: usize = 1 << 14;

/// The output's gradient, direct and through the norm; the input's gradient and the sums of its
/// norm; the weight's.
type Operands<'a, F> =
    ((Images<'a, F>, Images<'a, F>), (Images<'a, F>, Images<'a, f64>), PerShare<'a, Arena<F>>);

/// The backward of a convolution, as every thread sees it.
struct Work<'a, F> {
    reader: Reader<'a, F>,
    input: usize,
    output: usize,
    slots: StageSlots,
    convolution: &'a Convolution,
    /// Of the output.
    norm: Option<&'a NormState<F>>,
    /// The map that changes nothing of the output.
    identity: Affine<'a, F>,
    packed: &'a [F],
    buffers: &'a PerThread<Buffers<F>>,
}

impl<F: Float> Work<'_, F> {
    /// The gradients of a share of the images.
    fn share(&self, images: Range<usize>, operands: Operands<'_, F>) {
        let ((mut direct, mut through), (mut input_gradient, mut sums), accumulator) = operands;
        let convolution = self.convolution;
        let first = images.start;
        let accumulator = &mut accumulator.0[0][..convolution.forward_len()];
        accumulator.fill(F::from_f64(0.0));
        let mut buffers = self.buffers.take();
        let Buffers { x, dy, scratch, dx } = &mut *buffers;
        let x = &mut x[..convolution.images * convolution.input.len()];
        let dy = &mut dy[..convolution.images * convolution.output.len()];
        x.fill(F::from_f64(0.0));
        dy.fill(F::from_f64(0.0));
        for block in blocks(images, convolution.images) {
            self.reader.frame(self.input, block.clone(), convolution.input, x);
            for (image, dy) in block.clone().zip(dy.chunks_exact_mut(convolution.output.len())) {
                let one = image - first..image - first + 1;
                self.output_gradient(image, direct.range(one.clone()), through.range(one), dy);
            }
            convolution.backward_weight(accumulator, x, dy, block.len(), scratch);
            if let Some(target) = self.slots.input {
                let local = block.start - first..block.end - first;
                let out = (input_gradient.range(local.clone()), sums.range(local));
                self.input_gradient(block, target, dy, dx, out, scratch);
            }
        }
    }

    /// dy ← the framed gradient of one image's output, which is also kept where somebody else wants
    /// it.
    fn output_gradient(&self, image: usize, direct: &mut [F], through: &mut [F], dy: &mut [F]) {
        let frame = self.convolution.output;
        let y = self.reader.image(self.output, image);
        let gradient = self.norm.map(|norm| norm.gradient(image));
        match (self.slots.direct.is_some(), self.slots.through.is_some(), gradient) {
            (false, true, Some(gradient)) if !self.slots.keep => {
                channel_norm::backward(through, y, gradient, dy, frame);
            }
            (false, true, Some(gradient)) => {
                channel_norm::backward_in_place(through, y, gradient, None);
                channel_norm::forward(through, self.identity, dy, frame);
            }
            (true, true, Some(gradient)) => {
                channel_norm::backward_in_place(through, y, gradient, Some(direct));
                channel_norm::forward(direct, self.identity, dy, frame);
            }
            _ => channel_norm::forward(direct, self.identity, dy, frame),
        }
    }

    /// out ← the gradient of the input of a block of images, or is added to, with the sums of the
    /// input's norm.
    fn input_gradient(
        &self,
        block: Range<usize>,
        target: InputGradient,
        dy: &[F],
        dx: &mut [F],
        (out, sums): (&mut [F], &mut [f64]),
        scratch: &mut [F],
    ) {
        let (convolution, images) = (self.convolution, block.len());
        let tensor = self.reader.tensors[self.input];
        if tensor.norm.is_none() && !target.add {
            convolution.backward_input(self.packed, dy, out, images, scratch);
            return;
        }
        let len = tensor.len();
        let dx = &mut dx[..images * len];
        convolution.backward_input(self.packed, dy, dx, images, scratch);
        if tensor.norm.is_none() {
            sum::add(out, dx);
            return;
        }
        let gradients = dx.chunks_exact(len).zip(out.chunks_exact_mut(len));
        let sums = sums.chunks_exact_mut(2 * tensor.channels);
        for ((image, (dx, n)), sums) in block.zip(gradients).zip(sums) {
            let affine = self.reader.affine(self.input, image);
            let y = self.reader.image(self.input, image);
            channel_norm::relu_backward(y, affine, dx, n, target.add);
            self.reader.gradient_sums(self.input, image, n, sums);
        }
    }
}

impl<F: Float> Network<F> {
    pub(super) fn convolve_backward(
        &mut self,
        index: usize,
        slots: StageSlots,
        parameters: &[F],
        gradients: &mut [F],
        images: &[F],
        count: usize,
    ) {
        let Stage::Convolve { input, output, shape, weight, .. } = self.plan.stages[index] else {
            return;
        };
        if slots.through.is_some()
            && let Some(norm) = &mut self.norms[output]
        {
            norm.finish_backward(parameters, gradients, count);
        }
        let Some(convolution) = &self.convolutions[index] else {
            return;
        };
        let weight_len: usize = shape.weight_shape().iter().product();
        let weight = weight..weight + weight_len;
        if slots.input.is_some() {
            convolution.pack_backward(&mut self.packed, &parameters[weight.clone()]);
        }
        let input_slot = slots.input.map(|input| input.slot);
        let mut direct = lend(&mut self.gradients, slots.direct);
        let mut through = lend(&mut self.gradients, slots.through);
        let mut input_gradient = lend(&mut self.gradients, input_slot);
        let mut accumulators = std::mem::take(&mut self.accumulators);
        let shares = accumulators.len().min(count);
        let (mut sums, sums_each) = match slots.input {
            Some(_) => (self.lend_sums(input), self.sums_each(input)),
            None => (Vec::new(), 0),
        };
        let (in_len, out_len) = (self.plan.tensors[input].len(), self.plan.tensors[output].len());
        let each = |present: bool, len: usize| if present { len } else { 0 };
        let operands = (
            (
                Images::new(&mut direct, count, each(slots.direct.is_some(), out_len)),
                Images::new(&mut through, count, each(slots.through.is_some(), out_len)),
            ),
            (
                Images::new(&mut input_gradient, count, each(slots.input.is_some(), in_len)),
                Images::new(&mut sums, count, sums_each),
            ),
            PerShare(&mut accumulators[..shares]),
        );
        if let Some(convolution) = &self.convolutions[index] {
            let channels = self.plan.tensors[output].channels;
            let work = Work {
                reader: self.reader(images),
                input,
                output,
                slots,
                convolution,
                norm: self.norms[output].as_ref(),
                identity: Affine {
                    scale: &self.ones[..channels],
                    shift: &self.zeros[..channels],
                    floor: F::from_f64(f64::NEG_INFINITY),
                },
                packed: &self.packed,
                buffers: &self.buffers,
            };
            over_shares(count, shares, operands, &|range, operands| work.share(range, operands));
            let total = total(&mut accumulators[..shares], convolution.forward_len());
            convolution.unpack_gradient(&mut gradients[weight], total);
        }
        self.accumulators = accumulators;
        if slots.input.is_some() {
            self.give_back_sums(input, sums);
        }
        give_back(&mut self.gradients, slots.direct, direct);
        give_back(&mut self.gradients, slots.through, through);
        give_back(&mut self.gradients, input_slot, input_gradient);
    }
}

/// The sum of the first `len` numbers of every share's gradient, in the first one's place.
fn total<F: Float>(shares: &mut [Arena<F>], len: usize) -> &[F] {
    let (total, rest) = shares.split_at_mut(1);
    let total = &mut total[0][..len];
    total.par_chunks_mut(SUM_CHUNK).enumerate().for_each(|(chunk, sum)| {
        for share in &*rest {
            sum::add(sum, &share[chunk * SUM_CHUNK..][..sum.len()]);
        }
    });
    total
}
