//! Which steps, and so which part of the data, the final weights hold.

use serde::Serialize;

use super::trajectory::{Recursion, kept};
use crate::{ConventionError, DeclaredDecay};
use wd_decay::Memory;

/// What the final weights hold of each step's update: c_t = η_t Π_{j>t} (1 − s_j), as shares (see
/// [`Memory`]).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunMemory {
    /// Share of the last tenth of the steps.
    pub last_tenth: f64,
    /// The part of the run that, if all its steps counted alike, would be averaged as widely:
    /// 1/(S Σ share²).
    pub effective_share: f64,
    /// Some four hundred steps, in their order.
    pub points: Vec<MemoryPoint>,
}

/// A step in what the final weights hold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MemoryPoint {
    /// The step, counted from 1.
    pub step: u64,
    /// Its share times the number of steps: 1 where all steps count alike.
    pub relative_share: f64,
    /// The share of all steps up to it.
    pub held_up_to_here: f64,
}

impl RunMemory {
    /// Absent without a learning rate, a number of steps or shrinks that are known: also under
    /// cautious decay, whose shrink is that of some coordinates alone, and where a step takes off
    /// more than the whole weight.
    pub(super) fn of(decay: &DeclaredDecay) -> Result<Option<Self>, ConventionError> {
        let (Some(steps), Some(_)) = (decay.steps()?, decay.peak_shrink()) else {
            return Ok(None);
        };
        if decay.cautious() {
            return Ok(None);
        }
        Ok(memory(decay, steps).map(|memory| RunMemory {
            last_tenth: memory.of_the_last(0.1),
            effective_share: memory.effective_share(),
            points: points(&memory, steps),
        }))
    }
}

fn memory(decay: &DeclaredDecay, steps: u64) -> Option<Memory> {
    let unknown = f64::NAN;
    // A shrink may follow from the weights that the earlier ones leave.
    let mut recursion = Recursion::of(decay);
    Memory::of((0..steps).map(|step| {
        let taken = recursion.step(step);
        (taken.learning_rate.unwrap_or(unknown), taken.shrink.unwrap_or(unknown))
    }))
}

fn points(memory: &Memory, steps: u64) -> Vec<MemoryPoint> {
    let mut held = 0.0;
    let all = (1..=steps).zip(&memory.shares).map(|(step, share)| {
        held += share;
        let relative_share = share * steps as f64;
        MemoryPoint { step, relative_share, held_up_to_here: held }
    });
    all.filter(|point| kept(point.step - 1, steps)).collect()
}
