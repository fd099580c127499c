//! Weights from a file.

use std::path::Path;

use wd_store::{Tensor, read_safetensors};

use super::arenas::Arenas;
use super::dialect::fill;
use super::{gpt2, timm};
use crate::{config::ModelConfig, error::TrainError};

/// Reads weights and running statistics in another library's names or in our own.
///
/// # Errors
/// Missing, superfluous or misshapen tensors, by name; numbers that are not finite.
pub(crate) fn import(
    model: &ModelConfig,
    file: &Path,
    arenas: Arenas<'_>,
) -> Result<(), TrainError> {
    read_into(model, file, read_safetensors(file)?, arenas)
}

/// The same, from tensors already read from `file`.
pub(super) fn read_into(
    model: &ModelConfig,
    file: &Path,
    tensors: Vec<Tensor>,
    arenas: Arenas<'_>,
) -> Result<(), TrainError> {
    match model {
        ModelConfig::Gpt(_) => {
            let names = gpt2::Names::of(&tensors, arenas.layout);
            fill(file, tensors, &names, arenas)
        }
        ModelConfig::Vision(_) => fill(file, tensors, &timm::Names, arenas),
    }
}
