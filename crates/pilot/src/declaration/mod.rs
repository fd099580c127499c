//! The study file: a command, the axes that vary, what its settings and curves mean.
//!
//! Read once and checked at the door: a declaration that exists can be run.

pub mod example;
mod raw;
mod template;
pub mod wandb_sweep;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wd_import::{Format, RoleOptions};
use wd_lab::{Axis, TrainingLoss};
use wd_statistics::LookRule;

use crate::PilotError;
pub(crate) use raw::StopSignal;
use raw::{Raw, RawLooks, RawMetrics, RawRule};
pub(crate) use template::Template;
use template::{PLACES, PREVIOUS};

/// The name of the study file in its folder.
pub const FILE: &str = "study.toml";

/// Where the numbers of a trial come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The first of all that follow which has the deciding curve.
    Auto,
    /// A run directory of this program.
    RunDirectory,
    /// JSON lines, on standard output or in `$WD_METRICS`.
    Lines,
    /// What another program's logger left in the trial's folder.
    Files(Format),
    /// The trial's log, by regular expressions.
    Log,
}

/// Which curves decide, and where they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Metrics {
    /// Where the numbers come from.
    pub source: Source,
    /// Regular expressions for the log.
    pub regex: Vec<String>,
    /// The curve that is the training loss.
    pub train: Option<String>,
    /// What that training loss is.
    pub train_is: Option<TrainingLoss>,
    /// The curve that is the validation loss.
    pub validation: Option<String>,
    /// The step that the deciding curve must reach.
    pub last_step: Option<u64>,
    /// See [`wd_lab::Recording::pair_tolerance`].
    pub pair_tolerance: Option<f64>,
}

/// What a trial may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Failures after which a trial is left alone.
    pub attempts: usize,
    /// The longest that one attempt may take.
    pub time: Option<Duration>,
    /// Between the request to end and the end by force.
    pub grace: Duration,
    /// Between two signs of life of a pilot.
    pub heartbeat: Duration,
    /// Cores of a slot.
    pub cores: usize,
    /// Bytes that a trial needs.
    pub memory: Option<u64>,
}

/// How the study is looked at while it grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Looks {
    /// The rule.
    pub rule: LookRule,
    /// The λ that the others are compared with.
    pub baseline: f64,
}

/// A study file that was read and checked.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// The title.
    pub title: String,
    /// The words of the command.
    pub(crate) command: Vec<Template>,
    /// Words that are appended where an earlier attempt left what they name.
    pub(crate) resume: Vec<Template>,
    /// The folder in which it starts.
    pub(crate) folder: Template,
    /// How it is asked to end.
    pub(crate) stop_signal: StopSignal,
    /// The axes: their keys and values, in the order of the file.
    pub(crate) axes: Vec<(String, Axis)>,
    /// The setting that is λ.
    pub lambda: String,
    /// The setting that is the peak learning rate.
    pub rate: Option<String>,
    /// The setting that is the seed.
    pub seed: Option<String>,
    /// Where the numbers are.
    pub metrics: Metrics,
    /// What a trial may take.
    pub limits: Limits,
    /// Further variables of the environment.
    pub(crate) environment: Vec<(String, Template)>,
    /// Files whose contents belong to the identity of every trial.
    pub(crate) inputs: Vec<PathBuf>,
    /// The sequential rule, where one was declared.
    pub looks: Option<Looks>,
}

impl Declaration {
    /// Reads `study.toml` in a folder.
    ///
    /// # Errors
    /// [`PilotError::Io`], [`PilotError::Toml`] and [`PilotError::Declaration`], which name the key
    /// and the fix.
    pub fn read(root: &Path) -> Result<Self, PilotError> {
        let path = root.join(FILE);
        let text = fs::read_to_string(&path).map_err(PilotError::io("read", &path))?;
        Declaration::parse(&path, &text)
    }

