//! `checkpoints/step-N/`: the weights, the optimizer's state and everything else a run needs to go
//! on, bit by bit.
//!
//! A checkpoint is written to `.tmp-step-N-PID`, brought to the disk and renamed: `step-N` is whole
//! or not there.
//! `state.json` carries the length and the BLAKE3 hash of both tensor files and a checksum of
//! itself, so that a checkpoint that went bad later is recognised and the one before it taken.

mod load;
mod save;
mod sweep;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::StoreError;
use crate::tensor_file::{Fingerprint, Tensor};

const MODEL_FILE: &str = "model.safetensors";
const OPTIMIZER_FILE: &str = "optimizer.safetensors";
const STATE_FILE: &str = "state.json";
const FORMAT: u32 = 1;

/// The checkpoints of one run; from [`crate::RunDirectory::checkpoints`]. Holds no file open.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    root: PathBuf,
}

/// A checkpoint that was read and whose hashes are right.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// Steps done.
    pub step: u64,
    /// Its directory.
    pub path: PathBuf,
    /// The weights, in the order in which they were saved.
    pub model: Vec<Tensor>,
    /// The optimizer's state, in the order in which it was saved.
    pub optimizer: Vec<Tensor>,
    /// What the trainer gave: positions, counters, random states.
    pub state: Value,
}

/// The newest checkpoint that is whole.
#[derive(Debug)]
pub struct Latest {
    /// Absent when the run has no checkpoint that is whole.
    pub checkpoint: Option<Checkpoint>,
    /// Newer ones that are damaged, newest first.
    pub skipped: Vec<SkippedCheckpoint>,
}

/// A checkpoint that was passed over.
#[derive(Debug)]
pub struct SkippedCheckpoint {
    /// Its step.
    pub step: u64,
    /// What is wrong with it.
    pub error: StoreError,
}

/// The content of `state.json`.
#[derive(Debug, Serialize, Deserialize)]
struct StateFile {
    /// BLAKE3 of `checkpoint` as compact JSON.
    blake3: String,
    checkpoint: Record,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    format: u32,
    step: u64,
    model: Fingerprint,
    optimizer: Fingerprint,
    state: Value,
}

impl Record {
    fn checksum(&self, path: &Path) -> Result<String, StoreError> {
        let json = serde_json::to_vec(self).map_err(|error| StoreError::Unwritable {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(blake3::hash(&json).to_hex().to_string())
    }
}

impl Checkpoints {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The directory of the checkpoint at `step`, whether it is there or not.
    pub fn path(&self, step: u64) -> PathBuf {
        self.root.join(format!("step-{step}"))
    }

    /// The steps of all checkpoints, increasing. They are not verified.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the directory cannot be listed.
    pub fn steps(&self) -> Result<Vec<u64>, StoreError> {
        let mut steps: Vec<u64> = self
            .names()?
            .iter()
            .filter_map(|name| {
                let step = name.strip_prefix("step-")?.parse().ok()?;
                // `step-007` and `step-+7` are not ours.
                (*name == format!("step-{step}") && self.root.join(name).is_dir()).then_some(step)
            })
            .collect();
        steps.sort_unstable();
        Ok(steps)
    }

    fn names(&self) -> Result<Vec<String>, StoreError> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::io("list", &self.root)(error)),
        };
        entries
            .map(|entry| {
                Ok(entry
                    .map_err(StoreError::io("list", &self.root))?
                    .file_name()
                    .to_string_lossy()
                    .into_owned())
            })
            .collect()
    }
}
