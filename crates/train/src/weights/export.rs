//! The weights of a run in the names of another library.

use std::path::Path;

use wd_nn::{ImageShape, ParameterLayout, VisionConfig};
use wd_store::RunDirectory;

use crate::{
    ConfigSource, TrainError, gpt2,
    model::{resolve_gpt, resolve_vision},
    timm, torchvision,
    weights::{Arenas, fill},
};

/// Exports the weights of a run's checkpoint: a GPT in the names of Hugging Face's GPT-2, a vision transformer in timm's, a
/// ResNet-18 in torchvision's; with `average` their moving average instead. Gives the step it took.
///
/// # Errors
/// A run without a checkpoint or without an average, a model that the library cannot express, a file that cannot be written, another model's
/// `config.json` beside it unless told to `overwrite` it.
pub fn export_run(
    directory: &RunDirectory,
    step: Option<u64>,
    file: &Path,
    average: bool,
    overwrite: bool,
) -> Result<u64, TrainError> {
    let name = directory.config_path().display().to_string();
    let source = ConfigSource::parse(&name, directory.read_config()?)?;
    let plan = directory.read_plan()?;
    let checkpoints = directory.checkpoints();
    let checkpoint = match step {
        Some(step) => checkpoints.load(step)?,
        None => checkpoints
            .latest()?
            .checkpoint
            .ok_or_else(|| TrainError::NoCheckpoint { directory: directory.path().to_owned() })?,
    };
    let averaged = |layout: &ParameterLayout, running: &ParameterLayout| {
        average.then(|| crate::resume::average(&checkpoint, layout.len, running.len)).transpose()
    };
    let from = &checkpoint.path;
    // The sizes are those of the plan, whatever has become of the data since.
    match &plan.images {
        None => {
            let embedding =
                plan.tensors.iter().find(|tensor| tensor.path == "embedding.token.weight");
            let model = resolve_gpt(&source, embedding.map_or(0, |tensor| tensor.shape[0]))?;
            let layout = model.layout();
            let none = ParameterLayout::default();
            let (parameters, _) = match averaged(&layout, &none)? {
                Some(arenas) => arenas,
                None => filled(&layout, &none, |arenas| {
                    let names = gpt2::Names::of(&checkpoint.model, &layout);
                    fill(from, checkpoint.model, &names, arenas)
                })?,
            };
            gpt2::export(&model, &layout, &parameters, file, overwrite)?;
        }
        Some(images) => {
            let [height, width, channels] = images.shape;
            let shape = ImageShape { channels, height, width };
            let model = resolve_vision(&source, shape, images.classes.len())?;
            let (layout, running_layout) = (model.layout(), model.running_statistics());
            let (parameters, running) = match averaged(&layout, &running_layout)? {
                Some(arenas) => arenas,
                None => filled(&layout, &running_layout, |arenas| {
                    fill(from, checkpoint.model, &timm::Names, arenas)
                })?,
            };
            match &model {
                VisionConfig::Vit(model) => {
                    timm::export(model, images, &layout, &parameters, file, overwrite)?;
                }
                VisionConfig::Resnet(model) => {
                    let weights = [(&layout, &parameters[..]), (&running_layout, &running[..])];
                    torchvision::export(model, weights, checkpoint.step, file, overwrite)?;
                }
                VisionConfig::Cnn(_) | VisionConfig::Mlp(_) => {
                    return Err(TrainError::NoForm {
                        reason: format!(
                            "neither timm nor torchvision has a model of kind \"{}\"",
                            source.config.model.kind.name()
                        ),
                    });
                }
            }
        }
    }
    Ok(checkpoint.step)
}

/// Arenas of these layouts, filled.
fn filled(
    layout: &ParameterLayout,
    running_layout: &ParameterLayout,
    fill: impl FnOnce(Arenas<'_>) -> Result<(), TrainError>,
) -> Result<(Vec<f32>, Vec<f32>), TrainError> {
    let mut parameters = vec![0.0; layout.len];
    let mut running = vec![0.0; running_layout.len];
    fill(Arenas { layout, parameters: &mut parameters, running_layout, running: &mut running })?;
    Ok((parameters, running))
}
