//! `rounded.jsonl`: how well the weights of a run do when they are rounded to few bits.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::lines::{append_line, read_lines};
use crate::{RunDirectory, StoreError};

/// How well rounded weights do on what was held out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RoundedLoss {
    /// Steps done by the weights.
    pub step: u64,
    /// Bits of the integers that they were rounded to.
    pub bits: u8,
    /// Validation or test loss of the rounded weights.
    pub loss: f64,
}

impl RunDirectory {
    /// `rounded.jsonl`.
    pub fn rounded_path(&self) -> PathBuf {
        self.path().join("rounded.jsonl")
    }

    /// Appends a loss and brings it to the disk.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`], [`StoreError::Io`].
    pub fn append_rounded(&self, rounded: &RoundedLoss) -> Result<(), StoreError> {
        append_line(&self.rounded_path(), rounded)
    }

    /// The losses of rounded weights, the last of each step and number of bits. Lines that cannot
    /// be read are passed over.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn rounded(&self) -> Result<Vec<RoundedLoss>, StoreError> {
        let mut kept: Vec<RoundedLoss> = Vec::new();
        for line in read_lines(&self.rounded_path())?.split(|&byte| byte == b'\n') {
            let Ok(rounded) = serde_json::from_slice::<RoundedLoss>(line) else { continue };
            kept.retain(|other| (other.step, other.bits) != (rounded.step, rounded.bits));
            kept.push(rounded);
        }
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_each_kind_is_kept_and_damage_is_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = RunDirectory::create_or_open(folder.path()).expect("a run directory");
        assert_eq!(run.rounded().expect("none yet"), []);
        let loss = |bits, loss| RoundedLoss { step: 10, bits, loss };
        for rounded in [loss(8, 1.0), loss(4, 2.0), loss(8, 1.5)] {
            run.append_rounded(&rounded).expect("a line");
        }
        let text = std::fs::read_to_string(run.rounded_path()).expect("a file");
        std::fs::write(run.rounded_path(), format!("{text}{{\"step\":10,\"bi")).expect("a file");
        assert_eq!(run.rounded().expect("two"), [loss(4, 2.0), loss(8, 1.5)]);
    }
}
