//! A configuration as far as it can be resolved without its data.

use wd_decay::{Choice, Schedule, Unit};
use wd_nn::{ImageShape, ParameterLayout};
use wd_optim::OptimizerConfig;

use crate::{
    ConfigSource, ModelConfig, TrainError,
    config::{ModelKind, ScheduleSection},
    model::{resolve_gpt, resolve_vision},
    optimizer::resolve_optimizer,
    plan::{check_numbers, choose_lambdas, resolve_schedule},
};

/// What a configuration says of its decay, whether its data are there or not.
///
/// [`RunPlan`](crate::RunPlan) is this and what the data add: the vocabulary or the size and the classes of images, how
/// much there is, and the steps where the file leaves them open.
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
    /// Resolves what does not need the corpus.
    ///
    /// # Errors
    /// As [`RunPlan::new`](crate::RunPlan::new), but for what it says of the corpus.
    pub fn new(source: &ConfigSource) -> Result<Self, TrainError> {
        let config = &source.config;
        check_numbers(source)?;
        // The data would tell; the smallest there can be make a valid network with the same tensors.
        let (model, knows_sizes, unit, per_step) = match config.model.kind {
            ModelKind::Gpt => {
                let gpt = resolve_gpt(source, 1)?;
                let per_step = config.data.sequences.map(|number| number * gpt.context);
                let knows_sizes = gpt.vocabulary > 1;
                (ModelConfig::Gpt(gpt), knows_sizes, Unit::Token, per_step)
            }
            ModelKind::Vit | ModelKind::Resnet | ModelKind::Cnn | ModelKind::Mlp => {
                let blocks = config.model.channels.as_ref().map_or(0, Vec::len).min(30);
                let side = config.model.patch.unwrap_or(1 << blocks);
                let image = ImageShape { channels: 1, height: side, width: side };
                let model = ModelConfig::Vision(resolve_vision(source, image, 2)?);
                (model, false, Unit::Image, config.data.batch)
            }
        };
        let layout = model.layout();
        let choices = choose_lambdas(source, &layout)?;
        let rule = config.decay.rule.unwrap_or_else(|| config.optim.kind.default_rule());
        let optimizer = resolve_optimizer(source, rule)?;
        let steps = config.run.steps;
        let over_the_run = |key: &str, section: &ScheduleSection| {
            steps.map(|steps| resolve_schedule(source, key, section, steps)).transpose()
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
