//! `confusion.json`: which class the final weights of a run take each test image for.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::aside::write_aside;
use crate::run_directory::read_small;
use crate::{RunDirectory, StoreError};

/// Test images, counted by the class that they have and the one that they are taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Steps done by the weights.
    pub step: u64,
    /// A row for each class in the order of the labels, with a count for each class that its images
    /// are taken for.
    pub counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// Is there a count for each of so many classes, for images of each?
    pub fn is_of(&self, classes: usize) -> bool {
        self.counts.len() == classes && self.counts.iter().all(|row| row.len() == classes)
    }
}

impl RunDirectory {
    /// `confusion.json`.
    pub fn confusion_path(&self) -> PathBuf {
        self.path().join("confusion.json")
    }

    /// Writes the counts, replacing those that were there at once.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`], [`StoreError::Io`].
    pub fn write_confusion(&self, confusion: &Confusion) -> Result<(), StoreError> {
        let path = self.confusion_path();
        let text = serde_json::to_string(confusion).map_err(|error| StoreError::Unwritable {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        write_aside(&path, format!("{text}\n").as_bytes())
    }

    /// The counts; none for a run that has not written them.
    ///
    /// # Errors
    /// [`StoreError::Damaged`], [`StoreError::Io`].
    pub fn confusion(&self) -> Result<Option<Confusion>, StoreError> {
        let path = self.confusion_path();
        match read_small(&path, "no counts were written") {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| StoreError::damaged(&path, error)),
            Err(StoreError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_back_and_damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunDirectory::open(folder.path()).unwrap();
        assert_eq!(run.confusion().unwrap(), None);
        let confusion = Confusion { step: 3, counts: vec![vec![2, 1], vec![0, 4]] };
        run.write_confusion(&confusion).unwrap();
        assert_eq!(run.confusion().unwrap(), Some(confusion.clone()));
        assert!(confusion.is_of(2) && !confusion.is_of(3));
        std::fs::write(run.confusion_path(), "{\"step\": 3").unwrap();
        assert!(matches!(run.confusion(), Err(StoreError::Damaged { .. })));
    }
}
