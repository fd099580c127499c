//! A plan with the memory to run it.

use super::norm_state::NormState;
use super::plan::{IMAGES, Plan, Stage};
use super::reader::Reader;
use super::slots::Slots;
use crate::Float;
use crate::kernels::convolution::Convolution;
use crate::memory::{Arena, PerThread};
use crate::targets::ClassLoss;

/// Most shares of a batch.
const MOST_SHARES: usize = 16;
/// Fewest, unless the batch has fewer images.
const FEWEST_SHARES: usize = 4;
/// Memory that the shares' gradients of the largest convolution may take, unless the fewest shares
/// take more.
const SHARE_BYTES: usize = 16 << 20;

/// What one thread needs for a block of images.
pub(super) struct Buffers<F> {
    /// Framed input of a convolution.
    pub(super) x: Arena<F>,
    /// Its framed output gradient.
    pub(super) dy: Arena<F>,
    /// What a convolution arranges for itself.
    pub(super) scratch: Arena<F>,
    /// Gradient of its input.
    pub(super) dx: Arena<F>,
}

/// A network that computes losses and gradients; owns all the memory that a step needs.
pub(crate) struct Network<F> {
    pub(super) plan: Plan,
    pub(super) slots: Slots,
    /// And its label smoothing.
    pub(super) loss: (ClassLoss, f64),
    /// Most images of a batch.
    pub(super) capacity: usize,
    /// Of every stage that is one.
    pub(super) convolutions: Vec<Option<Convolution>>,
    pub(super) values: Vec<Arena<F>>,
    pub(super) gradients: Vec<Arena<F>>,
    pub(super) norms: Vec<Option<NormState<F>>>,
    /// The affine map of tensors without a normalisation.
    pub(super) ones: Vec<F>,
    pub(super) zeros: Vec<F>,
    pub(super) features: Vec<F>,
    pub(super) feature_gradients: Vec<F>,
    pub(super) logits: Vec<F>,
    /// Weights of the convolution at work.
    pub(super) packed: Arena<F>,
    /// Each share's gradient of it.
    pub(super) accumulators: Vec<Arena<F>>,
    pub(super) buffers: PerThread<Buffers<F>>,
}

/// Takes a buffer out for the time that others are read.
pub(super) fn lend<F: Float>(arenas: &mut [Arena<F>], index: Option<usize>) -> Arena<F> {
    index.map_or(Arena::new(0), |index| std::mem::replace(&mut arenas[index], Arena::new(0)))
}

/// Undoes [`lend`].
pub(super) fn give_back<F: Float>(arenas: &mut [Arena<F>], index: Option<usize>, arena: Arena<F>) {
    if let Some(index) = index {
        arenas[index] = arena;
    }
}

impl<F: Float> Network<F> {
    /// Memory for batches of at most `images` images, worked on by at most `threads` threads at a
    /// time.
    pub(crate) fn new(plan: Plan, loss: (ClassLoss, f64), images: usize, threads: usize) -> Self {
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
        let buffers = || Buffers {
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
            buffers: PerThread::new(threads.min(shares), buffers),
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
            + self.buffers.sum(|buffers| {
                let Buffers { x, dy, scratch, dx } = buffers;
                [x, dy, scratch, dx].map(Arena::bytes).iter().sum()
            })
    }

    pub(super) fn shares(&self, images: usize) -> usize {
        self.accumulators.len().min(images)
    }

    pub(super) fn reader<'a>(&'a self, images: &'a [F]) -> Reader<'a, F> {
        Reader {
            tensors: &self.plan.tensors,
            images,
            values: &self.values,
            norms: &self.norms,
            ones: &self.ones,
            zeros: &self.zeros,
        }
    }

    /// The sums of a tensor's norm, for the time that the norm is read; none without one.
    pub(super) fn lend_sums(&mut self, tensor: usize) -> Vec<f64> {
        self.norms[tensor].as_mut().map(|norm| std::mem::take(&mut norm.sums)).unwrap_or_default()
    }

    pub(super) fn give_back_sums(&mut self, tensor: usize, sums: Vec<f64>) {
        if let Some(norm) = &mut self.norms[tensor] {
            norm.sums = sums;
        }
    }

    /// Sums of an image.
    pub(super) fn sums_each(&self, tensor: usize) -> usize {
        let norm = &self.norms[tensor];
        norm.as_ref().map_or(0, |_| 2 * self.plan.tensors[tensor].channels)
    }
}
