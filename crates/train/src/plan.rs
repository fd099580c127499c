//! [`ConfigSource`] → [`RunPlan`]: every number checked, every default resolved, every tensor's λ chosen, before the
//! first step. There is one way through and no way back.

use std::{path::PathBuf, sync::Arc};

use wd_data::Order;
use wd_decay::{
    Anchor, Application, Choice, DecayPolicy, DecayRule, Dtype, LearningRate, PeakLearningRate,
    Schedule, Unit, tokens_per_parameter,
};
use wd_nn::ParameterLayout;
use wd_optim::{OptimizerConfig, TensorSettings};
use wd_store::{Plan, PlannedTensor};

use crate::{
    ConfigSource, TrainError,
    config::{Length, ModelKind, OptimizerKind, ScheduleSection},
    data::{images::ImageData, text},
    keys::refuse_foreign_keys,
    model::{ModelConfig, resolve_gpt, resolve_vision},
    optimizer::{auxiliary, learning_rate_ratio, momenta, resolve_optimizer},
    weights::{self, Arenas},
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
    /// The record of all this, as `plan.json` holds it.
    pub record: Plan,
}

impl RunPlan {
    /// Checks a configuration against its corpus and resolves everything that follows from it.
    ///
    /// # Errors
    /// Every value out of range, with its place in the file; a corpus that is missing, damaged or too small for the
    /// steps asked for; an unmatched glob; an optimizer and a rule that do not go together.
    pub fn new(source: ConfigSource) -> Result<Self, TrainError> {
        let config = &source.config;
        check_numbers(&source)?;
        let (model, images, data) = match config.model.kind {
            ModelKind::Gpt => {
                let corpus = text::open(&source)?;
                let gpt = resolve_gpt(&source, corpus.sidecar().vocabulary)?;
                let data = text::plan(&source, corpus, gpt.context)?;
                (ModelConfig::Gpt(gpt), None, data)
            }
            ModelKind::Vit | ModelKind::Resnet | ModelKind::Cnn | ModelKind::Mlp => {
                let images = ImageData::open(&source)?;
                let model = resolve_vision(&source, images.shape(), images.classes())?;
                let data = images.plan(&source)?;
                (ModelConfig::Vision(model), Some(Arc::new(images)), data)
            }
        };
        let steps = data.steps(&source)?;

        let schedule = resolve_schedule(&source, "schedule", &config.schedule, steps)?;
        let lambda_section = config.decay.schedule.clone();
        let lambda_schedule = resolve_schedule(
            &source,
            "decay.schedule",
            &lambda_section.unwrap_or_else(ScheduleSection::constant),
            steps,
        )?;
        let (layout, running) = (model.layout(), model.running_statistics());
        let lambda = config.decay.lambda();
        let mut choices = choose_lambdas(&source, &layout)?;
        let rule = config.decay.rule.unwrap_or_else(|| config.optim.kind.default_rule());
        let optimizer = resolve_optimizer(&source, rule)?;
        if config.decay.holds() {
            name_what_is_held(&source, &layout, &mut choices)?;
        }
        check_weights(&source, &model, &layout, &running)?;
        let validate_every = config.run.validate_every.unwrap_or((steps / 10).max(1));

        let tensors: Vec<PlannedTensor> = layout
            .segments
            .iter()
            .zip(&choices)
            .map(|(segment, choice)| PlannedTensor {
                path: segment.path.clone(),
                shape: segment.shape.clone(),
                role: segment.role,
                parameters: segment.len() as u64,
                lambda: choice.lambda,
                reason: choice.reason.clone(),
                initial_rms: segment.initial_mean.hypot(segment.initial_std),
            })
            .collect();
        let parameters = layout.len as u64;
        let seen = steps * data.per_step;
        let mut record = Plan {
            format: Plan::FORMAT,
            program: format!("wd {}", env!("CARGO_PKG_VERSION")),
            seed: config.run.seed,
            steps,
            unit: data.unit,
            samples_per_step: data.per_step,
            training_samples: data.training,
            validation_samples: data.validation,
            epochs: seen as f64 / data.training as f64,
            samples_per_parameter: tokens_per_parameter(seen, parameters),
            data_path: config.data.path.clone(),
            corpus_hash: data.hash,
            text: data.text,
            images: data.images,
            model: model.describe(),
            init_from: config.model.init_from.clone(),
            parameters,
            decayed_parameters: tensors
                .iter()
                .filter(|tensor| tensor.lambda != 0.0)
                .map(|tensor| tensor.parameters)
                .sum(),
            dtype: Dtype::F32,
            optimizer: config.optim.kind,
            momenta: momenta(&optimizer.direction),
            clip: config.optim.clip,
            policy: config.decay.policy(),
            rule,
            cautious: config.decay.cautious,
            anchor: config.decay.anchor.clone(),
            lambda,
            lambda_schedule,
            peak_learning_rate: config.optim.lr,
            schedule,
            kappa: 0.0,
            tau_steps: None,
            tau_fraction: None,
            tensors,
        };
        let timescale = record.timescale();
        record.kappa = timescale.kappa;
        record.tau_steps = timescale.tau_steps;
        record.tau_fraction = timescale.tau_fraction;
        let anchor = config.decay.anchor.clone();
        let init_from = config.model.init_from.clone();
        let plan = RunPlan {
            model,
            layout,
            running,
            optimizer,
            schedule,
            lambda_schedule,
            choices,
            anchor,
            images,
            init_from,
            validate_every,
            record,
            source,
        };
        plan.refuse_overshoot()?;
        Ok(plan)
    }

