//! What can be wrong with a configuration, and how it is mended.

use std::ops::Range;

use thiserror::Error;
use wd_data::images::ImageError;
use wd_decay::Unit;
use wd_decay::{DecayError, DecayRule, OptimizerKind};
use wd_nn::NnError;
use wd_optim::OptimError;
use wd_page::{counted, number};

/// A configuration that cannot be run: what is wrong with it, and where in its text.
#[derive(Debug, Error)]
#[error("{fault}")]
pub struct ConfigError {
    /// Name of the file, for messages.
    pub name: String,
    /// The whole text that was read (with overrides applied).
    pub text: String,
    /// The bytes of `text` that are wrong, where known.
    pub span: Option<Range<usize>>,
    /// What is wrong.
    pub fault: ConfigFault,
}

/// What is wrong with a configuration. A `key` is written as in `optim.lr`.
#[derive(Debug, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "a variant's message says what its fields are")]
pub enum ConfigFault {
    /// The text is no TOML, or a value has a wrong type.
    #[error("{message}")]
    Syntax { message: String },
    /// A number that is not written as a whole one.
    #[error("{message}")]
    NotWhole { written: f64, message: String },
    /// A key or a name that is not known in its place.
    #[error("{message}")]
    Unknown { typed: String, known: Vec<String>, message: String },
    /// A key that has no default.
    #[error("{key} is missing")]
    Missing { key: String, meaning: Option<&'static str> },
    /// A key of another kind of model or data.
    #[error("{key} belongs to {owner}{}", instead_of(instead.as_deref()))]
    Foreign { key: String, owner: String, instead: Option<String> },
    /// A name that another kind of model has for this key.
    #[error("a model of kind \"{kind}\" does not have this {}", last_part(key))]
    NotOfKind { key: String, kind: &'static str, known: Vec<String> },
    /// A key that the optimizer does not have.
    #[error("{optimizer} has no `{}`", last_part(key))]
    NotOfOptimizer { key: String, optimizer: &'static str, users: Vec<&'static str> },
    /// A number out of its range.
    #[error("{key} = {value} must {range}")]
    OutOfRange { key: String, value: f64, range: &'static str, meaning: &'static str },
    /// A number that must not be 0.
    #[error("{key} must be at least 1")]
    Zero { key: &'static str },
    /// A fraction that is no share of the run.
    #[error("{key} = {share} is no share of the run")]
    NoShare { key: String, share: f64 },
    /// Two settings that do not go together.
    #[error("{reason}")]
    Conflict { key: &'static str, reason: &'static str, mend: &'static str },
    /// A λ that is no switch, where norms are held.
    #[error("hyperball holds norms and has no λ: {key} = {lambda} says nothing to it")]
    NoSwitch { key: String, lambda: f64 },
    /// A vector whose norm would be held.
    #[error("hyperball holds matrices, but {path} has shape {shape:?} ({reason})")]
    HeldVector { path: String, shape: Vec<usize>, reason: String },
    /// A tensor whose norm would be held at 0.
    #[error("hyperball would hold {path} at the norm 0, with which it starts: it could not learn")]
    HeldAtZero { path: String },
    /// A step whose decay is more than the whole weight.
    #[error(
        "step {step} would take {times:.3} times the weights of {path}, and carry them past where \
         they decay to"
    )]
    Overshoot { step: u64, times: f64, path: String, rule: DecayRule },
    /// A run that the machine has no room for.
    #[error(
        "the {} of this model, with their gradients and the optimizer's state, and the data of a \
         step take at least {}, and this process may take {}",
        counted(parameters, "parameter"), number::bytes(*bytes), number::bytes(*memory)
    )]
    TooLarge { parameters: u64, bytes: u64, memory: u64 },
    /// More steps than the data give.
    #[error(
        "{} of {} need more than the {training} training {} give in {}: {}",
        counted(steps, "step"), counted(per_step, unit.noun()), unit.words(), counted(epochs, "epoch"),
        counted(available, "step")
    )]
    TooFewData {
        steps: u64,
        per_step: u64,
        unit: Unit,
        training: u64,
        epochs: u64,
        available: u64,
        needed_epochs: u64,
    },
    /// A corpus with more tokens than the model.
    #[error("the corpus has {corpus} tokens, the model only {model}")]
    Vocabulary { corpus: usize, model: usize },
    /// A file of weights that cannot be read into the model.
    #[error("{reason}")]
    Weights { key: &'static str, reason: String },
    /// Another run whose effective learning rate cannot be taken over.
    #[error("{reason}")]
    Pace { reason: String },
    /// From the optimizer.
    #[error("{source}")]
    Optimizer { key: &'static str, source: OptimError },
    /// From the model.
    #[error(transparent)]
    Model(NnError),
    /// From the policy and its overrides.
    #[error(transparent)]
    Policy(DecayError),
    /// From the learning rates of single tensors.
    #[error(transparent)]
    RateOverride(DecayError),
    /// From a schedule.
    #[error("{source}")]
    Schedule { key: &'static str, source: DecayError },
    /// An optimizer that laws and libraries know, and that trains nothing here.
    #[error(
        "{kind} is no optimizer of this program: it trains with adamw, adam, sgd, lion and muon"
    )]
    Untrainable { kind: OptimizerKind },
    /// From the data.
    #[error("{source}")]
    Data { key: String, source: ImageError },
}

