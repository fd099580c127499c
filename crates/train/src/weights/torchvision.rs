//! The torchvision form of a ResNet-18: our names are its own, its counters of batches are added.

use std::path::Path;

use wd_nn::{ImageNorm, ParameterLayout, ResnetConfig};
use wd_store::Tensor;

use super::dialect::{tensors, write};
use crate::error::TrainError;

/// The depth that is torchvision's `resnet18`.
const RESNET_18: usize = 18;

/// Writes a ResNet-18 with its running statistics after `steps` steps as `file`.
///
/// # Errors
/// A model that torchvision does not have; a file that cannot be written; another model's
/// `config.json` beside it, unless told to `overwrite` the file all the same.
pub(crate) fn export(
    model: &ResnetConfig,
    weights: [(&ParameterLayout, &[f32]); 2],
    steps: u64,
    file: &Path,
    overwrite: bool,
) -> Result<(), TrainError> {
    let refuse = |reason: String| Err(TrainError::NoForm { reason });
    if model.depth != RESNET_18 {
        return refuse(format!(
            "torchvision has resnet18; a pre-activation ResNet of depth {} it has not",
            model.depth
        ));
    }
    if model.norm != ImageNorm::Batch {
        return refuse("torchvision's ResNet has batch norms, this one has none".to_owned());
    }
    let mut all: Vec<Tensor> = Vec::new();
    for (layout, values) in weights {
        all.extend(tensors(layout, values));
    }
    // BatchNorm2d's third buffer; PyTorch converts it to a whole number as it loads.
    let [_, (running, _)] = weights;
    let norms =
        running.segments.iter().filter_map(|segment| segment.path.strip_suffix(".running_mean"));
    all.extend(
        norms.map(|norm| (format!("{norm}.num_batches_tracked"), Vec::new(), vec![steps as f32])),
    );
    write(file, &all, None, overwrite)
}
