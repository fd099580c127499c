//! A plan with the memory to run it: forward and backward, stage after stage.

use std::ops::Range;

use rayon::prelude::*;

use super::norm_state::{NormState, Statistics};
use super::plan::{IMAGES, NormKind, Plan, Stage, Tensor};
use super::shares::{Images, PerShare, over_shares};
use super::slots::{Slots, StageSlots};
use crate::device::{Arena, Store, Workspaces};
use crate::error::check_length;
use crate::kernels::channel_norm::{self, Affine};
use crate::kernels::convolution::{Convolution, Frame};
use crate::kernels::{bias, class_loss, matmul, pool, sum};
use crate::vision::{ClassLoss, Targets};
use crate::{Float, NnError};

/// Most shares of a batch.
const MOST_SHARES: usize = 16;
/// Fewest, unless the batch has fewer images.
const FEWEST_SHARES: usize = 4;
/// Memory that the shares' gradients of the largest convolution may take, unless the fewest shares take more.
const SHARE_BYTES: usize = 16 << 20;
/// Elements of a gradient that are summed over the shares at a time.
const SUM_CHUNK: usize = 1 << 14;

/// What one thread needs for a block of images.
struct Workspace<F> {
    /// Framed input of a convolution.
    x: Arena<F>,
    /// Its framed output gradient.
    dy: Arena<F>,
    /// What a convolution arranges for itself.
    scratch: Arena<F>,
    /// Gradient of its input.
    dx: Arena<F>,
}

/// A network that computes losses and gradients; owns all the memory that a step needs.
pub(crate) struct Network<F> {
    plan: Plan,
    slots: Slots,
    loss: ClassLoss,
    /// Most images of a batch.
    capacity: usize,
    /// Of every stage that is one.
    convolutions: Vec<Option<Convolution>>,
    values: Vec<Arena<F>>,
    gradients: Vec<Arena<F>>,
    norms: Vec<Option<NormState<F>>>,
    /// The affine map of tensors without a normalisation.
    ones: Vec<F>,
    zeros: Vec<F>,
    features: Vec<F>,
    feature_gradients: Vec<F>,
    logits: Vec<F>,
    /// Weights of the convolution at work.
    packed: Arena<F>,
    /// Each share's gradient of it.
    accumulators: Vec<Arena<F>>,
    workspaces: Workspaces<Workspace<F>>,
}

/// What stages read.
#[derive(Clone, Copy)]
struct Reader<'a, F> {
    tensors: &'a [Tensor],
    images: &'a [F],
    values: &'a [Arena<F>],
    norms: &'a [Option<NormState<F>>],
    ones: &'a [F],
    zeros: &'a [F],
}

impl<'a, F: Float> Reader<'a, F> {
    /// A tensor's numbers of one image.
    fn image(&self, tensor: usize, image: usize) -> &'a [F] {
        let len = self.tensors[tensor].len();
        let values: &[F] = if tensor == IMAGES { self.images } else { &self.values[tensor] };
        &values[image * len..(image + 1) * len]
    }

    /// How a tensor is read: normalised and at least 0, or as it is.
    fn affine(&self, tensor: usize, image: usize) -> Affine<'a, F> {
        match &self.norms[tensor] {
            Some(norm) => norm.affine(image, 0.0),
            None => {
                let channels = self.tensors[tensor].channels;
                Affine {
                    scale: &self.ones[..channels],
                    shift: &self.zeros[..channels],
                    floor: F::from_f64(f64::NEG_INFINITY),
                }
            }
        }
    }

    /// A block of images as a convolution reads them.
    fn frame(&self, tensor: usize, images: Range<usize>, frame: Frame, out: &mut [F]) {
        for (image, out) in images.zip(out.chunks_exact_mut(frame.len())) {
            let affine = self.affine(tensor, image);
            channel_norm::forward(self.image(tensor, image), affine, out, frame);
        }
    }
}

/// Blocks of at most `most` images.
fn blocks(images: Range<usize>, most: usize) -> impl Iterator<Item = Range<usize>> {
    let end = images.end;
    images.step_by(most).map(move |start| start..(start + most).min(end))
}

/// Takes a buffer out for the time that others are read.
fn lend<F: Float>(arenas: &mut [Arena<F>], index: Option<usize>) -> Arena<F> {
    index.map_or(Arena::new(0), |index| std::mem::replace(&mut arenas[index], Arena::new(0)))
}

