//! One run, from its plan to its end: plan → steps → run directory. Whatever stops it, the same
//! call continues, bit for bit.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use wd_decay::{LearningRate, PeakLearningRate};
use wd_nn::DropoutKey;
use wd_optim::{StepReport, StepSettings};
use wd_store::{Confusion, Event, EventKind, MetricsWriter, RunDirectory, RunLock};

use crate::{
    checkpoint::{self, Origin},
    data,
    engine::{Engine, Step},
    error::TrainError,
    evaluate,
    metrics::{Row, StepRow},
    observer::{Observer, Outcome, Progress},
    plan::RunPlan,
    resume::{self, Resume, Start},
    task::{self, Scores},
    threads::thread_pool,
};

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

/// Trains one run to its end, from wherever it was left.
///
/// # Errors
/// A run directory in use or of another run, a weights file that does not fit, an unreadable
/// or damaged corpus, a disk that is full. A diverged run is no error but an [`Outcome`].
pub fn run(
    plan: &RunPlan,
    directory: &RunDirectory,
    options: RunOptions<'_>,
    observer: &mut (dyn Observer + Send),
) -> Result<Outcome, TrainError> {
    let lock = directory.lock()?;
    thread_pool(options.threads)?.install(|| {
        let start = resume::prepare(plan, directory, options.resume, observer)?;
        if let Start::Ended = start {
            return resume::earlier_outcome(directory);
        }
        data::verify(plan)?;
        let mut trainer = Trainer::open(plan, &lock, start)?;
        observer.started(plan, trainer.step);
        trainer.train(options.interrupt, observer)
    })
}

/// How often a run looks whether its directory is still there; a look costs some microseconds.
const LOCK_CHECK: Duration = Duration::from_secs(1);

/// The loop.
struct Trainer<'a> {
    plan: &'a RunPlan,
    directory: &'a RunDirectory,
    engine: Engine,
    metrics: MetricsWriter,
    row: Row,
    origin: Origin,
    lock: &'a RunLock,
    /// When the lock was last seen in its place.
    locked_at: Instant,
    /// Steps done.
    step: u64,
}

