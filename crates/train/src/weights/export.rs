//! The weights of a run in the names of another library.

use std::path::Path;

use wd_nn::{ImageShape, VisionConfig};
use wd_store::{Plan, PlannedTensor, RunDirectory};

use super::arenas::Arenas;
use super::import::read_into;
use super::{gpt2, timm, torchvision};
use crate::{
    checkpoint,
    config::{ConfigSource, ModelConfig, on_images, on_text},
    error::TrainError,
};

/// Exports the weights of a run's checkpoint: a GPT in the names of Hugging Face's GPT-2, a vision
/// transformer in timm's, a ResNet-18 in torchvision's; with `average` their moving average
/// instead. Gives the step it took.
///
/// # Errors
/// A run without a checkpoint or without an average, a checkpoint that is damaged, a model that the library cannot express, a
/// file that cannot be written, another model's `config.json` beside it unless told to `overwrite`
/// it.
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
    let checkpoint = checkpoint::of(directory, step)?;
    let step = checkpoint.step;
    let model = planned_model(&source, &plan)?;
    let (layout, running_layout) = (model.layout(), model.running_statistics());
    let (parameters, running) = if average {
        checkpoint::average(&checkpoint, layout.len, running_layout.len)?
    } else {
        let mut parameters = vec![0.0; layout.len];
        let mut running = vec![0.0; running_layout.len];
        let arenas = Arenas {
            layout: &layout,
            parameters: &mut parameters,
            running_layout: &running_layout,
            running: &mut running,
        };
        read_into(&model, &checkpoint.path, checkpoint.model, arenas)?;
        (parameters, running)
    };
    match (&model, &plan.images) {
        (ModelConfig::Gpt(model), _) => {
            gpt2::export(model, &layout, &parameters, file, overwrite)?;
        }
        (ModelConfig::Vision(VisionConfig::Vit(model)), Some(images)) => {
            timm::export(model, images, &layout, &parameters, file, overwrite)?;
        }
        (ModelConfig::Vision(VisionConfig::Resnet(model)), _) => {
            let weights = [(&layout, &parameters[..]), (&running_layout, &running[..])];
            torchvision::export(model, weights, step, file, overwrite)?;
        }
        (ModelConfig::Vision(_), _) => {
            let kind = model.kind().name();
            return Err(TrainError::NoForm {
                reason: format!("neither timm nor torchvision has a model of kind \"{kind}\""),
            });
        }
    }
    Ok(step)
}

/// The model of a run. Its sizes are those of the plan, whatever has become of the data since.
fn planned_model(source: &ConfigSource, plan: &Plan) -> Result<ModelConfig, TrainError> {
    let at_its_place = |fault| source.error(fault);
    match &source.config.model.network {
        ModelConfig::Gpt(gpt) => {
            let is_embedding = |tensor: &&PlannedTensor| tensor.path == "embedding.token.weight";
            let embedding = plan.tensors.iter().find(is_embedding);
            let vocabulary = embedding.map_or(0, |tensor| tensor.shape[0]);
            on_text(gpt, vocabulary).map(ModelConfig::Gpt).map_err(at_its_place)
        }
        ModelConfig::Vision(network) => {
            let (image, classes) = plan.images.as_ref().map_or_else(Default::default, |images| {
                let [height, width, channels] = images.shape;
                (ImageShape { channels, height, width }, images.classes.len())
            });
            on_images(network, image, classes).map(ModelConfig::Vision).map_err(at_its_place)
        }
    }
}
