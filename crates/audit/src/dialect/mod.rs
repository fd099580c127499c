//! What a configuration declares, read as its trainer reads it: nanoGPT, Hugging Face, OLMo …
//!
//! A configuration is text ([`read`]) or lies in a checkpoint ([`read_value`]). Each trainer is a
//! file of its own with one `Dialect`: its name, how its configurations are told from others, and
//! how λ and what it is multiplied with are read from them, scaled as the trainer scales and with
//! the trainer's defaults where keys are absent. To add a trainer is to add a file and a line here.
//!
//! | file | question it answers |
//! |---|---|
//! | `syntax` | which values does the text hold? |
//! | `clues` | whose configuration is it? |
//! | `reading` | what stands at a path, and which keys were looked at? |
//! | `optimizer` | what does an optimizer's name stand for? |
//! | `rate` | which learning-rate schedule do the keys describe? |
//! | `setting` | which setting of the library table is that? |
//! | `known_keys` | which keys of trainers are no slips, though nothing is read from them? |
//! | `place` | on which line does a key stand, and which rules are ignored? |
//! | one for each trainer | what does it declare? |

mod axolotl;
mod clues;
mod composer;
mod deepspeed;
mod detectron2;
mod fairseq;
mod hugging_face;
mod hugging_face_model;
mod known_keys;
mod lightning;
mod litgpt;
mod llama_factory;
mod megatron;
mod mmengine;
mod nanogpt;
mod olmo;
mod olmo_core;
mod open_clip;
mod optimizer;
mod place;
mod rate;
mod reading;
mod setting;
mod syntax;
mod timm;
mod torchtitan;
mod torchtune;
mod ultralytics;
mod unknown;
mod wd;

use std::path::{Path, PathBuf};

use serde::Serialize;
use wd_decay::{Declared, OptimizerKind, Schedule};
use wd_page::number::count;

use crate::AuditError;
use crate::checkpoint::Value;
use clues::Clues;
pub use reading::Misspelling;
pub(crate) use reading::sounds_like_decay;
use reading::{Reading, last};

/// How the configurations of one trainer are recognised and read.
pub(crate) struct Dialect {
    /// The trainer.
    name: &'static str,
    /// How sure it is that the values are this trainer's: 0 is not at all.
    matches: fn(&Clues) -> usize,
    /// What they declare.
    read: fn(&Reading) -> Declaration,
}

/// All dialects; of several that are equally sure the first one reads.
static DIALECTS: [&Dialect; 21] = [
    &nanogpt::DIALECT,
    &llama_factory::DIALECT,
    &axolotl::DIALECT,
    &hugging_face::DIALECT,
    &olmo_core::DIALECT,
    &olmo::DIALECT,
    &megatron::DIALECT,
    &torchtitan::DIALECT,
    &litgpt::DIALECT,
    &timm::DIALECT,
    &torchtune::DIALECT,
    &mmengine::DIALECT,
    &detectron2::DIALECT,
    &ultralytics::DIALECT,
    &deepspeed::DIALECT,
    &composer::DIALECT,
    &open_clip::DIALECT,
    &fairseq::DIALECT,
    &lightning::DIALECT,
    &hugging_face_model::DIALECT,
    &wd::DIALECT,
];

/// The names of all trainers whose configurations are read.
pub fn names() -> impl Iterator<Item = &'static str> {
    DIALECTS.iter().map(|dialect| dialect.name)
}

/// What a configuration file declares.
///
/// The extension chooses the syntax, or the content where it says nothing; the keys choose the
/// dialect. Keys of no known trainer are searched for λ under the names that people give it, and
/// the dialect is then called `unknown`.
///
/// # Errors
/// If the text is of no known syntax, or holds no key of any trainer and none of weight decay.
///
/// # Example
/// ```
/// use std::path::Path;
/// use wd_audit::dialect::read;
///
/// let text = "max_iters = 5000\nblock_size = 256\nweight_decay = 1e-1\n";
/// let declared = read(Path::new("train_shakespeare.py"), text)?;
/// assert_eq!(declared.dialect, "nanoGPT");
/// assert_eq!(declared.applied_lambda, Some(0.1));
/// # Ok::<(), wd_audit::AuditError>(())
/// ```
pub fn read(path: &Path, text: &str) -> Result<Declaration, AuditError> {
    let parsed = syntax::parse(path, text)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let clues = Clues::new(&parsed.value, name.as_deref().unwrap_or_default());
    let mut declaration = declare(&clues).ok_or_else(|| AuditError::Configuration {
        path: path.to_owned(),
        line: None,
        reason: format!(
            "its keys are those of no known trainer, and none is called weight_decay, wd or the \
             like{}; known are {}",
            unknown::slip(&Reading::new(&parsed.value)),
            names().collect::<Vec<_>>().join(", ")
        ),
    })?;
    path.clone_into(&mut declaration.file);
    let is_python = path.extension().is_some_and(|extension| extension == "py");
    declaration.line = declaration.lambda_key.as_deref().and_then(|key| {
        let assigned = is_python.then(|| place::last_line_of_name(text, key)).flatten();
        let last = || place::last_line_of_key(text, key);
        assigned.or_else(last).or_else(|| place::line_of_key(text, key))
    });
    if let Some(reason) = declaration.impossible() {
        return Err(AuditError::Configuration {
            path: path.to_owned(),
            line: declaration.line,
            reason,
        });
    }
    declaration.take_expressions(&parsed.unread);
    if let Some(key) = &declaration.lambda_key
        && let Some(remark) = place::repeated(text, key)
    {
        declaration.remarks.push(remark);
    }
    let expressions = parsed.unread.into_iter().filter(|name| reading::sounds_like_decay(name));
    declaration.unread.extend(expressions);
    declaration.ignored = place::ignored_rules(text);
    Ok(declaration)
}

