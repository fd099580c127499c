//! The loop: plan → steps → run directory. Whatever stops it, the same call continues, bit for bit.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use serde::{Deserialize, Serialize};
use wd_data::Position;
use wd_decay::{Anchor, DecayRule, LearningRate, PeakLearningRate, Unit};
use wd_nn::DropoutKey;
use wd_optim::{OptimError, Optimizer, StepSettings};
use wd_store::{Event, EventKind, MetricsWriter, RunDirectory, RunLock};

use crate::{
    RunPlan, TrainError,
    average::Average,
    evaluate,
    metrics::{Row, StepRow},
    resume::{self, Resume},
    task::{self, Scores, Task, Weights},
    weights::{self, Arenas},
};

/// What a run tells while it goes on.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Loss of the last batch.
    pub loss: f64,
    /// η of the last step.
    pub learning_rate: f64,
    /// λ of the last step.
    pub lambda: f64,
    /// Training tokens (or images) a second, since the process began.
    pub samples_per_second: f64,
    /// What that is counted in.
    pub unit: Unit,
    /// Seconds left at that rate.
    pub eta_seconds: f64,
}

/// Whoever watches a run.
pub trait Observer {
    /// The run starts, or continues after `step` steps.
    fn started(&mut self, plan: &RunPlan, step: u64);
    /// A step is done.
    fn progress(&mut self, progress: &Progress);
    /// Something worth a line: a damaged checkpoint that was passed over, for example.
    fn notice(&mut self, message: &str);
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// All steps are done.
    Finished {
        /// Loss of the last batch; absent for a run of no steps.
        train_loss: Option<f64>,
        /// Loss of the final weights on what was held out; absent when nothing is.
        validation_loss: Option<f64>,
        /// Share of the test images that the final weights get right; absent on text.
        test_accuracy: Option<f64>,
    },
    /// It was asked to stop, and can go on.
    Interrupted {
        /// Steps done.
        step: u64,
    },
    /// A loss or gradient was not finite.
    Diverged {
        /// The step (1-based) at which it happened.
        step: u64,
        /// The first tensor whose gradient was not finite, if it was a gradient.
        tensor: Option<String>,
        /// Step of the last checkpoint.
        last_checkpoint: Option<u64>,
    },
}

/// Options of a call that are no part of the run itself: they do not change a single bit of it.
#[derive(Debug, Clone, Copy)]
pub struct RunOptions<'a> {
    /// What to do with an earlier run in the directory.
    pub resume: Resume,
    /// Threads.
    pub threads: usize,
    /// Set from outside to stop after the current step.
    pub interrupt: &'a AtomicBool,
}

/// What a checkpoint holds besides tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LoopState {
    pub position: Position,
    pub optimizer_steps: u64,
    /// BLAKE3 of the initial weights: an anchor must not change under a resumed run.
    pub initial_weights: String,
}

/// Trains one run to its end, from wherever it was left.
///
/// # Errors
/// A run directory in use or of another run, a weights file that does not fit, an unreadable corpus, a disk that is
/// full. A diverged run is no error but an [`Outcome`].
pub fn run(
    plan: &RunPlan,
    directory: &RunDirectory,
    options: RunOptions<'_>,
    observer: &mut (dyn Observer + Send),
) -> Result<Outcome, TrainError> {
    let lock = directory.lock()?;
    thread_pool(options.threads)?.install(|| {
        let Some(mut trainer) = Trainer::open(plan, &lock, options.resume, observer)? else {
            return resume::earlier_outcome(directory);
        };
        trainer.train(options.interrupt, observer)
    })
}

/// A pool of exactly so many threads.
pub(crate) fn thread_pool(threads: usize) -> Result<rayon::ThreadPool, TrainError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| TrainError::Threads { threads, reason: error.to_string() })
}

struct Trainer<'a> {
    plan: &'a RunPlan,
    directory: &'a RunDirectory,
    task: Box<dyn Task>,
    optimizer: Optimizer,
    metrics: MetricsWriter,
    parameters: Vec<f32>,
    /// What batch norm has gathered; empty without it.
    running: Vec<f32>,
    average: Option<Average>,
    gradients: Vec<f32>,
    initial_weights: String,
    row: Row,
    step: u64,
}

