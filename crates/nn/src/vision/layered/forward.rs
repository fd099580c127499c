//! From the images to the logits, stage after stage.

use std::ops::Range;

use super::memory::{Buffers, Network, give_back, lend};
use super::norm_state::Statistics;
use super::plan::Stage;
use super::reader::blocks;
use super::shares::{Images, over_shares};
use crate::Float;
use crate::kernels::pool::PoolShape;
use crate::kernels::store::Store;
use crate::kernels::{bias, channel_norm, matmul, pool};

impl<F: Float> Network<F> {
    /// Up to the logits.
    pub(super) fn forward(
        &mut self,
        parameters: &[F],
        mut statistics: Statistics<'_, F>,
        images: &[F],
        count: usize,
    ) {
        for index in 0..self.plan.stages.len() {
            match self.plan.stages[index] {
                Stage::Convolve { output, .. } => {
                    self.convolve(index, parameters, images, count);
                    let adds_to_it = |stage: &Stage| match stage {
                        Stage::Convolve { output: later, adds, .. } => *adds && *later == output,
                        Stage::Join { .. } | Stage::Pool { .. } => false,
                    };
                    let is_complete = !self.plan.stages[index + 1..].iter().any(adds_to_it);
                    if is_complete && let Some(norm) = &mut self.norms[output] {
                        norm.finish_forward(parameters, &mut statistics, count);
                    }
                }
                Stage::Join { a, b, output } => self.join(a, b, output, images, count),
                Stage::Pool { input, output, shape } => {
                    self.pool(input, output, shape, images, count)
                }
            }
        }
        self.head(parameters, images, count);
    }

    fn convolve(&mut self, index: usize, parameters: &[F], images: &[F], count: usize) {
        let Stage::Convolve { input, output, residual, adds, shape, weight } =
            self.plan.stages[index]
        else {
            return;
        };
        let Some(convolution) = &self.convolutions[index] else {
            return;
        };
        let weight_len: usize = shape.weight_shape().iter().product();
        convolution.pack_forward(&mut self.packed, &parameters[weight..weight + weight_len]);
        let mut values = lend(&mut self.values, Some(output));
        let (mut moments, wanted) = match &mut self.norms[output] {
            Some(norm) => (std::mem::take(&mut norm.moments), norm.wants_moments()),
            None => (Vec::new(), false),
        };
        let convolution = self.convolutions[index].as_ref();
        let tensor = self.plan.tensors[output];
        let (len, channels) = (tensor.len(), tensor.channels);
        let reader = self.reader(images);
        let (packed, buffers) = (&self.packed, &self.buffers);
        let store = if adds || residual.is_some() { Store::Add } else { Store::Overwrite };
        let work = |range: Range<usize>, operands: (Images<'_, F>, Images<'_, f64>)| {
            let Some(convolution) = convolution else {
                return;
            };
            let (mut out, mut moments) = operands;
            let first = range.start;
            let mut buffers = buffers.take();
            let Buffers { x, scratch, .. } = &mut *buffers;
            let x = &mut x[..convolution.images * convolution.input.len()];
            // The frame's border: other convolutions left their numbers there.
            x.fill(F::from_f64(0.0));
            for block in blocks(range, convolution.images) {
                reader.frame(input, block.clone(), convolution.input, x);
                let local = block.start - first..block.end - first;
                let out = out.range(local.clone());
                if let Some(residual) = residual {
                    for (image, out) in block.clone().zip(out.chunks_exact_mut(len)) {
                        out.copy_from_slice(reader.image(residual, image));
                    }
                }
                convolution.forward(packed, x, out, block.len(), store, scratch);
                if wanted {
                    let moments = moments.range(local).chunks_exact_mut(2 * channels);
                    for (y, moments) in out.chunks_exact(len).zip(moments) {
                        let (mean, squares) = moments.split_at_mut(channels);
                        channel_norm::moments(y, mean, squares);
                    }
                }
            }
        };
        let each = if wanted { 2 * channels } else { 0 };
        let operands =
            (Images::new(&mut values, count, len), Images::new(&mut moments, count, each));
        over_shares(count, self.shares(count), operands, &work);
        if let Some(norm) = &mut self.norms[output] {
            norm.moments = moments;
        }
        give_back(&mut self.values, Some(output), values);
    }

    fn join(&mut self, a: usize, b: Option<usize>, output: usize, images: &[F], count: usize) {
        let mut values = lend(&mut self.values, Some(output));
        let len = self.plan.tensors[output].len();
        let reader = self.reader(images);
        let work = |range: Range<usize>, mut out: Images<'_, F>| {
            for (local, image) in range.enumerate() {
                let branch = b.map(|b| (reader.image(b, image), reader.affine(b, image)));
                channel_norm::join_forward(
                    reader.image(a, image),
                    reader.affine(a, image),
                    branch,
                    out.range(local..local + 1),
                );
            }
        };
        over_shares(count, self.shares(count), Images::new(&mut values, count, len), &work);
        give_back(&mut self.values, Some(output), values);
    }

    fn pool(&mut self, input: usize, output: usize, shape: PoolShape, images: &[F], count: usize) {
        let mut values = lend(&mut self.values, Some(output));
        let len = self.plan.tensors[output].len();
        let reader = self.reader(images);
        let work = |range: Range<usize>, mut out: Images<'_, F>| {
            for (local, image) in range.enumerate() {
                let affine = reader.affine(input, image);
                let y = reader.image(input, image);
                pool::forward(y, affine, out.range(local..local + 1), shape);
            }
        };
        let out = Images::new(&mut values, count, len);
        over_shares(count, self.shares(count), out, &work);
        give_back(&mut self.values, Some(output), values);
    }

    /// Global average and the map to the classes.
    fn head(&mut self, parameters: &[F], images: &[F], count: usize) {
        let head = self.plan.head;
        let channels = self.plan.tensors[head.input].channels;
        let mut features = std::mem::take(&mut self.features);
        let reader = self.reader(images);
        let work = |range: Range<usize>, mut out: Images<'_, F>| {
            for (local, image) in range.enumerate() {
                let affine = reader.affine(head.input, image);
                let y = reader.image(head.input, image);
                pool::global_forward(y, affine, out.range(local..local + 1));
            }
        };
        let out = Images::new(&mut features, count, channels);
        over_shares(count, self.shares(count), out, &work);
        let weight = &parameters[head.weight..head.weight + head.classes * channels];
        let logits = &mut self.logits[..count * head.classes];
        let features_in = &features[..count * channels];
        matmul::forward(logits, features_in, weight, count, channels, head.classes);
        bias::forward(logits, &parameters[head.bias..head.bias + head.classes]);
        self.features = features;
    }
}
