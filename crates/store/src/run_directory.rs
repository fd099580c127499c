//! A run directory and its small files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::aside::{create_directory, write_aside};
use crate::plan::read_format_1;
use crate::{Checkpoints, MetricsReader, Plan, StoreError};

/// A directory that holds one run. Cheap to clone; holds no file open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Makes the directory and its parents where they are missing.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the directory cannot be made.
    pub fn create_or_open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        create_directory(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Opens an existing directory. It need not hold a run yet: see [`RunDirectory::status`].
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no directory at `path`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        if !path.is_dir() {
            return Err(StoreError::Missing {
                path: path.to_owned(),
                reason: "there is no run directory here",
            });
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Has a run begun in this folder? A lock alone may be that of a study.
    pub fn is_one(path: &Path) -> bool {
        let has = |file: &str| path.join(file).is_file();
        has("plan.json") || has("metrics.bin") || (has(".lock") && has("config.toml"))
    }

    /// The run directories right below a folder, in the order of their names.
    pub fn below(path: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> =
            entries.map(|entry| entry.path()).filter(|folder| Self::is_one(folder)).collect();
        found.sort();
        found
    }

    /// Where the directory is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `config.toml`, replacing it at once.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`], [`StoreError::Io`].
    pub fn write_config(&self, text: &str) -> Result<(), StoreError> {
        write_aside(&self.config_path(), text.as_bytes())
    }

    /// Reads `config.toml`.
    ///
    /// # Errors
    /// [`StoreError::Missing`]; [`StoreError::Damaged`] when it is not UTF-8; [`StoreError::Io`].
    pub fn read_config(&self) -> Result<String, StoreError> {
        let path = self.config_path();
        let bytes = read_small(&path, "no run was begun in this directory")?;
        String::from_utf8(bytes).map_err(|error| StoreError::damaged(&path, error))
    }

    /// Writes `plan.json`, replacing it at once.
    ///
    /// # Errors
    /// [`StoreError::Unwritable`] when a number of the plan is infinite or NaN, which JSON cannot
    /// hold; [`StoreError::DiskFull`], [`StoreError::Io`].
    pub fn write_plan(&self, plan: &Plan) -> Result<(), StoreError> {
        let path = self.plan_path();
        let unwritable = |reason: String| StoreError::Unwritable { path: path.clone(), reason };
        let mut text =
            serde_json::to_string_pretty(plan).map_err(|error| unwritable(error.to_string()))?;
        // JSON turns a non-finite number into `null` without a word: read it back before it is
        // believed.
        match serde_json::from_str::<Plan>(&text) {
            Ok(read) if read == *plan => {}
            Ok(_) => return Err(unwritable("a number in the plan is not finite".to_owned())),
            Err(error) => {
                return Err(unwritable(format!("a number in the plan is not finite ({error})")));
            }
        }
        text.push('\n');
        write_aside(&path, text.as_bytes())
    }

    /// Reads `plan.json`; one of format 1 together with the `config.toml` beside it.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::TooNew`], [`StoreError::Damaged`],
    /// [`StoreError::Io`].
    pub fn read_plan(&self) -> Result<Plan, StoreError> {
        #[derive(serde::Deserialize)]
        struct Version {
            format: u32,
        }
        let path = self.plan_path();
        let bytes = read_small(&path, "no run was planned in this directory")?;
        // The version first: a later format may lack or add fields that the whole needs.
        let version: Version =
            serde_json::from_slice(&bytes).map_err(|error| StoreError::damaged(&path, error))?;
        if version.format > Plan::FORMAT {
            return Err(StoreError::TooNew {
                path,
                found: version.format.into(),
                supported: Plan::FORMAT.into(),
            });
        }
        if version.format < Plan::FORMAT {
            return read_format_1(&bytes, &self.read_config()?)
                .map_err(|error| StoreError::damaged(&path, error));
        }
        serde_json::from_slice(&bytes).map_err(|error| StoreError::damaged(&path, error))
    }

    /// BLAKE3 of `plan.json` as it stands there: a checkpoint keeps it, so that it is never taken
    /// for one of another run.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Io`].
    pub fn plan_hash(&self) -> Result<String, StoreError> {
        let bytes = read_small(&self.plan_path(), "no run was planned in this directory")?;
        Ok(blake3::hash(&bytes).to_hex().to_string())
    }

    /// Opens `metrics.bin` as it is now; rows appended later are not seen.
    ///
    /// # Errors
    /// As [`MetricsReader::open`].
    pub fn metrics(&self) -> Result<MetricsReader, StoreError> {
        MetricsReader::open(self.metrics_path())
    }

    /// The checkpoints of this run.
    pub fn checkpoints(&self) -> Checkpoints {
        Checkpoints::new(self.path.join("checkpoints"))
    }

    /// `config.toml`.
    pub fn config_path(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// `plan.json`.
    pub fn plan_path(&self) -> PathBuf {
        self.path.join("plan.json")
    }

    /// `metrics.bin`.
    pub fn metrics_path(&self) -> PathBuf {
        self.path.join("metrics.bin")
    }

    /// `events.jsonl`.
    pub fn events_path(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }
}

pub(crate) fn read_small(path: &Path, if_missing: &'static str) -> Result<Vec<u8>, StoreError> {
    fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            StoreError::Missing { path: path.to_owned(), reason: if_missing }
        }
        _ => StoreError::io("read", path)(error),
    })
}