/// What a configuration in a checkpoint declares; nothing if it is no trainer's.
///
/// `key` is where it lies there (`args`, `config`, `hyper_parameters` …) or the name of its class.
pub fn read_value(file: &Path, key: &str, value: &Value) -> Option<Declaration> {
    let mut declaration = match value {
        // mmengine keeps the text of its Python file.
        Value::Text(text) => {
            let parsed = syntax::python_module(text);
            declare(&Clues::new(&parsed.value, key))?
        }
        value => declare(&Clues::new(value, key))?,
    };
    file.clone_into(&mut declaration.file);
    Some(declaration)
}

/// Reads by the dialect that is surest, else by the names that people give λ.
fn declare(clues: &Clues) -> Option<Declaration> {
    let mut best: Option<(usize, &Dialect)> = None;
    for &dialect in &DIALECTS {
        let sure = (dialect.matches)(clues);
        if sure > best.map_or(0, |(sure, _)| sure) {
            best = Some((sure, dialect));
        }
    }
    let reading = Reading::new(clues.value);
    let mut declaration = match best {
        Some((_, dialect)) => Declaration { dialect: dialect.name, ..(dialect.read)(&reading) },
        None => unknown::read(&reading)?,
    };
    if declaration.applied_lambda.is_none() {
        declaration.applied_lambda = declaration.lambda.map(|lambda| lambda.value);
    }
    // `auto` is filled in by another program, and there is no λ of its own then.
    let is_left_open = reading.word("optimizer.params.weight_decay").is_some_and(|w| w == "auto");
    if is_left_open {
        declaration.unread_lambda = None;
    }
    if declaration.schedule.is_none() && declaration.schedule_words.is_none() {
        declaration.named_schedule = reading.schedule_named();
    }
    declaration.unread = reading.unread();
    declaration.misspelt = reading.misspelt();
    declaration.misspelt.retain(|slip| !known_keys::has(declaration.dialect, last(&slip.key)));
    Some(declaration)
}

/// The dialect of this project's own configurations.
pub const OWN: &str = wd::NAME;

/// The dialect of a configuration that is no known trainer's.
pub const UNKNOWN: &str = "unknown";

/// Names under which Python's configurations set λ.
const LAMBDA_OF_PYTHON: [&str; 3] = ["weight_decay", "wd", "weight_decay_rate"];