    /// The same of a text that stands, or will stand, at `path`.
    ///
    /// # Errors
    /// As [`Declaration::read`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, PilotError> {
        let raw: Raw = toml::from_str(text).map_err(|error| PilotError::Toml {
            path: path.to_owned(),
            problem: error.to_string().trim_end().to_owned(),
        })?;
        let door = Door { path };
        let root = path.parent().unwrap_or(Path::new("."));
        let axes = door.axes(&raw.axes)?;
        for (role, key) in [
            ("lambda", Some(&raw.roles.lambda)),
            ("rate", raw.roles.rate.as_ref()),
            ("seed", raw.roles.seed.as_ref()),
        ] {
            let Some(key) = key else { continue };
            door.role(&axes, role, key)?;
        }
        let environment = raw
            .environment
            .iter()
            .map(|(name, value)| Ok((name.clone(), door.template("environment", value)?)))
            .collect::<Result<Vec<_>, PilotError>>()?;
        let declaration = Declaration {
            title: raw.title.unwrap_or_else(|| {
                root.file_name().unwrap_or_default().to_string_lossy().into_owned()
            }),
            command: door.templates("trial.command", &raw.trial.command)?,
            resume: door.templates("trial.resume", &raw.trial.resume)?,
            folder: door
                .template("trial.folder", raw.trial.folder.as_deref().unwrap_or("{dir}"))?,
            stop_signal: raw.trial.stop_signal,
            axes,
            lambda: raw.roles.lambda,
            rate: raw.roles.rate,
            seed: raw.roles.seed,
            metrics: door.metrics(raw.metrics)?,
            limits: door.limits(&raw.limits)?,
            environment,
            inputs: raw.inputs.files.iter().map(|file| root.join(file)).collect(),
            looks: raw.looks.map(|looks| door.looks(&looks)).transpose()?,
        };
        door.placeholders(&declaration)?;
        door.words(&declaration, root)?;
        if let Some(looks) = &declaration.looks {
            let mut lambdas = declaration.axes.iter().filter(|(key, _)| *key == declaration.lambda);
            let is_there = lambdas.any(|(_, axis)| {
                axis.settings().iter().any(|setting| setting.number() == Some(looks.baseline))
            });
            if !is_there {
                let problem = format!("looks.baseline: no trial has λ = {}", looks.baseline);
                return Err(door.refuse(problem, "name a value of the axis of λ"));
            }
        }
        if declaration.looks.is_some() && declaration.seed.is_none() {
            return Err(door.refuse(
                "[looks] compares pairs of seeds, and roles.seed names none",
                "name the axis of the seed",
            ));
        }
        Ok(declaration)
    }

    /// What the names of its curves and settings mean.
    pub(crate) fn roles(&self) -> RoleOptions {
        RoleOptions {
            lambda_from: Some(self.lambda.clone()),
            rate_from: self.rate.clone(),
            seed_from: self.seed.clone(),
            train: self.metrics.train.clone(),
            validation: self.metrics.validation.clone(),
            train_is: self.metrics.train_is,
            pair_tolerance: self.metrics.pair_tolerance,
            ignore: Vec::new(),
        }
    }
}

/// The checks at the door; each error names the file.
struct Door<'a> {
    path: &'a Path,
}

