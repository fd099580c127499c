//! Which memory each gradient of a tensor lives in, found by running the backward once without
//! numbers.
//!
//! The gradient of a tensor comes in two parts: *direct*, at the tensor itself, and *through* its
//! normalisation, at the normalised tensor. A slot is freed when the stage that wrote the tensor
//! has read both.

use super::plan::{IMAGES, Plan, Stage};

/// Where a stage's backward writes the gradient of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InputGradient {
    pub(crate) slot: usize,
    /// Another reader of the input has written there already.
    pub(crate) add: bool,
}

/// What a stage's backward reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct StageSlots {
    /// The output's gradient: its direct part.
    pub(crate) direct: Option<usize>,
    /// And the part through its normalisation.
    pub(crate) through: Option<usize>,
    /// The sum of both is wanted by somebody else: it replaces the direct part, or else the other.
    pub(crate) keep: bool,
    pub(crate) input: Option<InputGradient>,
}

/// The slots of a whole backward.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slots {
    /// Of every stage, in the order of the forward.
    pub(crate) stages: Vec<StageSlots>,
    /// Where the head writes.
    pub(crate) head: usize,
    /// Elements an image of every slot.
    pub(crate) sizes: Vec<usize>,
}

/// Hands out slots and takes them back.
#[derive(Default)]
struct Pool {
    sizes: Vec<usize>,
    users: Vec<usize>,
}

impl Pool {
    fn take(&mut self, size: usize) -> usize {
        // The free slot that has to grow least, among those the one that is least too large.
        let free = (0..self.sizes.len()).filter(|slot| self.users[*slot] == 0);
        let best = free.min_by_key(|slot| {
            let has = self.sizes[*slot];
            (size.saturating_sub(has), has)
        });
        let slot = best.unwrap_or_else(|| {
            self.sizes.push(0);
            self.users.push(0);
            self.sizes.len() - 1
        });
        self.sizes[slot] = self.sizes[slot].max(size);
        self.users[slot] = 1;
        slot
    }

    fn share(&mut self, slot: usize) -> usize {
        self.users[slot] += 1;
        slot
    }

    fn free(&mut self, slot: Option<usize>) {
        if let Some(slot) = slot {
            self.users[slot] -= 1;
        }
    }
}

impl Slots {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut pool = Pool::default();
        let count = plan.tensors.len();
        let (mut direct, mut through) = (vec![None; count], vec![None; count]);
        let has_norm = |tensor: usize| plan.tensors[tensor].norm.is_some();

        let head = pool.take(plan.tensors[plan.head.input].len());
        if has_norm(plan.head.input) {
            through[plan.head.input] = Some(head);
        } else {
            direct[plan.head.input] = Some(head);
        }
        let mut stages = vec![StageSlots::default(); plan.stages.len()];
        for (stage, slots) in plan.stages.iter().zip(&mut stages).rev() {
            let mut input_gradient = |pool: &mut Pool, input: usize| {
                let gradient =
                    if has_norm(input) { &mut through[input] } else { &mut direct[input] };
                let add = gradient.is_some();
                let slot = *gradient.get_or_insert_with(|| pool.take(plan.tensors[input].len()));
                InputGradient { slot, add }
            };
            match *stage {
                Stage::Convolve { input, output, residual, adds, .. } => {
                    slots.input = (input != IMAGES).then(|| input_gradient(&mut pool, input));
                    slots.direct = direct[output].take();
                    slots.through = through[output].take();
                    slots.keep = residual.is_some() || adds;
                    if slots.keep {
                        let sum = slots.direct.or(slots.through);
                        direct[residual.unwrap_or(output)] = sum;
                        if slots.direct.is_some() {
                            pool.free(slots.through);
                        }
                    } else {
                        pool.free(slots.direct);
                        pool.free(slots.through);
                    }
                }
                Stage::Join { a, b, output } => {
                    // ReLU's backward happens in place; all operands of the sum share its result.
                    slots.direct = direct[output].take();
                    if let Some(slot) = slots.direct {
                        through[a] = Some(pool.share(slot));
                        if let Some(b) = b {
                            let gradient =
                                if has_norm(b) { &mut through[b] } else { &mut direct[b] };
                            *gradient = Some(pool.share(slot));
                        }
                    }
                    pool.free(slots.direct);
                }
                Stage::Pool { input, output, .. } => {
                    slots.input = Some(input_gradient(&mut pool, input));
                    slots.direct = direct[output].take();
                    pool.free(slots.direct);
                }
            }
        }
        Self { stages, head, sizes: pool.sizes }
    }
}
