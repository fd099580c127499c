//! All that follows from a configuration and its data.

use std::{path::PathBuf, sync::Arc};

use wd_decay::{
    Anchor, Application, Choice, DecayRule, LearningRate, OptimizerKind, PeakLearningRate,
    Schedule, Unit,
};
use wd_nn::ParameterLayout;
use wd_optim::{OptimizerConfig, TensorSettings};
use wd_store::Plan;

use super::hyperball;
use super::lambdas::choose_lambdas;
use super::memory::check_memory;
use super::numbers::{check_numbers, check_steps};
use super::optimizer::{auxiliary, learning_rate_ratio, resolve_optimizer};
use super::rates::choose_rates;
use super::record::record;
use super::schedule::resolve_schedule;
use crate::{
    config::{ConfigFault, ConfigSource, ModelConfig, ScheduleSection, on_images, on_text},
    data::{ImageData, PlannedData, text},
    error::TrainError,
    pace::Pace,
    weights::{Arenas, import},
};

/// A run that can start: nothing in it can be invalid.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// The configuration it came from.
    pub source: ConfigSource,
    /// The network.
    pub model: ModelConfig,
    /// Its tensors.
    pub layout: ParameterLayout,
    /// What batch norm keeps beside them; empty without it.
    pub running: ParameterLayout,
    /// The optimizer.
    pub optimizer: OptimizerConfig,
    /// Factor on the peak learning rate, by step.
    pub schedule: Schedule,
    /// Factor on λ, by step.
    pub lambda_schedule: Schedule,
    /// λ of each tensor and why, in layout order.
    pub choices: Vec<Choice>,
    /// What the weights decay to.
    pub anchor: Anchor,
    /// The images of a run on images.
    pub images: Option<Arc<ImageData>>,
    /// Weights to start from.
    pub init_from: Option<PathBuf>,
    /// Evaluate every so many steps; 0: at the end only.
    pub validate_every: u64,
    /// The learning rate of each tensor over that of the run, in layout order.
    pub rate_ratios: Vec<f64>,
    /// The norms that the learning rates of tensors are scaled to, from another run.
    pub(crate) pace: Option<Pace>,
    /// The record of all this, as `plan.json` holds it.
    pub record: Plan,
}

impl RunPlan {
    /// Checks a configuration against its corpus and resolves everything that follows from it.
    ///
    /// # Errors
    /// Every value out of range, with its place in the file; a corpus that is missing, damaged or
    /// too small for the steps asked for; an unmatched glob; an optimizer and a rule that do not go
    /// together.
    pub fn new(source: ConfigSource) -> Result<Self, TrainError> {
        let config = &source.config;
        let at_its_place = |fault| source.error(fault);
        check_numbers(config).map_err(at_its_place)?;
        let (model, images, data) = open_data(&source)?;
        let steps = data.steps(&source)?;
        check_steps(steps).map_err(at_its_place)?;
        let schedule =
            resolve_schedule("schedule", &config.schedule, steps).map_err(at_its_place)?;
        let constant = ScheduleSection::constant();
        let lambda_section = config.decay.schedule.as_ref().unwrap_or(&constant);
        let lambda_schedule =
            resolve_schedule("decay.schedule", lambda_section, steps).map_err(at_its_place)?;
        let (layout, running) = (model.layout(), model.running_statistics());
        let choices = choose_lambdas(&source, &layout)?;
        let optimizer = resolve_optimizer(config).map_err(at_its_place)?;
        if config.decay.holds() {
            hyperball::check_shapes(&layout, &choices).map_err(at_its_place)?;
        }
        check_memory(config, &layout, &running, data.per_step).map_err(at_its_place)?;
        check_weights(&source, &model, &layout, &running)?;
        let rate_ratios = choose_rates(&source, &layout)?;
        let pace = read_pace(&source, &layout, steps)?;
        let record = record(
            config,
            data,
            &model,
            &layout,
            &choices,
            &rate_ratios,
            &optimizer,
            schedule,
            lambda_schedule,
            steps,
        );
        let plan = RunPlan {
            anchor: config.decay.anchor.clone(),
            init_from: config.model.init_from.clone(),
            validate_every: config.run.validate_every.unwrap_or((steps / 10).max(1)),
            model,
            layout,
            running,
            optimizer,
            schedule,
            lambda_schedule,
            choices,
            images,
            rate_ratios,
            pace,
            record,
            source,
        };
        plan.refuse_overshoot()?;
        Ok(plan)
    }