impl Door<'_> {
    fn refuse(&self, problem: impl Into<String>, fix: impl Into<String>) -> PilotError {
        let (path, problem, fix) = (self.path.to_owned(), problem.into(), fix.into());
        PilotError::Declaration { path, problem, fix }
    }

    fn template(&self, key: &str, word: &str) -> Result<Template, PilotError> {
        Template::parse(word).map_err(|problem| {
            self.refuse(format!("{key}: {problem}"), "a brace itself is written {{ or }}")
        })
    }

    fn templates(&self, key: &str, words: &[String]) -> Result<Vec<Template>, PilotError> {
        words.iter().map(|word| self.template(key, word)).collect()
    }

    /// The axes; a table within the table is a part of their keys.
    fn axes(&self, table: &toml::Table) -> Result<Vec<(String, Axis)>, PilotError> {
        let mut axes: Vec<(String, Axis)> = Vec::new();
        let mut product = 1_usize;
        let mut waiting: Vec<(String, &toml::Value)> =
            table.iter().rev().map(|(key, value)| (key.clone(), value)).collect();
        while let Some((key, value)) = waiting.pop() {
            let text = match value {
                toml::Value::Table(inner) => {
                    let inner = inner.iter().rev();
                    waiting.extend(inner.map(|(part, value)| (format!("{key}.{part}"), value)));
                    continue;
                }
                toml::Value::Array(values) => {
                    values.iter().map(toml::Value::to_string).collect::<Vec<_>>().join(",")
                }
                toml::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            // An axis `seed` that is the seed means the same either way.
            let is_taken = key != "seed" && PLACES.iter().any(|(name, _)| *name == key);
            if is_taken || key == PREVIOUS {
                let means = PLACES.iter().find(|(name, _)| *name == key).map(|(_, what)| *what);
                let means = means.unwrap_or("the folder of the attempt that is continued");
                let problem = format!("axes.`{key}`: {{{key}}} is {means}");
                return Err(self.refuse(problem, "give the axis another name"));
            }
            if axes.iter().any(|(known, _)| *known == key) {
                let fix = "write all its values in one list";
                return Err(self.refuse(format!("axes.`{key}` is there twice"), fix));
            }
            let name = toml_edit::Key::new(key.as_str());
            let axis: Axis = format!("{}={text}", name.display_repr()).parse().map_err(
                |error: wd_lab::LabError| self.refuse(format!("axes: {error}"), EXAMPLE),
            )?;
            product = product.saturating_mul(axis.settings().len());
            axes.push((key, axis));
        }
        if axes.is_empty() {
            return Err(self.refuse("[axes] is empty", EXAMPLE));
        }
        if product > wd_lab::grid::MOST_TRIALS {
            return Err(self.refuse(
                format!("the axes make more than {} trials", wd_lab::grid::MOST_TRIALS),
                "take fewer values or split the study",
            ));
        }
        Ok(axes)
    }

    /// A role is played by an axis, and its values are numbers.
    fn role(&self, axes: &[(String, Axis)], role: &str, key: &str) -> Result<(), PilotError> {
        let Some((_, axis)) = axes.iter().find(|(known, _)| known == key) else {
            let known: Vec<&str> = axes.iter().map(|(key, _)| key.as_str()).collect();
            return Err(self.refuse(
                format!("roles.{role}: `{key}` is no axis"),
                format!("the axes are {}{}", known.join(", "), meant(key, &known)),
            ));
        };
        for setting in axis.settings() {
            let is_right = match role {
                "seed" => setting.value().parse::<u64>().is_ok(),
                _ => setting.value().parse::<f64>().is_ok_and(f64::is_finite),
            };
            if !is_right {
                let (what, named) = match role {
                    "seed" => ("whole number", "seed"),
                    "rate" => ("number", "learning rate"),
                    _ => ("number", "λ of the study"),
                };
                return Err(self.refuse(
                    format!(
                        "axes.`{key}`: `{}` is no {what}, and it is the {named}",
                        setting.value()
                    ),
                    EXAMPLE,
                ));
            }
        }
        Ok(())
    }

    /// Every placeholder is known, and every axis reaches the program.
    fn placeholders(&self, declaration: &Declaration) -> Result<(), PilotError> {
        let keys: Vec<&str> = declaration.axes.iter().map(|(key, _)| key.as_str()).collect();
        let mut known = keys.clone();
        known.extend(PLACES.iter().map(|(name, _)| *name));
        let command = declaration.command.iter().chain([&declaration.folder]);
        let environment = declaration.environment.iter().map(|(_, word)| word);
        let words: Vec<&Template> = command.chain(environment).collect();
        let resume: Vec<&Template> = declaration.resume.iter().collect();
        for (words, may_go_back) in [(&words, false), (&resume, true)] {
            for word in words {
                for name in word.placeholders() {
                    let is_back = name == PREVIOUS && may_go_back;
                    let is_seed = name == "seed" && declaration.seed.is_none();
                    if !is_back && (!known.contains(&name) || (is_seed && !keys.contains(&"seed")))
                    {
                        let also: Vec<&str> = PLACES.iter().map(|(name, _)| *name).collect();
                        return Err(self.refuse(
                            format!("`{}`: no axis is called `{name}`", word.written()),
                            format!(
                                "the axes are {}; there are also {}, and in `resume` {PREVIOUS}{}",
                                keys.join(", "),
                                also.join(", "),
                                meant(name, &known)
                            ),
                        ));
                    }
                }
            }
        }
        let reads = |key: &str| {
            words.iter().flat_map(|word| word.placeholders()).any(|name| {
                let is_the_seed = name == "seed" && declaration.seed.as_deref() == Some(key);
                name == key || name == "settings" || is_the_seed
            })
        };
        match keys.iter().find(|key| !reads(key)) {
            None => Ok(()),
            Some(key) => Err(self.refuse(
                format!("axes.`{key}` does not reach the program"),
                format!(
                    "write {{{key}}} into the command or the environment, or {{settings}}, a JSON \
                     file with all of them"
                ),
            )),
        }
    }

    /// The command can start: trials start in folders of their own.
    fn words(&self, declaration: &Declaration, root: &Path) -> Result<(), PilotError> {
        let Some(program) = declaration.command.first() else {
            return Err(self.refuse(
                "trial.command is empty",
                "write command = [\"python\", \"{home}/train.py\", …]",
            ));
        };
        if program.written().is_empty() {
            return Err(self.refuse("the first word of trial.command is empty", "name a program"));
        }
        for (index, word) in declaration.command.iter().enumerate() {
            let written = word.written();
            let is_relative = !written.starts_with(['/', '{', '-']) && !written.is_empty();
            let is_path = index == 0 && written.contains('/');
            if is_relative && (is_path || (index > 0 && root.join(written).is_file())) {
                return Err(self.refuse(
                    format!(
                        "trial.command: `{written}` is a file beside the study file, and \
                             trials start in folders of their own"
                    ),
                    format!("write {{home}}/{written}"),
                ));
            }
        }
        for file in &declaration.inputs {
            if !file.is_file() {
                return Err(self.refuse(
                    format!("inputs.files: there is no file {}", file.display()),
                    "name files beside the study file, or by their whole path",
                ));
            }
        }
        Ok(())
    }

    fn metrics(&self, raw: RawMetrics) -> Result<Metrics, PilotError> {
        let source = match raw.from.as_deref() {
            None | Some("auto") if !raw.regex.is_empty() => Source::Log,
            None | Some("auto") => Source::Auto,
            Some("wd") => Source::RunDirectory,
            Some("jsonl") => Source::Lines,
            Some("regex") => Source::Log,
            Some(word) => match Format::ALL.iter().find(|(_, known)| *known == word) {
                Some((format, _)) => Source::Files(*format),
                None => {
                    let known: Vec<&str> = Format::ALL.iter().map(|(_, word)| *word).collect();
                    return Err(self.refuse(
                        format!("metrics.from: `{word}` is not known"),
                        format!(
                            "it is auto, wd, regex, {}{}",
                            known.join(", "),
                            meant(word, &known)
                        ),
                    ));
                }
            },
        };
        if !raw.regex.is_empty() && source != Source::Log {
            return Err(self.refuse(
                "metrics.regex is for the log, and metrics.from names another source",
                "write from = \"regex\", or leave `regex` out",
            ));
        }
        wd_import::formats::text::compile(&raw.regex)?;
        if raw.pair_tolerance.is_some_and(|tolerance| !(0.0..1.0).contains(&tolerance)) {
            return Err(self.refuse("metrics.pair_tolerance is no share below 1", "write 1e-6"));
        }
        Ok(Metrics {
            source,
            regex: raw.regex,
            train: raw.train,
            train_is: raw.train_is,
            validation: raw.validation,
            last_step: raw.last_step,
            pair_tolerance: raw.pair_tolerance,
        })
    }

    fn limits(&self, raw: &raw::RawLimits) -> Result<Limits, PilotError> {
        let seconds = |key: &str, seconds: f64| {
            Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero()).ok_or_else(
                || self.refuse(format!("limits.{key}: {seconds} is no time"), "write 30"),
            )
        };
        for (key, count) in [("attempts", raw.attempts), ("cores", raw.cores)] {
            if count == 0 {
                return Err(self.refuse(format!("limits.{key} is 0"), "write 1 or more"));
            }
        }
        let memory = match raw.memory_gigabytes {
            Some(size) if size > 0.0 && size < 1e9 => Some((size * 1e9) as u64),
            Some(size) => {
                let problem = format!("limits.memory_gigabytes: {size} is no size");
                return Err(self.refuse(problem, "write 4.0"));
            }
            None => None,
        };
        Ok(Limits {
            attempts: raw.attempts,
            time: raw.seconds.map(|time| seconds("seconds", time)).transpose()?,
            grace: seconds("grace_seconds", raw.grace_seconds)?,
            heartbeat: seconds("heartbeat_seconds", raw.heartbeat_seconds)?,
            cores: raw.cores,
            memory,
        })
    }

    fn looks(&self, raw: &RawLooks) -> Result<Looks, PilotError> {
        let rule = match (raw.rule, raw.seeds) {
            (RawRule::Capped, Some(seeds)) if seeds >= wd_statistics::sequential::FIRST_LOOK => {
                LookRule::Capped(seeds)
            }
            (RawRule::Capped, _) => {
                return Err(self.refuse(
                    "looks: the capped rule needs its largest number of seeds, at least 3",
                    "write seeds = 12",
                ));
            }
            (RawRule::Anytime, None) => LookRule::Anytime,
            (RawRule::Anytime, Some(_)) => {
                let fix = "leave `seeds` out, or write rule = \"capped\"";
                return Err(self.refuse("looks: the anytime rule has no largest number", fix));
            }
        };
        Ok(Looks { rule, baseline: raw.baseline.unwrap_or(0.0) })
    }
}

const EXAMPLE: &str = "write for example lambda = \"0,0.1\", lr = [1e-3, 3e-3] or seed = \"0..3\"";

/// What was meant, where a known word is near.
fn meant(word: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|known| (strsim::jaro_winkler(word, known), known))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((likeness, known)) if likeness > 0.85 => format!("; did you mean {known}?"),
        _ => String::new(),
    }
}

/// The values of each placeholder that is the same in every attempt of a trial: its axes and seed.
pub(crate) fn of_settings(
    declaration: &Declaration,
    settings: &[(String, String)],
) -> BTreeMap<String, String> {
    let mut values: BTreeMap<String, String> = settings.iter().cloned().collect();
    let seed = declaration.seed.as_ref().and_then(|key| values.get(key).cloned());
    if let Some(seed) = seed {
        values.entry("seed".to_owned()).or_insert(seed);
    }
    values
}