/// Undoes [`lend`].
fn give_back<F: Float>(arenas: &mut [Arena<F>], index: Option<usize>, arena: Arena<F>) {
    if let Some(index) = index {
        arenas[index] = arena;
    }
}

impl<F: Float> Network<F> {
    /// Memory for batches of at most `images` images, worked on by at most `threads` threads at a time.
    pub(crate) fn new(plan: Plan, loss: ClassLoss, images: usize, threads: usize) -> Self {
        let slots = Slots::new(&plan);
        let convolution = |stage: &Stage| match stage {
            Stage::Convolve { shape, .. } => {
                Some(Convolution::new::<F>(*shape, Convolution::block(shape, images)))
            }
            Stage::Join { .. } | Stage::Pool { .. } => None,
        };
        let convolutions: Vec<_> = plan.stages.iter().map(convolution).collect();
        let most = |of: &dyn Fn(&Convolution) -> usize| {
            convolutions.iter().flatten().map(of).max().unwrap_or(0)
        };
        let gradient_len = most(&Convolution::forward_len);
        let packed = gradient_len.max(most(&Convolution::backward_len));
        let shares = (SHARE_BYTES / (gradient_len.max(1) * size_of::<F>()))
            .clamp(FEWEST_SHARES, MOST_SHARES)
            .min(images);
        let workspace = || Workspace {
            x: Arena::new(most(&|one| one.images * one.input.len())),
            dy: Arena::new(most(&|one| one.images * one.output.len())),
            scratch: Arena::new(most(&Convolution::scratch_len)),
            dx: Arena::new(most(&|one| {
                one.images * one.shape.height * one.shape.width * one.shape.inputs
            })),
        };
        let values = plan.tensors.iter().enumerate().map(|(index, tensor)| {
            Arena::new(if index == IMAGES { 0 } else { images * tensor.len() })
        });
        let norms = plan
            .tensors
            .iter()
            .map(|tensor| tensor.norm.map(|norm| NormState::new(tensor, norm, images)));
        let channels = plan.tensors.iter().map(|tensor| tensor.channels).max();
        let channels = channels.unwrap_or(0);
        let features = plan.tensors[plan.head.input].channels;
        Self {
            workspaces: Workspaces::new(threads.min(shares), workspace),
            values: values.collect(),
            norms: norms.collect(),
            gradients: slots.sizes.iter().map(|size| Arena::new(images * size)).collect(),
            ones: vec![F::from_f64(1.0); channels],
            zeros: vec![F::from_f64(0.0); channels],
            features: vec![F::from_f64(0.0); images * features],
            feature_gradients: vec![F::from_f64(0.0); images * features],
            logits: vec![F::from_f64(0.0); images * plan.head.classes],
            packed: Arena::new(packed),
            accumulators: (0..shares).map(|_| Arena::new(gradient_len)).collect(),
            convolutions,
            capacity: images,
            loss,
            slots,
            plan,
        }
    }

    /// Mean loss over the batch and its gradient; batch norms take the batch's statistics, and `running` follows.
    pub(crate) fn loss_and_gradient(
        &mut self,
        parameters: &[F],
        gradients: &mut [F],
        running: &mut [F],
        images: &[F],
        targets: Targets<'_>,
    ) -> Result<f64, NnError> {
        let count = self.check(parameters, running.len(), images)?;
        check_length("gradients", gradients.len(), self.plan.layout.len)?;
        targets.check(count, self.plan.head.classes)?;
        self.check_statistics(count)?;
        self.forward(parameters, Statistics::Batch(running), images, count);
        let logits = &mut self.logits[..count * self.plan.head.classes];
        let scale = 1.0 / count as f64;
        let total =
            class_loss::forward_backward(logits, targets, self.plan.head.classes, self.loss, scale);
        self.backward(parameters, gradients, images, count);
        Ok(total * scale)
    }

    /// `logits` `[image][class]`, with the running statistics.
    pub(crate) fn logits(
        &mut self,
        parameters: &[F],
        running: &[F],
        images: &[F],
        logits: &mut [F],
    ) -> Result<(), NnError> {
        let count = self.check(parameters, running.len(), images)?;
        check_length("logits", logits.len(), count * self.plan.head.classes)?;
        self.forward(parameters, Statistics::Running(running), images, count);
        logits.copy_from_slice(&self.logits[..logits.len()]);
        Ok(())
    }