    /// A decay of more than the whole weight carries it past its anchor: the optimizer would refuse
    /// that step.
    fn refuse_overshoot(&self) -> Result<(), TrainError> {
        let peak = self.record.peak_learning_rate;
        let is_sgd = self.record.optimizer == OptimizerKind::Sgd;
        let mut seen = Vec::new();
        let choices = self.choices.iter().zip(&self.rate_ratios);
        for (segment, (choice, own)) in self.layout.segments.iter().zip(choices) {
            let ratio = learning_rate_ratio(&self.optimizer.direction, segment.role) * own;
            // Most tensors share both, and a run may have many steps.
            if seen.contains(&(ratio, choice.lambda)) {
                continue;
            }
            seen.push((ratio, choice.lambda));
            let shrink = |step: &u64| {
                let rate = LearningRate(self.learning_rate(*step) * ratio);
                let lambda = choice.lambda * self.lambda_factor(*step);
                match self.rule().apply(lambda, rate, PeakLearningRate(peak * ratio)) {
                    Application::Shrink(shrink) => shrink.0,
                    // The same multiplication of the weights, by way of the gradient.
                    Application::Gradient(lambda) if is_sgd => rate.0 * lambda,
                    Application::Gradient(_) | Application::Sphere => 0.0,
                }
            };
            if let Some(step) = (0..self.record.steps).find(|step| shrink(step) > 1.0) {
                return Err(self.source.error(ConfigFault::Overshoot {
                    step: step + 1,
                    times: shrink(&step),
                    path: segment.path.clone(),
                    rule: self.rule(),
                }));
            }
        }
        Ok(())
    }

    /// What the run's data are counted in.
    pub fn unit(&self) -> Unit {
        self.record.unit
    }

    /// What the optimizer has to know of each tensor.
    pub fn tensor_settings(&self) -> Vec<TensorSettings> {
        self.layout
            .segments
            .iter()
            .zip(&self.choices)
            .map(|(segment, choice)| TensorSettings {
                offset: segment.offset,
                shape: segment.shape.clone(),
                lambda: choice.lambda,
                auxiliary: auxiliary(segment.role),
            })
            .collect()
    }

    /// λ_t / λ at a step (0-based).
    pub fn lambda_factor(&self, step: u64) -> f64 {
        self.lambda_schedule.factor(step)
    }

    /// η_t at a step (0-based).
    pub fn learning_rate(&self, step: u64) -> f64 {
        self.record.learning_rate(step)
    }

    /// The rule by which λ acts.
    pub fn rule(&self) -> DecayRule {
        self.optimizer.rule
    }
}

/// The data of a configuration, and its model with what they say of it.
fn open_data(
    source: &ConfigSource,
) -> Result<(ModelConfig, Option<Arc<ImageData>>, PlannedData), TrainError> {
    match &source.config.model.network {
        ModelConfig::Gpt(gpt) => {
            let corpus = text::open(source)?;
            let vocabulary = corpus.sidecar().vocabulary;
            let model = on_text(gpt, vocabulary).map_err(|fault| source.error(fault))?;
            let data = text::plan(source, corpus, gpt.context)?;
            Ok((ModelConfig::Gpt(model), None, data))
        }
        ModelConfig::Vision(network) => {
            let images = ImageData::open(source)?;
            let model = on_images(network, images.shape(), images.classes())
                .map_err(|fault| source.error(fault))?;
            let data = images.plan(source)?;
            Ok((ModelConfig::Vision(model), Some(Arc::new(images)), data))
        }
    }
}

/// Reads what the run takes over of another one's effective learning rate.
fn read_pace(
    source: &ConfigSource,
    layout: &ParameterLayout,
    steps: u64,
) -> Result<Option<Pace>, TrainError> {
    let Some(directory) = &source.config.optim.effective_rate_of else {
        return Ok(None);
    };
    if source.config.decay.holds() {
        return Err(source.error(ConfigFault::Conflict {
            key: "optim.effective_rate_of",
            reason: "hyperball moves every tensor by a share of its norm already",
            mend: "remove optim.effective_rate_of, or choose another decay.rule",
        }));
    }
    Pace::read(directory, layout, steps)
        .map(Some)
        .map_err(|reason| source.error(ConfigFault::Pace { reason }))
}

/// Reads the files of weights that the run will need, so that what is wrong with them is known
/// before it starts.
fn check_weights(
    source: &ConfigSource,
    model: &ModelConfig,
    layout: &ParameterLayout,
    running: &ParameterLayout,
) -> Result<(), TrainError> {
    let anchor = match &source.config.decay.anchor {
        Anchor::Checkpoint(file) => Some(file),
        Anchor::Zero | Anchor::Initial | Anchor::Norm(_) => None,
    };
    let files =
        [("model.init_from", source.config.model.init_from.as_ref()), ("decay.anchor", anchor)];
    for (key, file) in files {
        let Some(file) = file else { continue };
        let arenas = Arenas {
            layout,
            parameters: &mut vec![0.0; layout.len],
            running_layout: running,
            running: &mut vec![0.0; running.len],
        };
        import(model, file, arenas).map_err(|error| {
            source.error(ConfigFault::Weights { key, reason: error.to_string() })
        })?;
    }
    Ok(())
}
