//! Where the loop meets the data, the network and the optimizer.

use wd_data::Position;
use wd_decay::{Anchor, DecayRule, Storage};
use wd_nn::DropoutKey;
use wd_optim::{OptimError, Optimizer, StepReport, StepSettings, round_to_bf16};

use crate::{
    average::Average,
    config::ConfigFault,
    error::TrainError,
    pace::Pace,
    plan::RunPlan,
    task::{Scores, Task},
    weights::{Arenas, Weights, import},
};

/// The state of a run in memory, and the steps that change it.
pub(crate) struct Engine {
    task: Task,
    optimizer: Optimizer,
    parameters: Vec<f32>,
    /// What batch norm has gathered; empty without it.
    running: Vec<f32>,
    gradients: Vec<f32>,
    average: Option<Average>,
    /// The norms that learning rates are scaled to.
    pace: Option<Pace>,
}

/// How a step went.
pub(crate) enum Step<'a> {
    /// The loss before the step, and what the step did.
    Done { loss: f64, report: StepReport<'a> },
    /// The loss was not finite, or the gradient of the tensor with this index.
    Diverged { tensor: Option<usize> },
}

impl Engine {
    /// The start of a run: its initial weights, the beginning of its data, a network for `threads`
    /// threads.
    pub(crate) fn load(plan: &RunPlan, threads: usize) -> Result<Self, TrainError> {
        let (mut parameters, running) = initial_weights(plan)?;
        let storage = plan.source.config.optim.storage;
        if storage != Storage::F32 {
            round_to_bf16(&mut parameters);
        }
        let weights = Weights { parameters: &parameters, running: &running };
        let mut optimizer =
            Optimizer::new(plan.optimizer, plan.tensor_settings(), plan.layout.len)?;
        optimizer.set_storage(storage, plan.record.seed)?;
        optimizer.set_rate_ratios(&plan.rate_ratios)?;
        Ok(Engine {
            task: Task::open(plan, threads)?,
            optimizer,
            average: plan.source.config.run.average.map(|decay| Average::new(decay, weights)),
            pace: plan.pace.clone(),
            gradients: vec![0.0; plan.layout.len],
            parameters,
            running,
        })
    }

    /// Tells the optimizer what the weights decay to, while they are still the initial ones.
    pub(crate) fn set_anchor(&mut self, plan: &RunPlan) -> Result<(), TrainError> {
        let optimizer = &mut self.optimizer;
        match &plan.anchor {
            Anchor::Zero if plan.rule() == DecayRule::Hyperball => optimizer
                .set_norm_target(&self.parameters, 1.0)
                .map_err(|error| held_at_zero(plan, error)),
            Anchor::Norm(ratio) => Ok(optimizer.set_norm_target(&self.parameters, *ratio)?),
            Anchor::Zero => Ok(()),
            Anchor::Initial => Ok(optimizer.set_anchor(self.parameters.clone())?),
            Anchor::Checkpoint(file) => {
                let mut anchor = vec![0.0; plan.layout.len];
                let arenas = Arenas {
                    layout: &plan.layout,
                    parameters: &mut anchor,
                    running_layout: &plan.running,
                    running: &mut self.running.clone(),
                };
                import(&plan.model, file, arenas)?;
                Ok(optimizer.set_anchor(anchor)?)
            }
        }
    }

    /// Mean loss of the next batch; its gradient stays here until the next step.
    pub(crate) fn gradient(&mut self, dropout: DropoutKey) -> Result<f64, TrainError> {
        self.task.loss_and_gradient(
            &self.parameters,
            &mut self.gradients,
            &mut self.running,
            dropout,
        )
    }