impl<'a> Trainer<'a> {
    /// Opens the directory, at its last good checkpoint or at step 0; `None` when there is nothing left to do.
    fn open(
        plan: &'a RunPlan,
        lock: &'a RunLock,
        resume: Resume,
        observer: &mut (dyn Observer + Send),
    ) -> Result<Option<Self>, TrainError> {
        let directory = lock.run();
        let checkpoint = match resume::prepare(plan, directory, resume, observer)? {
            resume::Start::Ended => return Ok(None),
            resume::Start::Fresh => None,
            resume::Start::From(checkpoint) => Some(checkpoint),
        };
        let (mut parameters, mut running) = initial_weights(plan)?;
        let initial_weights = blake3::hash(bytemuck::cast_slice(&parameters)).to_hex().to_string();
        let mut optimizer =
            Optimizer::new(plan.optimizer, plan.tensor_settings(), plan.layout.len)?;
        match &plan.anchor {
            Anchor::Zero if plan.rule() == DecayRule::Hyperball => optimizer
                .set_norm_target(&parameters, 1.0)
                .map_err(|error| held_at_zero(plan, error))?,
            Anchor::Norm(ratio) => optimizer.set_norm_target(&parameters, *ratio)?,
            Anchor::Zero => {}
            Anchor::Initial => optimizer.set_anchor(parameters.clone())?,
            Anchor::Checkpoint(file) => {
                let mut anchor = vec![0.0; plan.layout.len];
                let arenas = Arenas {
                    layout: &plan.layout,
                    parameters: &mut anchor,
                    running_layout: &plan.running,
                    running: &mut running.clone(),
                };
                weights::import(&plan.model, file, arenas)?;
                optimizer.set_anchor(anchor)?;
            }
        }
        let mut task = task::open(plan, rayon::current_num_threads())?;
        let decay = plan.source.config.run.average;
        let mut average = decay.map(|decay| {
            let parameters = &parameters;
            let running = &running;
            Average::new(decay, Weights { parameters, running })
        });
        let mut step = 0;
        if let Some(checkpoint) = checkpoint {
            step = checkpoint.step;
            let state = resume::restore(
                plan,
                *checkpoint,
                &mut optimizer,
                &mut parameters,
                &mut running,
                average.as_mut(),
            )?;
            if state.initial_weights != initial_weights {
                return Err(TrainError::Checkpoint {
                    step,
                    reason: "the weights it started from (model.init_from) have changed since"
                        .to_owned(),
                });
            }
            task.seek(state.position)?;
        }
        let row = Row::new(plan.record.unit, &task::columns(plan), &plan.layout);
        let metrics = lock.metrics_writer(row.columns(), step)?;
        let trainer = Trainer {
            gradients: vec![0.0; plan.layout.len],
            plan,
            directory,
            task,
            optimizer,
            metrics,
            parameters,
            running,
            average,
            initial_weights,
            row,
            step,
        };
        observer.started(plan, step);
        Ok(Some(trainer))
    }

