//! `[data]` → what a run is trained and judged on, before the first step.

mod images;
mod planned;
pub(crate) mod text;

use crate::{error::TrainError, plan::RunPlan};

pub use images::ImageData;
pub(crate) use planned::PlannedData;

/// Compares the data on disk with the hash in the plan, where that hash was not made of them just
/// now: images are hashed as they are read, of a corpus only what its sidecar says is known.
pub(crate) fn verify(plan: &RunPlan) -> Result<(), TrainError> {
    match plan.images {
        Some(_) => Ok(()),
        None => Ok(text::open(&plan.source)?.verify()?),
    }
}