    /// One step on the next batch.
    pub(crate) fn step(
        &mut self,
        dropout: DropoutKey,
        settings: StepSettings,
    ) -> Result<Step<'_>, TrainError> {
        let loss = self.gradient(dropout)?;
        if !loss.is_finite() {
            return Ok(Step::Diverged { tensor: None });
        }
        if let Some(pace) = &mut self.pace {
            self.optimizer.set_pace(pace.at(self.optimizer.steps_taken()))?;
        }
        let report = match self.optimizer.step(&mut self.parameters, &self.gradients, settings) {
            Ok(report) => report,
            Err(OptimError::NonFinite { tensor }) => {
                return Ok(Step::Diverged { tensor: Some(tensor) });
            }
            Err(error) => return Err(error.into()),
        };
        // Without clipping there is no look at the gradients before they are used: the weights are
        // spoilt by now, but the checkpoint is not.
        if let Some(tensor) = report.tensors.iter().position(|tensor| tensor.nonfinite) {
            return Ok(Step::Diverged { tensor: Some(tensor) });
        }
        Ok(Step::Done { loss, report })
    }

    /// Takes the weights after `steps` steps into their moving average, if there is one.
    pub(crate) fn follow(&mut self, steps: u64) {
        if let Some(average) = &mut self.average {
            let weights = Weights { parameters: &self.parameters, running: &self.running };
            average.update(weights, steps);
        }
    }

    /// Test images by their class and the one that the weights take them for; none for text.
    pub(crate) fn confusion(&mut self) -> Result<Option<Vec<Vec<u64>>>, TrainError> {
        let weights = Weights { parameters: &self.parameters, running: &self.running };
        self.task.confusion(weights)
    }

    /// What is said of the weights, and of their moving average.
    pub(crate) fn evaluate(&mut self) -> Result<Scores, TrainError> {
        let weights = Weights { parameters: &self.parameters, running: &self.running };
        let mut scores = self.task.evaluate(weights)?;
        if let Some(average) = &self.average {
            scores.extend(self.task.evaluate_average(average.weights())?);
        }
        Ok(scores)
    }

    /// The weights as they are.
    pub(crate) fn weights(&self) -> Weights<'_> {
        Weights { parameters: &self.parameters, running: &self.running }
    }

    /// Their moving average.
    pub(crate) fn average(&self) -> Option<Weights<'_>> {
        self.average.as_ref().map(Average::weights)
    }

    /// The optimizer's arenas, by name.
    pub(crate) fn optimizer_state(&self) -> Vec<(&'static str, &[f32])> {
        self.optimizer.state()
    }

    /// Steps that the optimizer has taken.
    pub(crate) fn steps_taken(&self) -> u64 {
        self.optimizer.steps_taken()
    }

    /// Takes up a state: weights and running statistics, their moving averages, the optimizer's
    /// arenas.
    pub(crate) fn restore(
        &mut self,
        (parameters, running): (Vec<f32>, Vec<f32>),
        average: Option<(Vec<f32>, Vec<f32>)>,
        optimizer: &[(String, Vec<f32>)],
        steps_taken: u64,
    ) -> Result<(), TrainError> {
        (self.parameters, self.running) = (parameters, running);
        if let (Some(average), Some((parameters, running))) = (&mut self.average, average) {
            (average.parameters, average.running) = (parameters, running);
        }
        Ok(self.optimizer.restore(optimizer, steps_taken)?)
    }

    /// What it reads.
    pub(crate) fn task(&self) -> &Task {
        &self.task
    }

    /// How far the training data are read.
    pub(crate) fn position(&self) -> Position {
        self.task.position()
    }

    /// Goes on from there.
    pub(crate) fn seek(&mut self, position: Position) -> Result<(), TrainError> {
        self.task.seek(position)
    }
}

/// Names the tensor that starts at 0, where hyperball would hold it.
fn held_at_zero(plan: &RunPlan, error: OptimError) -> TrainError {
    match error {
        OptimError::HeldAtZero { tensor } => {
            let path = plan.layout.segments[tensor].path.clone();
            plan.source.error(ConfigFault::HeldAtZero { path })
        }
        error => error.into(),
    }
}

/// The weights before the first step, and what batch norm holds then: means of 0 and variances of
/// 1, unless a file says otherwise.
fn initial_weights(plan: &RunPlan) -> Result<(Vec<f32>, Vec<f32>), TrainError> {
    let mut parameters = vec![0.0; plan.layout.len];
    let mut running = vec![0.0; plan.running.len];
    match &plan.init_from {
        Some(file) => {
            let arenas = Arenas {
                layout: &plan.layout,
                parameters: &mut parameters,
                running_layout: &plan.running,
                running: &mut running,
            };
            import(&plan.model, file, arenas)?;
        }
        None => {
            plan.model.initialize(plan.record.seed, &mut parameters)?;
            for segment in &plan.running.segments {
                running[segment.range()].fill(segment.initial_mean as f32);
            }
        }
    }
    Ok((parameters, running))
}