impl ConfigFault {
    /// What a parser says: of a name that it does not know, "unknown field `x`, expected one of
    /// `y`, `z`".
    pub(super) fn of_parser(message: &str) -> Self {
        let mut quoted = message.split('`').skip(1).step_by(2).map(str::to_owned);
        let first = quoted.next();
        if let Some(typed) = first.as_ref().filter(|_| message.starts_with("unknown")) {
            let (typed, known) = (typed.clone(), quoted.collect());
            return Self::Unknown { typed, known, message: message.to_owned() };
        }
        let message = without_types_of_the_program(message);
        match first.and_then(|number| number.parse().ok()) {
            Some(written) if message.ends_with(WHOLE_NUMBER) => Self::NotWhole { written, message },
            _ => Self::Syntax { message },
        }
    }

    /// The key whose value is wrong; absent where the parser knows the place better.
    pub fn key(&self) -> Option<String> {
        Some(match self {
            Self::Syntax { .. } | Self::NotWhole { .. } | Self::Unknown { .. } => return None,
            Self::Missing { key, .. }
            | Self::Foreign { key, .. }
            | Self::NotOfKind { key, .. }
            | Self::NotOfOptimizer { key, .. }
            | Self::OutOfRange { key, .. }
            | Self::NoShare { key, .. }
            | Self::NoSwitch { key, .. }
            | Self::Data { key, .. } => key.clone(),
            Self::Zero { key }
            | Self::Conflict { key, .. }
            | Self::Weights { key, .. }
            | Self::Optimizer { key, .. }
            | Self::Schedule { key, .. } => (*key).to_owned(),
            Self::Untrainable { .. } => "optim.kind".to_owned(),
            Self::Pace { .. } => "optim.effective_rate_of".to_owned(),
            Self::HeldVector { .. } => "decay".to_owned(),
            Self::HeldAtZero { .. } => "decay.rule".to_owned(),
            Self::Overshoot { .. } => "decay.lambda".to_owned(),
            Self::TooFewData { .. } => "run.steps".to_owned(),
            Self::Vocabulary { .. } => "model.vocabulary".to_owned(),
            Self::Model(NnError::Configuration { field, .. }) => format!("model.{field}"),
            Self::Model(_) | Self::TooLarge { .. } => "model".to_owned(),
            Self::Policy(_) => "decay.overrides".to_owned(),
            Self::RateOverride(_) => "optim.overrides".to_owned(),
        })
    }

