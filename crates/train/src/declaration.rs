//! A configuration as far as it can be resolved without its corpus.

use wd_decay::{Choice, Schedule};
use wd_nn::{GptConfig, ParameterLayout};
use wd_optim::OptimizerConfig;

use crate::{
    ConfigSource, TrainError,
    config::ScheduleSection,
    model::resolve_model,
    optimizer::resolve_optimizer,
    plan::{check_numbers, choose_lambdas, resolve_schedule},
};

/// What a configuration says of its decay, whether its corpus is there or not.
///
/// [`RunPlan`](crate::RunPlan) is this and what the corpus adds: the vocabulary, the tokens, and the
/// steps where the file leaves them open.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// The optimizer and the rule.
    pub optimizer: OptimizerConfig,
    /// The network; its vocabulary is right only when [`Declaration::knows_vocabulary`].
    pub model: GptConfig,
    /// Is the vocabulary written, so that sizes and parameters are right?
    pub knows_vocabulary: bool,
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
        // The corpus would tell; a single token is a valid network with the same tensors.
        let model = resolve_model(source, 1)?;
        let layout = model.layout();
        let choices = choose_lambdas(source, &layout)?;
        let rule = config
            .decay
            .rule
            .unwrap_or_else(|| config.optim.kind.default_rule());
        let optimizer = resolve_optimizer(source, rule)?;
        let steps = config.run.steps;
        let over_the_run = |key: &str, section: &ScheduleSection| {
            steps
                .map(|steps| resolve_schedule(source, key, section, steps))
                .transpose()
        };
        let schedule = over_the_run("schedule", &config.schedule)?;
        let lambda_schedule = match &config.decay.schedule {
            Some(section) => over_the_run("decay.schedule", section)?,
            None => None,
        };
        Ok(Declaration {
            optimizer,
            knows_vocabulary: model.vocabulary > 1,
            model,
            layout,
            choices,
            steps,
            schedule,
            lambda_schedule,
        })
    }
}