    /// A decay of more than the whole weight carries it past its anchor: the optimizer would refuse that step.
    fn refuse_overshoot(&self) -> Result<(), TrainError> {
        let peak = self.record.peak_learning_rate;
        for (segment, choice) in self.layout.segments.iter().zip(&self.choices) {
            let ratio = learning_rate_ratio(&self.optimizer.direction, segment.role);
            let shrink = |step: &u64| {
                let rate = LearningRate(self.learning_rate(*step) * ratio);
                let lambda = choice.lambda * self.lambda_factor(*step);
                match self.rule().apply(lambda, rate, PeakLearningRate(peak * ratio)) {
                    Application::Shrink(shrink) => shrink.0,
                    Application::Gradient(_) | Application::Sphere => 0.0,
                }
            };
            if let Some(step) = (0..self.record.steps).find(|step| shrink(step) > 1.0) {
                return Err(self.source.invalid(
                    "decay.lambda",
                    format!(
                        "step {} would take {:.3} times the weights of {}, and carry them past where they decay to",
                        step + 1,
                        shrink(&step),
                        segment.path
                    ),
                    format!("lower optim.lr or λ: here {}", self.rule().equation()),
                ));
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

/// Under hyperball λ switches: says of each tensor whether it is held, and refuses to hold what is no matrix.
fn name_what_is_held(
    source: &ConfigSource,
    layout: &ParameterLayout,
    choices: &mut [Choice],
) -> Result<(), TrainError> {
    for (segment, choice) in layout.segments.iter().zip(choices) {
        let is_held = choice.lambda > 0.0;
        if is_held && segment.shape.len() < 2 {
            return Err(source.invalid(
                "decay",
                format!(
                    "hyperball holds matrices, but {} has shape {:?} ({})",
                    segment.path, segment.shape, choice.reason
                ),
                "decay.policy = \"matrices\" holds hidden matrices and the head; an override of 0 leaves a tensor free",
            ));
        }
        let what = if is_held { "its norm is held" } else { "free" };
        choice.reason = match choice.reason.split_once(": ") {
            Some((because, verdict)) => {
                let policy = verdict.find('(').map_or("", |at| &verdict[at..]);
                format!("{because}: {what} {policy}")
            }
            None => format!("{}: {what}", choice.reason),
        };
    }
    Ok(())
}

/// Reads the files of weights that the run will need, so that what is wrong with them is known before it starts.
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
        weights::import(model, file, arenas).map_err(|error| {
            source.invalid(
                key,
                error.to_string(),
                "a file written by `wd export`, or a checkpoint's model.safetensors, of a model of this shape",
            )
        })?;
    }
    Ok(())
}

/// λ of every tensor and why.
pub(crate) fn choose_lambdas(
    source: &ConfigSource,
    layout: &ParameterLayout,
) -> Result<Vec<Choice>, TrainError> {
    let decay = &source.config.decay;
    let policy = DecayPolicy { preset: decay.policy(), overrides: decay.overrides.0.clone() };
    policy.choose(decay.lambda(), &layout.descriptions()).map_err(|error| {
        source.invalid(
            "decay.overrides",
            error.to_string(),
            "`wd plan` without overrides lists every tensor's path",
        )
    })
}

/// Checks that need nothing but the number itself.
pub(crate) fn check_numbers(source: &ConfigSource) -> Result<(), TrainError> {
    let config = &source.config;
    refuse_foreign_keys(source)?;
    let finite_positive = |key: &str, value: f64, help: &str| {
        if value.is_finite() && value > 0.0 {
            Ok(())
        } else {
            Err(source.invalid(key, format!("{key} = {value} must be finite and positive"), help))
        }
    };
    finite_positive("optim.lr", config.optim.lr, "a peak learning rate such as 1e-3")?;
    let finite_not_negative = |key: &str, value: f64, help: &str| {
        if value.is_finite() && value >= 0.0 {
            Ok(())
        } else {
            Err(source.invalid(
                key,
                format!("{key} = {value} must be finite and not negative"),
                help,
            ))
        }
    };
    finite_not_negative("decay.lambda", config.decay.lambda(), "0 switches the decay off")?;
    if let Anchor::Norm(ratio) = config.decay.anchor {
        finite_not_negative(
            "decay.anchor.norm",
            ratio,
            "a multiple of each tensor's initial norm, such as 1.0",
        )?;
    }
    finite_not_negative("optim.clip", config.optim.clip, "0 switches the clipping off")?;
    if let Some(decay) = config.run.average
        && !(decay > 0.0 && decay < 1.0)
    {
        return Err(source.invalid(
            "run.average",
            format!("run.average = {decay} must lie between 0 and 1"),
            "0.999 averages over about the last thousand steps",
        ));
    }
    if config.model.kind == ModelKind::Gpt && !config.run.evaluate.is_empty() {
        return Err(source.invalid(
            "run.evaluate",
            "run.evaluate belongs to images: there is no corruption of text",
            "remove `evaluate`",
        ));
    }
    for (glob, lambda) in &config.decay.overrides.0 {
        finite_not_negative(
            &format!("decay.overrides.{glob}"),
            *lambda,
            "the λ of the tensors that match",
        )?;
    }
    if config.decay.holds() {
        check_hyperball(source)?;
    }
    let fraction = config.data.validation_fraction();
    if !(0.0..1.0).contains(&fraction) {
        return Err(source.invalid(
            "data.validation_fraction",
            format!("data.validation_fraction = {fraction} must lie in [0, 1)"),
            "0.05 holds out a twentieth of the text; 0 holds out nothing",
        ));
    }
    for (key, value) in [
        ("data.sequences", config.data.sequences.map_or(1, |n| n as u64)),
        ("data.epochs", config.data.epochs),
        ("data.validation_windows", config.data.validation_windows()),
        ("data.batch", config.data.batch.map_or(1, |n| n as u64)),
        ("data.evaluation_images", config.data.evaluation_images.map_or(1, |n| n as u64)),
        ("run.measure_every", config.run.measure_every),
        ("run.keep_checkpoints", config.run.keep_checkpoints),
    ] {
        if value == 0 {
            return Err(source.invalid(
                key,
                format!("{key} must be at least 1"),
                "write 1 or more",
            ));
        }
    }
    if config.data.order == Some(Order::Sequential) && config.data.epochs > 1 {
        return Err(source.invalid(
            "data.epochs",
            "data.order = \"sequential\" is one pass",
            "use data.epochs = 1, or the shuffled order",
        ));
    }
    if config.optim.kind == OptimizerKind::Adamw && config.decay.rule == Some(DecayRule::CoupledL2)
    {
        return Err(source.invalid(
            "decay.rule",
            "AdamW with coupled L2 is Adam: the name would hide what is done",
            "write optim.kind = \"adam\", or leave decay.rule out for decoupled decay",
        ));
    }
    Ok(())
}

/// What of `[decay]` has nothing to act on when norms are held.
fn check_hyperball(source: &ConfigSource) -> Result<(), TrainError> {
    let decay = &source.config.decay;
    let overrides = &decay.overrides.0;
    let written = std::iter::once(("decay.lambda".to_owned(), decay.lambda()))
        .chain(overrides.iter().map(|(glob, lambda)| (format!("decay.overrides.{glob}"), *lambda)));
    for (key, lambda) in written {
        if lambda != 0.0 && lambda != 1.0 {
            return Err(source.invalid(
                &key,
                format!("hyperball holds norms and has no λ: {key} = {lambda} says nothing to it"),
                "write 1 (held) or 0 (not held), as by --set decay.lambda=1; a file may leave it out",
            ));
        }
    }
    if decay.schedule.is_some() {
        return Err(source.invalid(
            "decay.schedule",
            "hyperball has no λ that a schedule could multiply",
            "remove decay.schedule; the step's size follows the schedule of the learning rate",
        ));
    }
    if decay.anchor != Anchor::Zero {
        return Err(source.invalid(
            "decay.anchor",
            "hyperball holds norms and decays to no point",
            "remove decay.anchor; { norm = 1.0 } with a rule that decays lets norms be drawn to a target",
        ));
    }
    Ok(())
}

pub(crate) fn resolve_schedule(
    source: &ConfigSource,
    key: &str,
    section: &ScheduleSection,
    steps: u64,
) -> Result<Schedule, TrainError> {
    for (name, length) in [("warmup", section.warmup), ("decay", section.decay)] {
        if let Length::Share(share) = length
            && !(0.0..=1.0).contains(&share)
        {
            return Err(source.invalid(
                &format!("{key}.{name}"),
                format!("{key}.{name} = {share} is no share of the run"),
                "a fraction such as 0.05 is a share of the run, an integer such as 400 a number of steps",
            ));
        }
    }
    Schedule::new(
        section.kind,
        section.warmup.steps(steps),
        steps,
        section.floor,
        section.decay.steps(steps),
    )
    .map_err(|error| {
        source.invalid(
            key,
            error.to_string(),
            "see `wd plan` for the schedule that follows from a configuration",
        )
    })
}
