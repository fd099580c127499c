//! Cuts a batch into micro-batches, deals them to gradient accumulators, sums the accumulators.
//!
//! A *gradient accumulator* takes the gradient of a share of the batch, which one thread works off
//! in order. How many accumulators there are and which micro-batches each gets depends on the model
//! and the batch only, never on the number of threads, and accumulators are summed in their order:
//! so one seed gives the same bits on any number of threads.

use std::ops::Range;

use rayon::prelude::*;

use crate::kernels::sum;
use crate::memory::{Arena, PerThread};
use crate::{Float, NnError};

/// Memory that the accumulators' gradients may take, unless two accumulators take more.
const ACCUMULATOR_BYTES: usize = 64 << 20;

/// Most accumulators: each costs a pass to clear and one to add its gradient, a few tenths of a
/// percent of a tiny model's step.
pub(crate) const MOST_ACCUMULATORS: usize = 4;

/// Elements of the gradient that are summed over the accumulators at a time.
const SUM_CHUNK: usize = 1 << 14;

/// What one thread needs to work on a micro-batch.
pub(crate) struct Buffers<F> {
    pub(crate) activations: Arena<F>,
    pub(crate) scratch: Arena<F>,
}

/// The gradient of a share of the batch. The first accumulator is the caller's gradient instead.
struct Accumulator<F> {
    gradients: Arena<F>,
    loss: f64,
}

/// Sizes of [`GradientAccumulators`]. An *item* is what a batch is made of: a sequence of tokens,
/// an image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepSizes {
    /// Most items of a batch.
    pub(crate) items: usize,
    /// Items of a micro-batch.
    pub(crate) micro_items: usize,
    /// Most threads at work.
    pub(crate) threads: usize,
    /// Parameters of the model.
    pub(crate) parameters: usize,
    /// Numbers in a buffers's activations.
    pub(crate) activations: usize,
    /// Numbers in its scratch.
    pub(crate) scratch: usize,
}

/// The memory of a model's steps.
pub(crate) struct GradientAccumulators<F> {
    pub(crate) micro_items: usize,
    buffers: PerThread<Buffers<F>>,
    /// All but the first.
    others: Vec<Accumulator<F>>,
}

/// Refuses a batch of no items (`field` says which) and no threads.
pub(crate) fn check_counts(
    field: &'static str,
    items: usize,
    threads: usize,
) -> Result<(), NnError> {
    for (field, value) in [(field, items), ("threads", threads)] {
        if value == 0 {
            return Err(NnError::configuration(field, value, "it has to be at least 1"));
        }
    }
    Ok(())
}

impl<F: Float> GradientAccumulators<F> {
    pub(crate) fn new(sizes: StepSizes) -> Self {
        let micro_batches = sizes.items.div_ceil(sizes.micro_items);
        let count = (ACCUMULATOR_BYTES / (sizes.parameters * size_of::<f32>()))
            .clamp(2, MOST_ACCUMULATORS)
            .min(micro_batches);
        let make = || Buffers {
            activations: Arena::new(sizes.activations),
            scratch: Arena::new(sizes.scratch),
        };
        let accumulator = |_| Accumulator { gradients: Arena::new(sizes.parameters), loss: 0.0 };
        Self {
            micro_items: sizes.micro_items,
            buffers: PerThread::new(sizes.threads.min(micro_batches), make),
            others: (1..count).map(accumulator).collect(),
        }
    }

    /// Micro-batches of a batch of `items` items.
    pub(crate) fn micro_batches(&self, items: usize) -> usize {
        items.div_ceil(self.micro_items)
    }

    /// Sum of what `work` returns for every micro-batch, given by the range of its items; `work`
    /// adds to the gradient it is handed, and `gradients` becomes the sum over all.
    pub(crate) fn gradient(
        &mut self,
        items: usize,
        gradients: &mut [F],
        work: impl Fn(&mut Buffers<F>, Range<usize>, &mut [F]) -> f64 + Sync,
    ) -> f64 {
        let micro_batches = self.micro_batches(items);
        let (micro_items, buffers) = (self.micro_items, &self.buffers);
        let count = (1 + self.others.len()).min(micro_batches);
        let run_share = |accumulator: usize, gradients: &mut [F]| -> f64 {
            gradients.fill(F::from_f64(0.0));
            // As even as possible.
            let share = |accumulator: usize| accumulator * micro_batches / count;
            (share(accumulator)..share(accumulator + 1))
                .map(|index| {
                    let start = index * micro_items;
                    let range = start..(start + micro_items).min(items);
                    work(&mut buffers.take(), range, gradients)
                })
                .sum()
        };
        let others = &mut self.others[..count - 1];
        let (first_loss, ()) = rayon::join(
            || run_share(0, gradients),
            || {
                others.par_iter_mut().enumerate().with_max_len(1).for_each(
                    |(index, accumulator)| {
                        accumulator.loss = run_share(index + 1, &mut accumulator.gradients);
                    },
                );
            },
        );
        gradients.par_chunks_mut(SUM_CHUNK).enumerate().for_each(|(index, sum)| {
            for accumulator in &*others {
                sum::add(sum, &accumulator.gradients[index * SUM_CHUNK..][..sum.len()]);
            }
        });
        others.iter().fold(first_loss, |total, accumulator| total + accumulator.loss)
    }

    /// Hands every micro-batch, given by the range of its items, its share of `outputs`: `chunk`
    /// elements each.
    pub(crate) fn forward<T: Send>(
        &self,
        items: usize,
        outputs: &mut [T],
        chunk: usize,
        work: impl Fn(&mut Buffers<F>, Range<usize>, &mut [T]) + Sync,
    ) {
        outputs.par_chunks_mut(chunk).enumerate().with_max_len(1).for_each(|(index, outputs)| {
            let start = index * self.micro_items;
            let range = start..(start + self.micro_items).min(items);
            work(&mut self.buffers.take(), range, outputs);
        });
    }

    /// Bytes of activations and scratch of every thread, and of the gradients of every accumulator
    /// but the first.
    pub(crate) fn bytes(&self) -> usize {
        let buffers =
            self.buffers.sum(|buffers| buffers.activations.bytes() + buffers.scratch.bytes());
        let accumulators = self.others.iter().map(|accumulator| accumulator.gradients.bytes());
        buffers + accumulators.sum::<usize>()
    }
}