    /// Bytes that the network owns.
    pub(crate) fn memory_bytes(&self) -> usize {
        let arenas = self
            .values
            .iter()
            .chain(&self.gradients)
            .chain(&self.accumulators)
            .chain([&self.packed]);
        let vectors = [&self.features, &self.feature_gradients, &self.logits];
        arenas.map(Arena::bytes).sum::<usize>()
            + vectors.map(|vector| size_of_val(vector.as_slice())).iter().sum::<usize>()
            + self.norms.iter().flatten().map(NormState::bytes).sum::<usize>()
            + self.convolutions.iter().flatten().map(Convolution::bytes).sum::<usize>()
            + self.workspaces.sum(|workspace| {
                let Workspace { x, dy, scratch, dx } = workspace;
                [x, dy, scratch, dx].map(Arena::bytes).iter().sum()
            })
    }

    /// The number of images, if the slices fit one another.
    fn check(&self, parameters: &[F], running: usize, images: &[F]) -> Result<usize, NnError> {
        check_length("parameters", parameters.len(), self.plan.layout.len)?;
        check_length("running statistics", running, self.plan.running.len)?;
        let len = self.plan.tensors[IMAGES].len();
        let count = images.len() / len;
        if images.len() != count * len || !(1..=self.capacity).contains(&count) {
            return Err(NnError::Length {
                what: "images",
                given: images.len(),
                expected: format!("1 to {} images of {len} numbers", self.capacity),
            });
        }
        Ok(count)
    }

    /// Refuses a batch in which a batch norm sees one number a channel: its variance would be 0.
    fn check_statistics(&self, images: usize) -> Result<(), NnError> {
        let alone = self.plan.tensors.iter().any(|tensor| {
            let norm = tensor.norm.map(|norm| norm.kind);
            matches!(norm, Some(NormKind::Batch { .. })) && tensor.pixels() * images == 1
        });
        if alone { Err(NnError::BatchOfOne) } else { Ok(()) }
    }

    fn shares(&self, images: usize) -> usize {
        self.accumulators.len().min(images)
    }

    fn reader<'a>(&'a self, images: &'a [F]) -> Reader<'a, F> {
        Reader {
            tensors: &self.plan.tensors,
            images,
            values: &self.values,
            norms: &self.norms,
            ones: &self.ones,
            zeros: &self.zeros,
        }
    }

