//! Saving a checkpoint.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Checkpoints, FORMAT, MODEL_FILE, OPTIMIZER_FILE, Record, STATE_FILE, StateFile};
use crate::StoreError;
use crate::aside::{create_directory, move_in_place, write_aside};
use crate::tensor_file::{TensorView, write_hashed};

impl Checkpoints {
    /// Saves a checkpoint and waits until it is on the disk; one that is there for the same step is
    /// replaced.
    ///
    /// # Parameters
    /// | name | meaning |
    /// |---|---|
    /// | `step` | steps done |
    /// | `model` | the weights, with shapes |
    /// | `optimizer` | the optimizer's state |
    /// | `state` | everything else; it reads back equal, numbers to the last bit |
    ///
    /// # Errors
    /// [`StoreError::DiskFull`] with the bytes that the file needed, [`StoreError::InvalidTensor`],
    /// [`StoreError::Io`]. What was saved before is untouched.
    pub fn save(
        &self,
        step: u64,
        model: &[TensorView<'_>],
        optimizer: &[TensorView<'_>],
        state: &Value,
    ) -> Result<PathBuf, StoreError> {
        create_directory(&self.root)?;
        let aside = self.root.join(format!(".tmp-step-{step}-{}", std::process::id()));
        let place = self.path(step);
        let saved = self
            .write_all(&aside, step, model, optimizer, state)
            .and_then(|()| self.put(step, &aside));
        if saved.is_err() {
            // Best effort: it frees the room it took; what stays is swept by the next lock.
            let _ = fs::remove_dir_all(&aside);
        }
        saved.map(|()| place)
    }

    fn write_all(
        &self,
        aside: &Path,
        step: u64,
        model: &[TensorView<'_>],
        optimizer: &[TensorView<'_>],
        state: &Value,
    ) -> Result<(), StoreError> {
        if aside.exists() {
            fs::remove_dir_all(aside).map_err(StoreError::io("remove", aside))?;
        }
        fs::create_dir(aside).map_err(StoreError::write(aside, 0))?;
        let checkpoint = Record {
            format: FORMAT,
            step,
            model: write_hashed(&aside.join(MODEL_FILE), model)?,
            optimizer: write_hashed(&aside.join(OPTIMIZER_FILE), optimizer)?,
            state: state.clone(),
        };
        let path = aside.join(STATE_FILE);
        let file = StateFile { blake3: checkpoint.checksum(&path)?, checkpoint };
        let json = serde_json::to_vec_pretty(&file).map_err(|error| StoreError::Unwritable {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        // Last, and it brings the names of all three files to the disk.
        write_aside(&path, &json)
    }

    /// Renames the finished directory into place. A directory cannot be renamed over one that has
    /// files: an old checkpoint of the same step steps aside first, and [`Checkpoints::sweep`] puts
    /// it back if a kill comes between.
    fn put(&self, step: u64, aside: &Path) -> Result<(), StoreError> {
        let place = self.path(step);
        let old = self.root.join(format!(".old-step-{step}-{}", std::process::id()));
        let replaces = place.exists();
        if replaces {
            fs::rename(&place, &old).map_err(StoreError::io("move aside", &place))?;
        }
        let moved = move_in_place(aside, &place);
        if replaces {
            match moved {
                // Best effort: the new one is in place, and the next lock sweeps the old.
                Ok(()) => drop(fs::remove_dir_all(&old)),
                // Put back what was there: nothing is lost by a save that failed.
                Err(_) => fs::rename(&old, &place).map_err(StoreError::io("put back", &place))?,
            }
        }
        moved
    }
}
