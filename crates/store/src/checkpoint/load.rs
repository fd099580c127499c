//! Loading and verifying checkpoints.

use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::{
    Checkpoint, Checkpoints, FORMAT, Latest, MODEL_FILE, OPTIMIZER_FILE, Record, STATE_FILE,
    SkippedCheckpoint, StateFile,
};
use crate::StoreError;
use crate::tensor_file::{Fingerprint, fingerprint, read_hashed};

impl Checkpoints {
    /// Loads the checkpoint at `step`; everything in it is verified.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is none; [`StoreError::Damaged`] naming the file and what
    /// is wrong; [`StoreError::TooNew`], [`StoreError::Io`].
    pub fn load(&self, step: u64) -> Result<Checkpoint, StoreError> {
        let record = self.read_record(step)?;
        let path = self.path(step);
        let read = |name: &str, expected: &Fingerprint| {
            let path = path.join(name);
            let (tensors, found) = read_hashed(&path).map_err(missing_is_damage)?;
            matches(&path, &found, expected)?;
            Ok::<_, StoreError>(tensors)
        };
        let model = read(MODEL_FILE, &record.model)?;
        let optimizer = read(OPTIMIZER_FILE, &record.optimizer)?;
        Ok(Checkpoint { step, path, model, optimizer, state: record.state })
    }

    /// Verifies the checkpoint at `step` without loading it: reads and hashes its files, in little
    /// memory.
    ///
    /// # Errors
    /// As [`Checkpoints::load`].
    pub fn verify(&self, step: u64) -> Result<(), StoreError> {
        let record = self.read_record(step)?;
        for (name, expected) in [(MODEL_FILE, &record.model), (OPTIMIZER_FILE, &record.optimizer)] {
            let path = self.path(step).join(name);
            matches(&path, &fingerprint(&path).map_err(missing_is_damage)?, expected)?;
        }
        Ok(())
    }

    /// Loads the newest checkpoint that is whole, and says which newer ones are not.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the directory cannot be listed; [`StoreError::TooNew`] when the
    /// newest was written by a later version of this program, since falling back would throw work
    /// away. A damaged checkpoint is no error.
    pub fn latest(&self) -> Result<Latest, StoreError> {
        let mut skipped = Vec::new();
        for step in self.steps()?.into_iter().rev() {
            match self.load(step) {
                Ok(checkpoint) => {
                    return Ok(Latest { checkpoint: Some(checkpoint), skipped });
                }
                Err(error @ StoreError::TooNew { .. }) => return Err(error),
                Err(error) => skipped.push(SkippedCheckpoint { step, error }),
            }
        }
        Ok(Latest { checkpoint: None, skipped })
    }

    fn read_record(&self, step: u64) -> Result<Record, StoreError> {
        /// What every version's file has, so that a later one is recognised before it is called
        /// damaged.
        #[derive(Deserialize)]
        struct AnyVersion {
            checkpoint: Version,
        }
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }

        let directory = self.path(step);
        if !directory.is_dir() {
            return Err(StoreError::Missing {
                path: directory,
                reason: "the run has no checkpoint at this step",
            });
        }
        let path = directory.join(STATE_FILE);
        let bytes = fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::damaged(&path, MISSING),
            _ => StoreError::io("read", &path)(error),
        })?;
        let damaged = |error: serde_json::Error| StoreError::damaged(&path, error);
        let version =
            serde_json::from_slice::<AnyVersion>(&bytes).map_err(damaged)?.checkpoint.format;
        if version > FORMAT {
            return Err(StoreError::TooNew {
                path,
                found: version.into(),
                supported: FORMAT.into(),
            });
        }
        let file: StateFile = serde_json::from_slice(&bytes).map_err(damaged)?;
        if file.checkpoint.checksum(&path)? != file.blake3 {
            return Err(StoreError::damaged(&path, "its checksum does not match"));
        }
        if file.checkpoint.step != step {
            let reason = format!(
                "it belongs to step {}, its directory to step {step}",
                file.checkpoint.step
            );
            return Err(StoreError::damaged(&path, reason));
        }
        Ok(file.checkpoint)
    }
}

const MISSING: &str = "it is missing from its checkpoint";

fn missing_is_damage(error: StoreError) -> StoreError {
    match error {
        StoreError::Missing { path, .. } => StoreError::damaged(&path, MISSING),
        other => other,
    }
}

fn matches(path: &Path, found: &Fingerprint, expected: &Fingerprint) -> Result<(), StoreError> {
    if found == expected {
        Ok(())
    } else {
        Err(StoreError::damaged(path, "its hash is not the one in state.json"))
    }
}
