//! A configuration as far as it can be resolved without its data.

use wd_decay::{Choice, Schedule, Unit};
use wd_nn::{ImageShape, ParameterLayout, VisionConfig};
use wd_optim::OptimizerConfig;

use super::lambdas::choose_lambdas;
use super::numbers::check_numbers;
use super::optimizer::resolve_optimizer;
use super::schedule::resolve_schedule;
use crate::{
    config::{ConfigSource, ModelConfig, ScheduleSection, on_images, on_text},
    error::TrainError,
};

/// What a configuration says of its decay, whether its data are there or not.
///
/// [`RunPlan`](crate::RunPlan) is this and what the data add: the vocabulary or the size and the
/// classes of images, how much there is, and the steps where the file leaves them open.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// The optimizer and the rule.
    pub optimizer: OptimizerConfig,
    /// The network; its sizes are right only when [`Declaration::knows_sizes`].
    pub model: ModelConfig,
    /// Does the file say all that sizes and parameters depend on?
    pub knows_sizes: bool,
    /// What a step's share of the data is counted in.
    pub unit: Unit,
    /// Tokens or images a step, where they are written.
    pub per_step: Option<usize>,
    /// The network's tensors.
    pub layout: ParameterLayout,
    /// λ of each tensor and why, in layout order.
    pub choices: Vec<Choice>,
    /// Steps, where they are written.
    pub steps: Option<u64>,
    /// Factor on the peak learning rate, where the steps are written.
    pub schedule: Option<Schedule>,
    /// Factor on λ, where it has a schedule and the steps are written.
    pub lambda_schedule: Option<Schedule>,
}

impl Declaration {
    /// What overrides do that their author may not have meant, and what to do about it: tensors
    /// decay that the policy leaves out.
    pub fn lifted(&self, source: &ConfigSource) -> Option<(String, String)> {
        super::lambdas::lifted(source, &self.layout, &self.choices)
    }

    /// Resolves what does not need the corpus.
    ///
    /// # Errors
    /// As [`RunPlan::new`](crate::RunPlan::new), but for what it says of the corpus.
    pub fn new(source: &ConfigSource) -> Result<Self, TrainError> {
        let config = &source.config;
        let at_its_place = |fault| source.error(fault);
        check_numbers(config).map_err(at_its_place)?;
        // The data would tell; the smallest there can be make a valid network with the same
        // tensors.
        let (model, knows_sizes, unit, per_step) = match &config.model.network {
            ModelConfig::Gpt(gpt) => {
                let gpt = on_text(gpt, 1).map_err(at_its_place)?;
                let per_step = config.data.sequences.map(|number| number * gpt.context);
                let knows_sizes = gpt.vocabulary > 1;
                (ModelConfig::Gpt(gpt), knows_sizes, Unit::Token, per_step)
            }
            ModelConfig::Vision(network) => {
                let side = match network {
                    VisionConfig::Vit(vit) => vit.patch,
                    VisionConfig::Cnn(cnn) => 1 << cnn.channels.len().min(30),
                    VisionConfig::Resnet(_) | VisionConfig::Mlp(_) => 1,
                };
                let image = ImageShape { channels: 1, height: side, width: side };
                let model = on_images(network, image, 2).map_err(at_its_place)?;
                (ModelConfig::Vision(model), false, Unit::Image, config.data.batch)
            }
        };
        let layout = model.layout();
        let choices = choose_lambdas(source, &layout)?;
        let optimizer = resolve_optimizer(config).map_err(at_its_place)?;
        let steps = config.run.steps;
        let over_the_run = |key, section: &ScheduleSection| {
            let schedule = steps.map(|steps| resolve_schedule(key, section, steps));
            schedule.transpose().map_err(at_its_place)
        };
        let schedule = over_the_run("schedule", &config.schedule)?;
        let lambda_schedule = match &config.decay.schedule {
            Some(section) => over_the_run("decay.schedule", section)?,
            None => None,
        };
        Ok(Declaration {
            optimizer,
            model,
            knows_sizes,
            unit,
            per_step,
            layout,
            choices,
            steps,
            schedule,
            lambda_schedule,
        })
    }
}