    /// Up to the logits.
    fn forward(
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
                    let closed = !self.plan.stages[index + 1..]
                        .iter()
                        .any(|stage| matches!(stage, Stage::Convolve { output: later, adds: true, .. } if *later == output));
                    if closed && let Some(norm) = &mut self.norms[output] {
                        norm.finish_forward(parameters, &mut statistics, count);
                    }
                }
                Stage::Join { a, b, output } => self.join(a, b, output, images, count),
                Stage::Pool { input, output, shape } => {
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
        let (packed, workspaces) = (&self.packed, &self.workspaces);
        let store = if adds || residual.is_some() { Store::Add } else { Store::Overwrite };
        let work = |range: Range<usize>, operands: (Images<'_, F>, Images<'_, f64>)| {
            let Some(convolution) = convolution else {
                return;
            };
            let (mut out, mut moments) = operands;
            let first = range.start;
            let mut workspace = workspaces.take();
            let Workspace { x, scratch, .. } = &mut *workspace;
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

    /// From the logits' gradient, which stands in their place.
    fn backward(&mut self, parameters: &[F], gradients: &mut [F], images: &[F], count: usize) {
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
                            add_up(&reader, input, image, n, sums.range(local..local + 1));
                        }
                    };
                    let operands =
                        (Images::new(&mut n, count, len), Images::new(&mut sums, count, each));
                    over_shares(count, self.shares(count), operands, &work);
                    self.give_back_sums(input, sums);
                    give_back(&mut self.gradients, n_slot, n);
                }
            }
        }
    }

    /// The sums of a tensor's norm, for the time that the norm is read; none without one.
    fn lend_sums(&mut self, tensor: usize) -> Vec<f64> {
        self.norms[tensor].as_mut().map(|norm| std::mem::take(&mut norm.sums)).unwrap_or_default()
    }

    fn give_back_sums(&mut self, tensor: usize, sums: Vec<f64>) {
        if let Some(norm) = &mut self.norms[tensor] {
            norm.sums = sums;
        }
    }

    /// Sums of an image.
    fn sums_each(&self, tensor: usize) -> usize {
        let norm = &self.norms[tensor];
        norm.as_ref().map_or(0, |_| 2 * self.plan.tensors[tensor].channels)
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
                add_up(&reader, head.input, image, n, sums.range(local..local + 1));
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
                add_up(&reader, a, image, gradient, a_sums.range(one.clone()));
                if let Some(b) = b {
                    add_up(&reader, b, image, gradient, b_sums.range(one));
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

    fn convolve_backward(
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
        let mut sums = if slots.input.is_some() { self.lend_sums(input) } else { Vec::new() };
        let sums_each = if slots.input.is_some() { self.sums_each(input) } else { 0 };
        let (in_len, out_len) = (self.plan.tensors[input].len(), self.plan.tensors[output].len());
        let has_norm = self.plan.tensors[input].norm.is_some();
        let each = |present: bool, len: usize| if present { len } else { 0 };

        let reader = self.reader(images);
        let norm = self.norms[output].as_ref();
        let convolution = self.convolutions[index].as_ref();
        let (packed, workspaces) = (&self.packed, &self.workspaces);
        let output_channels = self.plan.tensors[output].channels;
        let identity = Affine {
            scale: &self.ones[..output_channels],
            shift: &self.zeros[..output_channels],
            floor: F::from_f64(f64::NEG_INFINITY),
        };
        type Operands<'a, F> = (
            (Images<'a, F>, Images<'a, F>),
            (Images<'a, F>, Images<'a, f64>),
            PerShare<'a, Arena<F>>,
        );
        let work = |range: Range<usize>, operands: Operands<'_, F>| {
            let Some(convolution) = convolution else {
                return;
            };
            let ((mut direct, mut through), (mut input_gradient, mut sums), accumulator) = operands;
            let first = range.start;
            let accumulator = &mut accumulator.0[0][..convolution.forward_len()];
            accumulator.fill(F::from_f64(0.0));
            let mut workspace = workspaces.take();
            let Workspace { x, dy, scratch, dx } = &mut *workspace;
            let x = &mut x[..convolution.images * convolution.input.len()];
            let dy = &mut dy[..convolution.images * convolution.output.len()];
            x.fill(F::from_f64(0.0));
            dy.fill(F::from_f64(0.0));
            for block in blocks(range, convolution.images) {
                let images = block.len();
                reader.frame(input, block.clone(), convolution.input, x);
                for (image, dy) in block.clone().zip(dy.chunks_exact_mut(convolution.output.len()))
                {
                    let one = image - first..image - first + 1;
                    let frame = convolution.output;
                    let y = reader.image(output, image);
                    let gradient = norm.map(|norm| norm.gradient(image));
                    match (slots.direct.is_some(), slots.through.is_some(), gradient) {
                        (false, true, Some(gradient)) if !slots.keep => {
                            channel_norm::backward(through.range(one), y, gradient, dy, frame);
                        }
                        (false, true, Some(gradient)) => {
                            let n = through.range(one);
                            channel_norm::backward_in_place(n, y, gradient, None);
                            channel_norm::forward(n, identity, dy, frame);
                        }
                        (true, true, Some(gradient)) => {
                            let (sum, n) = (direct.range(one.clone()), through.range(one));
                            channel_norm::backward_in_place(n, y, gradient, Some(sum));
                            channel_norm::forward(sum, identity, dy, frame);
                        }
                        _ => channel_norm::forward(direct.range(one), identity, dy, frame),
                    }
                }
                convolution.backward_weight(accumulator, x, dy, images, scratch);
                let Some(target) = slots.input else { continue };
                let local = block.start - first..block.end - first;
                let out = input_gradient.range(local.clone());
                if !has_norm && !target.add {
                    convolution.backward_input(packed, dy, out, images, scratch);
                    continue;
                }
                let dx = &mut dx[..images * in_len];
                convolution.backward_input(packed, dy, dx, images, scratch);
                if !has_norm {
                    sum::add(out, dx);
                    continue;
                }
                let each = dx.chunks_exact(in_len).zip(out.chunks_exact_mut(in_len));
                for (local, (dx, n)) in local.zip(each) {
                    let image = first + local;
                    let affine = reader.affine(input, image);
                    let y = reader.image(input, image);
                    channel_norm::relu_backward(y, affine, dx, n, target.add);
                    add_up(&reader, input, image, n, sums.range(local..local + 1));
                }
            }
        };
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
        over_shares(count, shares, operands, &work);

        if let Some(convolution) = convolution {
            let len = convolution.forward_len();
            let (total, rest) = accumulators[..shares].split_at_mut(1);
            let total = &mut total[0][..len];
            total.par_chunks_mut(SUM_CHUNK).enumerate().for_each(|(chunk, sum)| {
                for accumulator in &*rest {
                    sum::add(sum, &accumulator[chunk * SUM_CHUNK..][..sum.len()]);
                }
            });
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

/// The sums that a tensor's norm needs of the gradient n of one image; nothing without a norm.
fn add_up<F: Float>(
    reader: &Reader<'_, F>,
    tensor: usize,
    image: usize,
    n: &[F],
    sums: &mut [f64],
) {
    if let Some(norm) = &reader.norms[tensor] {
        let (totals, products) = sums.split_at_mut(sums.len() / 2);
        let y = reader.image(tensor, image);
        channel_norm::gradient_sums(y, norm.mean(image), n, totals, products);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finite_difference::{dot, normals};
    use crate::kernels::pool::Pooling;
    use crate::vision::{CnnConfig, ImageNorm, ImageShape, ResnetConfig, Stem};

    const IMAGES_IN_BATCH: usize = 5;
    const IMAGE: ImageShape = ImageShape { channels: 3, height: 10, width: 9 };

    /// One of every kind of stage and normalisation.
    fn plans() -> Vec<(&'static str, Plan)> {
        let cnn = |norm, pooling, groups| {
            let mut config = CnnConfig::new(IMAGE, 4, vec![6, 8]);
            (config.norm, config.pooling, config.groups) = (norm, pooling, groups);
            config.convolutions = 2;
            config.validate().unwrap();
            config.plan()
        };
        let resnet = |depth, norm, stem| {
            let mut config = ResnetConfig::new(IMAGE, 4, depth);
            (config.norm, config.stem, config.width) = (norm, stem, Some(4));
            config.validate().unwrap();
            config.plan()
        };
        vec![
            ("cnn", cnn(ImageNorm::Batch, Pooling::Max, 1)),
            ("grouped cnn", cnn(ImageNorm::Group, Pooling::Average, 2)),
            ("cnn without norm", cnn(ImageNorm::None, Pooling::Max, 1)),
            ("resnet 8", resnet(8, ImageNorm::Batch, Stem::Small)),
            ("resnet 8, group norm", resnet(8, ImageNorm::Group, Stem::Small)),
            ("resnet 14", resnet(14, ImageNorm::Batch, Stem::Small)),
            ("resnet 18", resnet(18, ImageNorm::Batch, Stem::Small)),
            ("resnet 18, large stem", resnet(18, ImageNorm::Group, Stem::Large)),
        ]
    }

    #[test]
    fn backward_is_the_gradient_of_the_loss() {
        for (name, plan) in plans() {
            let mut network =
                Network::<f64>::new(plan.clone(), ClassLoss::default(), IMAGES_IN_BATCH, 2);
            let mut parameters = normals(1, plan.layout.len);
            for segment in &plan.layout.segments {
                for parameter in &mut parameters[segment.range()] {
                    *parameter = segment.initial_mean
                        + *parameter
                            * if segment.initial_std > 0.0 { segment.initial_std } else { 0.2 };
                }
            }
            let images = normals(2, IMAGES_IN_BATCH * IMAGE.numbers());
            let targets = Targets {
                first: &[0, 1, 2, 3, 1],
                second: &[0, 0, 0, 1, 2],
                share: &[1.0, 1.0, 1.0, 0.75, 0.5],
            };
            let mut running = vec![0.0; plan.running.len];
            let mut gradients = vec![f64::NAN; parameters.len()];
            network
                .loss_and_gradient(&parameters, &mut gradients, &mut running, &images, targets)
                .unwrap();
            let mut other = vec![0.0; parameters.len()];
            // A wider step would cross kinks of ReLU and max.
            let step = 1e-6;
            for seed in 0..4 {
                let direction = normals(100 + seed, parameters.len());
                let mut at = |distance: f64| {
                    let moved: Vec<f64> = parameters
                        .iter()
                        .zip(&direction)
                        .map(|(parameter, direction)| parameter + distance * direction)
                        .collect();
                    network
                        .loss_and_gradient(&moved, &mut other, &mut running, &images, targets)
                        .unwrap()
                };
                let difference = (at(step) - at(-step)) / (2.0 * step);
                let expected = dot(&gradients, &direction);
                let scale = dot(&gradients, &gradients).sqrt() * dot(&direction, &direction).sqrt();
                assert!(
                    (difference - expected).abs() < 1e-7 * scale,
                    "{name}: difference {difference}, gradient {expected}"
                );
            }
        }
    }
}