    fn train(
        &mut self,
        interrupt: &AtomicBool,
        observer: &mut (dyn Observer + Send),
    ) -> Result<Outcome, TrainError> {
        let steps = self.plan.record.steps;
        let checkpoint_every = self.plan.source.config.run.checkpoint_every;
        let clock = Clock::new(self.step);
        let mut last = (None, Scores::new());
        if steps == 0 {
            self.save_checkpoint()?;
        }
        while self.step < steps {
            if interrupt.load(Ordering::Relaxed) {
                self.save_checkpoint()?;
                self.event(EventKind::Interrupted, "asked to stop")?;
                return Ok(Outcome::Interrupted { step: self.step });
            }
            let (loss, scores) = match self.one_step()? {
                Step::Done { loss, scores } => (loss, scores),
                Step::Diverged { tensor } => return self.diverged(tensor),
            };
            last = (Some(loss), scores);
            let samples_per_second =
                clock.samples_per_second(self.step, self.plan.record.samples_per_step);
            let left = ((steps - self.step) * self.plan.record.samples_per_step) as f64;
            observer.progress(&Progress {
                step: self.step,
                steps,
                loss,
                learning_rate: self.plan.learning_rate(self.step - 1),
                lambda: self.plan.record.lambda_at(self.step - 1),
                samples_per_second,
                unit: self.plan.record.unit,
                eta_seconds: left / samples_per_second,
            });
            let checkpoint_is_due =
                checkpoint_every > 0 && self.step.is_multiple_of(checkpoint_every);
            if checkpoint_is_due || self.step == steps {
                self.save_checkpoint()?;
            }
        }
        let weights = Weights { parameters: &self.parameters, running: &self.running };
        let average = self.average.as_ref().map(Average::weights);
        evaluate::at_the_end(self.plan, self.directory, weights, average)?;
        self.event(EventKind::Finished, "all steps are done")?;
        if let Some(waited) = self.task.waited() {
            let elapsed = clock.started.elapsed().as_secs_f64().max(1e-9);
            observer.notice(&format!(
                "steps waited {:.1} % of the time for their images",
                100.0 * waited.as_secs_f64() / elapsed
            ));
        }
        Ok(Outcome::Finished {
            train_loss: last.0,
            validation_loss: named(&last.1, "validation_loss"),
            test_accuracy: named(&last.1, "test_accuracy"),
        })
    }

    fn one_step(&mut self) -> Result<Step, TrainError> {
        let plan = self.plan;
        let config = &plan.source.config;
        let step = self.step;
        let loss = self.task.loss_and_gradient(
            &self.parameters,
            &mut self.gradients,
            &mut self.running,
            DropoutKey { seed: plan.record.seed, step },
        )?;
        if !loss.is_finite() {
            return Ok(Step::Diverged { tensor: None });
        }
        let report = match self.optimizer.step(
            &mut self.parameters,
            &self.gradients,
            StepSettings {
                learning_rate: LearningRate(plan.learning_rate(step)),
                peak_learning_rate: PeakLearningRate(plan.record.peak_learning_rate),
                lambda_factor: plan.lambda_factor(step),
            },
        ) {
            Ok(report) => report,
            Err(OptimError::NonFinite { tensor }) => {
                return Ok(Step::Diverged { tensor: Some(tensor) });
            }
            Err(error) => return Err(error.into()),
        };
        // Without clipping there is no look at the gradients before they are used: the weights are spoilt by now, but
        // the checkpoint is not.
        if let Some(tensor) = report.tensors.iter().position(|tensor| tensor.nonfinite) {
            return Ok(Step::Diverged { tensor: Some(tensor) });
        }
        let steps = plan.record.steps;
        let done = step + 1;
        let is_measured =
            step == 0 || done == steps || done.is_multiple_of(config.run.measure_every);
        let row = StepRow {
            step: done,
            tokens: done * plan.record.samples_per_step,
            epoch: (done * plan.record.samples_per_step) as f64
                / plan.record.training_samples as f64,
            train_loss: loss,
            learning_rate: plan.learning_rate(step),
            lambda: plan.record.lambda * plan.lambda_factor(step),
            shrink: plan.record.shrink(step),
            gradient_norm: report.gradient_norm,
            clip_factor: report.clip_factor,
        };
        self.row.begin(&row, if is_measured { report.tensors } else { &[] });
        self.step = done;
        let weights = Weights { parameters: &self.parameters, running: &self.running };
        if let Some(average) = &mut self.average {
            average.update(weights, done);
        }
        let evaluation_is_due =
            done == steps || (plan.validate_every > 0 && done.is_multiple_of(plan.validate_every));
        let mut scores = Scores::new();
        if evaluation_is_due {
            scores = self.task.evaluate(weights)?;
            self.row.score(&scores);
            if let Some(average) = &self.average {
                self.row.score(&self.task.evaluate_average(average.weights())?);
            }
        }
        self.metrics.append(self.row.values())?;
        Ok(Step::Done { loss, scores })
    }

