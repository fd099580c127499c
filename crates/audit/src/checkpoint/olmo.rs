//! A step of OLMo-core: a distributed checkpoint in `model_and_optim/`, counts in `train/`.

use std::path::Path;

use crate::AuditError;
use crate::file::distributed::METADATA;

use super::find::ReadOptions;
use super::{Checkpoint, Writer, distributed, single};

const FOLDER: &str = "model_and_optim";

/// Whether a folder is such a step.
pub(super) fn is_one(folder: &Path) -> bool {
    folder.join(FOLDER).join(METADATA).is_file()
}

/// Reads a step.
pub(super) fn read(folder: &Path, options: &ReadOptions) -> Result<Checkpoint, AuditError> {
    let mut checkpoint = distributed::read(&folder.join(FOLDER), options)?;
    checkpoint.path = folder.to_owned();
    checkpoint.writer = Writer::OlmoCore;
    let rank = folder.join("train").join("rank0.pt");
    if rank.is_file() {
        let state = single::value(&rank, options)?;
        for key in ["global_step", "step"] {
            if let Some(steps) = state.get(key).and_then(super::Value::number) {
                checkpoint.add_clock(key, steps);
            }
        }
    }
    Ok(checkpoint)
}
