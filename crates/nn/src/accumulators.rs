//! Cuts a batch into micro-batches, deals them to lanes, sums the lanes.
//!
//! A *lane* is a share of the batch with a gradient of its own, worked off in order by one thread. How many lanes
//! there are and which micro-batches each gets depends on the model and the batch only, never on the number of
//! threads, and lanes are summed in their order: so one seed gives the same bits on any number of threads.

use std::ops::Range;

use rayon::prelude::*;

use crate::device::{Arena, Workspaces};
use crate::kernels::sum;
use crate::{Float, NnError};

/// Memory that the lanes' gradients may take, unless two lanes take more.
const LANE_BYTES: usize = 64 << 20;

/// Most lanes: each costs a pass to clear and one to add its gradient, a few tenths of a percent of a tiny model's step.
pub(crate) const MOST_LANES: usize = 4;

/// Elements of the gradient that are summed over the lanes at a time.
const SUM_CHUNK: usize = 1 << 14;

/// What one thread needs to work on a micro-batch.
pub(crate) struct Workspace<F> {
    pub(crate) activations: Arena<F>,
    pub(crate) scratch: Arena<F>,
}

/// A share of the batch. The first lane writes into the caller's gradient instead.
struct Lane<F> {
    gradients: Arena<F>,
    loss: f64,
}

/// Sizes of [`Lanes`]. An *item* is what a batch is made of: a sequence of tokens, an image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LaneSizes {
    /// Most items of a batch.
    pub(crate) items: usize,
    /// Items of a micro-batch.
    pub(crate) micro_items: usize,
    /// Most threads at work.
    pub(crate) threads: usize,
    /// Parameters of the model.
    pub(crate) parameters: usize,
    /// Numbers in a workspace's activations.
    pub(crate) activations: usize,
    /// Numbers in its scratch.
    pub(crate) scratch: usize,
}

/// The memory of a model's steps.
pub(crate) struct Lanes<F> {
    pub(crate) micro_items: usize,
    workspaces: Workspaces<Workspace<F>>,
    /// All but the first.
    other_lanes: Vec<Lane<F>>,
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

impl<F: Float> Lanes<F> {
    pub(crate) fn new(sizes: LaneSizes) -> Self {
        let micro_batches = sizes.items.div_ceil(sizes.micro_items);
        let lane_count = (LANE_BYTES / (sizes.parameters * size_of::<f32>()))
            .clamp(2, MOST_LANES)
            .min(micro_batches);
        let workspace = || Workspace {
            activations: Arena::new(sizes.activations),
            scratch: Arena::new(sizes.scratch),
        };
        let lane = |_| Lane { gradients: Arena::new(sizes.parameters), loss: 0.0 };
        Self {
            micro_items: sizes.micro_items,
            workspaces: Workspaces::new(sizes.threads.min(micro_batches), workspace),
            other_lanes: (1..lane_count).map(lane).collect(),
        }
    }

    /// Micro-batches of a batch of `items` items.
    pub(crate) fn micro_batches(&self, items: usize) -> usize {
        items.div_ceil(self.micro_items)
    }

    /// Sum of what `work` returns for every micro-batch, given by the range of its items; `work` adds to the
    /// gradient it is handed, and `gradients` becomes the sum over all.
    pub(crate) fn gradient(
        &mut self,
        items: usize,
        gradients: &mut [F],
        work: impl Fn(&mut Workspace<F>, Range<usize>, &mut [F]) -> f64 + Sync,
    ) -> f64 {
        let micro_batches = self.micro_batches(items);
        let (micro_items, workspaces) = (self.micro_items, &self.workspaces);
        let lane_count = (1 + self.other_lanes.len()).min(micro_batches);
        let run_lane = |lane: usize, gradients: &mut [F]| -> f64 {
            gradients.fill(F::from_f64(0.0));
            // As even as possible.
            let share = |lane: usize| lane * micro_batches / lane_count;
            (share(lane)..share(lane + 1))
                .map(|index| {
                    let start = index * micro_items;
                    let range = start..(start + micro_items).min(items);
                    work(&mut workspaces.take(), range, gradients)
                })
                .sum()
        };
        let other_lanes = &mut self.other_lanes[..lane_count - 1];
        let (first_loss, ()) = rayon::join(
            || run_lane(0, gradients),
            || {
                other_lanes.par_iter_mut().enumerate().with_max_len(1).for_each(|(index, lane)| {
                    lane.loss = run_lane(index + 1, &mut lane.gradients);
                });
            },
        );
        gradients.par_chunks_mut(SUM_CHUNK).enumerate().for_each(|(index, sum)| {
            for lane in &*other_lanes {
                sum::add(sum, &lane.gradients[index * SUM_CHUNK..][..sum.len()]);
            }
        });
        other_lanes.iter().fold(first_loss, |total, lane| total + lane.loss)
    }

    /// Hands every micro-batch, given by the range of its items, its share of `outputs`: `chunk` elements each.
    pub(crate) fn forward<T: Send>(
        &self,
        items: usize,
        outputs: &mut [T],
        chunk: usize,
        work: impl Fn(&mut Workspace<F>, Range<usize>, &mut [T]) + Sync,
    ) {
        outputs.par_chunks_mut(chunk).enumerate().with_max_len(1).for_each(|(index, outputs)| {
            let start = index * self.micro_items;
            let range = start..(start + self.micro_items).min(items);
            work(&mut self.workspaces.take(), range, outputs);
        });
    }

    /// Bytes of activations and scratch of every thread, and of the gradients of every lane but the first.
    pub(crate) fn bytes(&self) -> usize {
        let workspaces = self
            .workspaces
            .sum(|workspace| workspace.activations.bytes() + workspace.scratch.bytes());
        let lanes = self.other_lanes.iter().map(|lane| lane.gradients.bytes());
        workspaces + lanes.sum::<usize>()
    }
}