    fn save_checkpoint(&mut self) -> Result<(), TrainError> {
        self.metrics.sync()?;
        let state = LoopState {
            position: self.task.position(),
            optimizer_steps: self.optimizer.steps_taken(),
            initial_weights: self.initial_weights.clone(),
        };
        resume::save(
            self.plan,
            self.directory,
            self.step,
            Weights { parameters: &self.parameters, running: &self.running },
            &self.optimizer,
            self.average.as_ref(),
            &state,
        )?;
        self.directory
            .checkpoints()
            .prune(self.plan.source.config.run.keep_checkpoints as usize)?;
        self.event(EventKind::Checkpoint, "")
    }

    fn diverged(&mut self, tensor: Option<usize>) -> Result<Outcome, TrainError> {
        self.metrics.flush()?;
        let step = self.step + 1;
        let tensor = tensor.map(|index| self.plan.layout.segments[index].path.clone());
        let last_checkpoint = self.directory.checkpoints().steps()?.last().copied();
        let what = tensor
            .as_deref()
            .map_or("the loss".to_owned(), |path| format!("the gradient of {path}"));
        let mut event = Event::now(EventKind::Diverged, step, format!("{what} is not finite"));
        if let Some(path) = &tensor {
            event = event.with("tensor", path.as_str());
        }
        if let Some(checkpoint) = last_checkpoint {
            event = event.with("last_checkpoint", checkpoint);
        }
        self.directory.append_event(&event)?;
        Ok(Outcome::Diverged { step, tensor, last_checkpoint })
    }

    fn event(&self, kind: EventKind, message: &str) -> Result<(), TrainError> {
        self.directory.append_event(&Event::now(kind, self.step, message))?;
        Ok(())
    }
}

/// Names the tensor that starts at 0, where hyperball would hold it.
fn held_at_zero(plan: &RunPlan, error: OptimError) -> TrainError {
    let OptimError::HeldAtZero { tensor } = error else {
        return error.into();
    };
    let path = &plan.layout.segments[tensor].path;
    plan.source.invalid(
        "decay.rule",
        format!(
            "hyperball would hold {path} at the norm 0, with which it starts: it could not learn"
        ),
        format!("start it elsewhere, or leave it free: [decay.overrides] \"{path}\" = 0"),
    )
}

enum Step {
    Done { loss: f64, scores: Scores },
    Diverged { tensor: Option<usize> },
}

fn named(scores: &Scores, wanted: &str) -> Option<f64> {
    let score = scores.iter().find(|(name, _)| *name == wanted);
    score.map(|(_, value)| *value)
}

/// The weights before the first step, and what batch norm holds then: means of 0 and variances of 1, unless a file says
/// otherwise.
pub(crate) fn initial_weights(plan: &RunPlan) -> Result<(Vec<f32>, Vec<f32>), TrainError> {
    let mut parameters = vec![0.0; plan.layout.len];
    let mut running = vec![0.0; plan.running.len];
    match &plan.init_from {
        Some(file) => weights::import(
            &plan.model,
            file,
            Arenas {
                layout: &plan.layout,
                parameters: &mut parameters,
                running_layout: &plan.running,
                running: &mut running,
            },
        )?,
        None => {
            plan.model.initialize(plan.record.seed, &mut parameters)?;
            for segment in &plan.running.segments {
                running[segment.range()].fill(segment.initial_mean as f32);
            }
        }
    }
    Ok((parameters, running))
}

/// Speed since the process began, evaluations included: what is left will be interrupted by as many.
struct Clock {
    started: Instant,
    first_step: u64,
}

impl Clock {
    fn new(step: u64) -> Self {
        Clock { started: Instant::now(), first_step: step }
    }

    fn samples_per_second(&self, step: u64, samples_per_step: u64) -> f64 {
        let elapsed = self.started.elapsed().as_secs_f64().max(1e-9);
        ((step - self.first_step) * samples_per_step) as f64 / elapsed
    }
}