    /// How to mend it.
    pub fn help(&self) -> Option<String> {
        let fixed = match self {
            Self::Syntax { .. } => return None,
            Self::NotWhole { written, .. } => return as_whole(*written),
            Self::Unknown { typed, known, .. } => return suggestion(typed, known),
            Self::Missing { key, meaning } => {
                let (section, name) = key.split_once('.').unwrap_or(("", key));
                let meaning = meaning.map_or(String::new(), |meaning| format!(": {meaning}"));
                return Some(format!("add `{name} = …` to [{section}]{meaning}"));
            }
            Self::Foreign { key, .. } => {
                let name = last_part(key);
                return Some(format!("remove `{name}`, or set model.kind to what it belongs to"));
            }
            Self::NotOfKind { known, .. } => {
                let known: Vec<String> = known.iter().map(|name| format!("\"{name}\"")).collect();
                return Some(format!("it has {}", known.join(", ")));
            }
            Self::NotOfOptimizer { users, .. } => {
                return Some(format!("remove it, or choose one of: {}", users.join(", ")));
            }
            Self::OutOfRange { meaning, .. } => meaning,
            Self::Untrainable { .. } => return None,
            Self::Zero { .. } => "write 1 or more",
            Self::NoShare { .. } => {
                "a fraction such as 0.05 is a share of the run, an integer such as 400 a number of \
                 steps"
            }
            Self::Conflict { mend, .. } => mend,
            Self::NoSwitch { .. } => {
                "write 1 (held) or 0 (not held); a file may leave decay.lambda out"
            }
            Self::HeldVector { .. } => {
                "decay.policy = \"matrices\" holds hidden matrices and the head; an override of 0 \
                 leaves a tensor free"
            }
            Self::HeldAtZero { path } => {
                return Some(format!(
                    "start it at other weights, or leave it free: [decay.overrides] \"{path}\" = 0"
                ));
            }
            Self::Overshoot { rule, .. } => {
                return Some(format!("lower optim.lr or λ: here {}", rule.equation()));
            }
            Self::TooFewData { available, needed_epochs, .. } => {
                return Some(format!(
                    "set run.steps = {available}, or ask for repetition with data.epochs = \
                     {needed_epochs}"
                ));
            }
            Self::Vocabulary { .. } => {
                "leave model.vocabulary out, or prepare the corpus with the model's tokenizer"
            }
            Self::Weights { .. } => {
                "it has to be an exported file, or a checkpoint's model.safetensors, of a model of \
                 this shape"
            }
            Self::Pace { .. } => {
                "it has to be the directory of a finished run of this model with λ > 0, of at \
                 least as many steps"
            }
            Self::Optimizer { .. } => {
                "mend [optim], decay.rule or decay.cautious, which do not go together"
            }
            Self::TooLarge { .. } => {
                "lower the sizes in [model], or the samples a step in [data]; an optimizer other \
                 than Adam keeps less"
            }
            Self::Model(_) => "mend the [model] section",
            Self::Policy(_) | Self::RateOverride(_) => {
                "a pattern is matched against the paths of the tensors in the plan"
            }
            Self::Schedule { source: DecayError::InvalidFloor { .. }, .. } => {
                "what rises, or falls and rises, is drawn through points, each a share of the run \
                 with a factor on the peak: kind = \"points\" and points = [[0.0, 0.1], [1.0, 1.0]]"
            }
            Self::Schedule { .. } => "its lengths are steps, or shares of run.steps",
            Self::Data { source: ImageError::File(file), .. } if file.is_not_found() => {
                "a relative path starts in the current folder"
            }
            Self::Data { source: ImageError::SameImages { .. }, .. } => {
                "other images to test on are data.test"
            }
            Self::Data { .. } => return None,
        };
        Some(fixed.to_owned())
    }
}

/// What a count is, in a message.
const WHOLE_NUMBER: &str = "a whole number";

/// A parser's message, with kinds of numbers in words.
fn without_types_of_the_program(message: &str) -> String {
    let Some((before, expected)) = message.rsplit_once("expected ") else {
        return message.to_owned();
    };
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" | "i32" | "i64" => WHOLE_NUMBER,
        "f32" | "f64" => "a number",
        other => other,
    };
    format!("{before}expected {expected}")
}

/// `1000` for a 1000.0 or 1e3; nothing where the number is no count at all.
fn as_whole(written: f64) -> Option<String> {
    if written >= i64::MAX as f64 {
        return Some(format!("the largest whole number is {}", i64::MAX));
    }
    let is_count = written >= 0.0 && written.fract() == 0.0;
    is_count.then(|| format!("write it as a whole number: {written}"))
}

fn last_part(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

fn instead_of(instead: Option<&str>) -> String {
    instead.map_or(String::new(), |instead| format!("; {instead}"))
}

/// How a schedule of any other shape is written.
const POINTS: &str = "kind = \"points\" with points = [[0.0, 1.0], [0.5, 0.1], [1.0, 0.5]]";

/// What people write, in any section, for a key of another name or section.
const OTHER_NAMES: [(&str, &str); 20] = [
    ("piecewise", POINTS),
    ("multistep", POINTS),
    ("step", POINTS),
    ("onecycle", POINTS),
    ("weight_decay", "decay.lambda"),
    ("wd", "decay.lambda"),
    ("lambda", "decay.lambda"),
    ("learning_rate", "optim.lr"),
    ("lr", "optim.lr"),
    ("betas", "optim.beta1 and optim.beta2"),
    ("eps", "optim.epsilon"),
    ("grad_clip", "optim.clip"),
    ("optimizer", "optim.kind"),
    ("batch_size", "data.batch for images, data.sequences for text"),
    ("label_smoothing", "model.label_smoothing"),
    ("epochs", "data.epochs"),
    ("steps", "run.steps"),
    ("seed", "run.seed"),
    ("warmup", "schedule.warmup"),
    ("dropout", "model.dropout"),
];

/// Where the key is, the name that is nearest to what was typed, or all that there are.
fn suggestion(typed: &str, known: &[String]) -> Option<String> {
    if let Some((_, key)) = OTHER_NAMES.iter().find(|(name, _)| *name == typed) {
        return Some(format!("it is {key} here"));
    }
    let nearest = known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(&typed.to_lowercase(), candidate), candidate))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.7);
    match nearest {
        Some((_, candidate)) => Some(format!("did you mean `{candidate}`?")),
        None if known.is_empty() => None,
        None => Some(format!("known here: {}", known.join(", "))),
    }
}