impl<'a> Trainer<'a> {
    /// At the checkpoint, or at step 0.
    fn open(plan: &'a RunPlan, lock: &'a RunLock, start: Start) -> Result<Self, TrainError> {
        let mut engine = Engine::load(plan, rayon::current_num_threads())?;
        let initial_weights =
            blake3::hash(bytemuck::cast_slice(engine.weights().parameters)).to_hex().to_string();
        let origin = Origin { initial_weights, plan: lock.run().plan_hash()? };
        engine.set_anchor(plan)?;
        let mut step = 0;
        if let Start::From(checkpoint) = start {
            step = checkpoint.step;
            checkpoint::restore(plan, *checkpoint, &mut engine, &origin)?;
        }
        let row = Row::new(plan.record.unit, &task::columns(plan), &plan.layout);
        let metrics = lock.metrics_writer(row.columns(), step)?;
        Ok(Trainer {
            plan,
            directory: lock.run(),
            engine,
            metrics,
            row,
            origin,
            lock,
            locked_at: Instant::now(),
            step,
        })
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
            let loss = match self.one_step()? {
                Stepped::Done { loss } => loss,
                Stepped::Diverged { tensor } => return self.diverged(tensor),
            };
            let scores = self.evaluate_if_due()?;
            if self.locked_at.elapsed() >= LOCK_CHECK {
                self.lock.check()?;
                self.locked_at = Instant::now();
            }
            self.metrics.append(self.row.values())?;
            last = (Some(loss), scores);
            observer.progress(&self.progress(loss, &clock));
            let checkpoint_is_due =
                checkpoint_every > 0 && self.step.is_multiple_of(checkpoint_every);
            if checkpoint_is_due || self.step == steps {
                self.save_checkpoint()?;
            }
        }
        self.lock.check()?;
        if let Some(counts) = self.engine.confusion()? {
            self.directory.write_confusion(&Confusion { step: self.step, counts })?;
        }
        let (weights, average) = (self.engine.weights(), self.engine.average());
        evaluate::at_the_end(self.plan, self.directory, weights, average)?;
        self.event(EventKind::Finished, "all steps are done")?;
        if let Some(waited) = self.engine.task().waited() {
            observer.notice(&format!(
                "steps waited {:.1} % of the time for their images",
                100.0 * waited.as_secs_f64() / clock.seconds()
            ));
        }
        Ok(Outcome::Finished {
            last_batch_loss: last.0,
            train_loss: named(&last.1, "train_eval_loss"),
            validation_loss: named(&last.1, "validation_loss"),
            test_accuracy: named(&last.1, "test_accuracy"),
        })
    }

    /// One step, with the row that it leaves.
    fn one_step(&mut self) -> Result<Stepped, TrainError> {
        let (plan, step) = (self.plan, self.step);
        let settings = StepSettings {
            learning_rate: LearningRate(plan.learning_rate(step)),
            peak_learning_rate: PeakLearningRate(plan.record.peak_learning_rate),
            lambda_factor: plan.lambda_factor(step),
        };
        let dropout = DropoutKey { seed: plan.record.seed, step };
        let (loss, report) = match self.engine.step(dropout, settings)? {
            Step::Done { loss, report } => (loss, report),
            Step::Diverged { tensor } => return Ok(Stepped::Diverged { tensor }),
        };
        let done = step + 1;
        let is_measured = step == 0
            || done == plan.record.steps
            || done.is_multiple_of(plan.source.config.run.measure_every);
        let tensors = if is_measured { report.tensors } else { &[] };
        self.row.begin(&step_row(plan, step, loss, &report), tensors);
        self.engine.follow(done);
        self.step = done;
        Ok(Stepped::Done { loss })
    }

    fn evaluate_if_due(&mut self) -> Result<Scores, TrainError> {
        let every = self.plan.validate_every;
        let is_due =
            self.step == self.plan.record.steps || (every > 0 && self.step.is_multiple_of(every));
        if !is_due {
            return Ok(Scores::new());
        }
        let scores = self.engine.evaluate()?;
        self.row.score(&scores);
        Ok(scores)
    }

    fn progress(&self, loss: f64, clock: &Clock) -> Progress {
        let record = &self.plan.record;
        let samples_per_second = clock.samples_per_second(self.step, record.samples_per_step);
        let left = ((record.steps - self.step) * record.samples_per_step) as f64;
        Progress {
            step: self.step,
            steps: record.steps,
            loss,
            learning_rate: self.plan.learning_rate(self.step - 1),
            lambda: record.lambda_at(self.step - 1),
            samples_per_second,
            unit: record.unit,
            eta_seconds: left / samples_per_second,
        }
    }

    fn save_checkpoint(&mut self) -> Result<(), TrainError> {
        self.lock.check()?;
        self.metrics.sync()?;
        checkpoint::save(self.plan, self.directory, self.step, &self.engine, &self.origin)?;
        let keep = self.plan.source.config.run.keep_checkpoints as usize;
        self.directory.checkpoints().prune(keep)?;
        self.event(EventKind::Checkpoint, "")
    }

    fn diverged(&mut self, tensor: Option<usize>) -> Result<Outcome, TrainError> {
        self.lock.check()?;
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

enum Stepped {
    Done { loss: f64 },
    Diverged { tensor: Option<usize> },
}

/// What a step (0-based) says about the run as a whole.
fn step_row(plan: &RunPlan, step: u64, loss: f64, report: &StepReport<'_>) -> StepRow {
    let record = &plan.record;
    let samples = (step + 1) * record.samples_per_step;
    StepRow {
        step: step + 1,
        samples,
        epoch: samples as f64 / record.training_samples as f64,
        train_loss: loss,
        learning_rate: plan.learning_rate(step),
        lambda: record.lambda * plan.lambda_factor(step),
        shrink: record.shrink(step),
        gradient_norm: report.gradient_norm,
        clip_factor: report.clip_factor,
    }
}

fn named(scores: &Scores, wanted: &str) -> Option<f64> {
    let score = scores.iter().find(|(name, _)| *name == wanted);
    score.map(|(_, value)| *value)
}

/// Speed since the process began, evaluations included: what is left will be interrupted by as
/// many.
struct Clock {
    started: Instant,
    first_step: u64,
}

impl Clock {
    fn new(step: u64) -> Self {
        Clock { started: Instant::now(), first_step: step }
    }

    fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64().max(1e-9)
    }

    fn samples_per_second(&self, step: u64, samples_per_step: u64) -> f64 {
        ((step - self.first_step) * samples_per_step) as f64 / self.seconds()
    }
}