/// What a configuration says of weight decay and of what λ is multiplied with.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Declaration {
    /// The trainer whose configuration this is, for example `nanoGPT`.
    pub dialect: &'static str,
    /// The file, or the checkpoint that holds it.
    pub file: PathBuf,
    /// Line of λ, from 1, where the configuration is text.
    pub line: Option<usize>,
    /// Key of λ as written, for example `optimizer.weight_decay`.
    pub lambda_key: Option<String>,
    /// λ as written, or the trainer's default.
    pub lambda: Option<Declared>,
    /// λ as the trainer hands it to the optimizer: `lambda` times a batch over a nominal batch …
    pub applied_lambda: Option<f64>,
    /// How `applied_lambda` came from `lambda`, where they differ: one clause.
    pub scaling: Option<String>,
    /// λ at the end of the run where it follows a schedule of its own.
    pub final_lambda: Option<f64>,
    /// Peak learning rate.
    pub rate: Option<Declared>,
    /// The largest peak that tensors have of their own, where that is above `rate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub largest_rate: Option<f64>,
    /// Learning-rate schedule, where its form and length are known.
    pub schedule: Option<Schedule>,
    /// The schedule as it is typed, where its form is known and its length is not.
    #[serde(skip)]
    pub schedule_words: Option<String>,
    /// Optimizer, and whether its decay is decoupled from the gradient, as the trainer builds it.
    pub optimizer: Option<OptimizerKind>,
    /// Name of the optimizer as written.
    pub optimizer_name: Option<String>,
    /// Whether decay is decoupled.
    pub decoupled: Option<bool>,
    /// Whether the step's shrink is λ itself and not λ times the rate (Composer's, for example).
    pub is_independent_of_rate: bool,
    /// β₁ and β₂.
    pub betas: Option<(f64, f64)>,
    /// Momentum.
    pub momentum: Option<f64>,
    /// Sequences or images a step, all devices and accumulation included.
    pub batch: Option<f64>,
    /// Steps of the whole run.
    pub steps: Option<u64>,
    /// Passes over the data, where it counts these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<f64>,
    /// Whether it starts from weights that were trained before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fine_tunes: bool,
    /// What was taken for something near it, and what the keys mean for λ: a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// The schedule that is named and not read, as its key and value stand there.
    #[serde(rename = "unread_schedule", skip_serializing_if = "Option::is_none")]
    pub named_schedule: Option<String>,
    /// What λ's key holds instead of a number, in words: `a list of 3 values`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread_lambda: Option<String>,
    /// Tokens in a sequence, where the data are text.
    pub sequence: Option<f64>,
    /// Standard deviation of the initial weights (`initializer_range`).
    pub init_std: Option<f64>,
    /// λ of groups of their own, by what they hold: `norm`, `bias`, a pattern of names.
    pub groups: Vec<(String, f64)>,
    /// Weights in bf16 without a 32-bit copy, where the configuration says so.
    pub is_pure_bf16: Option<bool>,
    /// Keys near `decay`, `wd` or `l2` that were seen and not read.
    pub unread: Vec<String>,
    /// Keys that are not read, each a slip of one that is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub misspelt: Vec<Misspelling>,
    /// Rules that the configuration asks to ignore, by `# wd: ignore[S01]`.
    pub ignored: Vec<String>,
}

impl Declaration {
    /// Notes that λ is an expression: its value is then not the trainer's default, and unknown.
    fn take_expressions(&mut self, unread: &[String]) {
        let is_default = self.lambda.is_none_or(|lambda| lambda.default);
        let named = unread.iter().find(|name| LAMBDA_OF_PYTHON.contains(&name.as_str()));
        if let Some(name) = named.filter(|_| is_default) {
            self.lambda_key = Some(name.clone());
            (self.lambda, self.applied_lambda) = (None, None);
            self.unread_lambda = Some("an expression, which is not evaluated".to_owned());
        }
    }

    /// λ under the key, or the trainer's default; nothing where there is none either.
    fn set_lambda(&mut self, reading: &Reading, key: &str, default: Option<f64>) {
        let stated = reading.number(key);
        if reading.is_written(key) {
            self.lambda_key = Some(key.to_owned());
        }
        self.lambda = stated.map(Declared::stated).or(default.map(Declared::by_default));
        // What is there and is no number was not left to the trainer's default.
        self.unread_lambda = reading.at(key).filter(|_| stated.is_none()).map(reading::in_words);
        if self.unread_lambda.is_some() {
            self.lambda = None;
        }
    }

    /// Notes over how many steps the rate falls, where that is not the run.
    fn note_length(&mut self, length: Option<u64>) {
        let (Some(length), Some(steps)) = (length, self.steps) else { return };
        if length != steps {
            let what =
                if length > steps { "does not see the end of it" } else { "goes on behind it" };
            self.remarks.push(format!(
                "its learning rate falls over {} steps, and the run of {} steps {what}",
                count(length),
                count(steps)
            ));
        }
    }

    /// That a schedule is named and not read: a sentence.
    pub fn unread_schedule(&self) -> Option<String> {
        let named = self.named_schedule.as_ref()?;
        Some(format!(
            "its schedule ({named}) is not read: a constant rate is taken unless schedule=… is said"
        ))
    }

    /// What no λ and no rate can be: a clause.
    fn impossible(&self) -> Option<String> {
        let key = self.lambda_key.as_deref().unwrap_or("weight_decay");
        if let Some(what) = &self.unread_lambda {
            return Some(format!("`{key}` is {what}, and λ is one number"));
        }
        let is_negative = |number: Option<f64>| number.filter(|number| *number < 0.0);
        if let Some(lambda) = is_negative(self.lambda.map(|lambda| lambda.value)) {
            return Some(format!("`{key}` is {lambda}: λ cannot be negative"));
        }
        let rate = is_negative(self.rate.map(|rate| rate.value))?;
        Some(format!("the learning rate is {rate}, and cannot be negative"))
    }

    /// A λ of its own for what `holds` says.
    fn set_group(&mut self, holds: &str, lambda: Option<f64>) {
        if let Some(lambda) = lambda {
            self.groups.push((holds.to_owned(), lambda));
        }
    }
}
