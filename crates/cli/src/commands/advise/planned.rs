//! The planned run, from options or from a configuration.

use std::path::Path;

use clap::Args;
use wd_advise::PlannedRun;
use wd_conventions::{ConventionError, Quantity, RunDeclaration};
use wd_decay::{DecayRule, Declared, OptimizerKind, Run, Unit};
use wd_page::words::quoted;
use wd_train::RunPlan;

use crate::{commands::train::read_config, diagnostics::CommandError};

/// What is known of the planned run.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Parameters of the model
    #[arg(long, value_name = "N")]
    params: Option<String>,

    /// Tokens trained on in all, repetitions included
    #[arg(long, value_name = "N", conflicts_with = "images")]
    tokens: Option<String>,

    /// Distinct training images, for a vision model
    #[arg(long, value_name = "N")]
    images: Option<String>,

    /// Passes over the data [default: 1]
    #[arg(long, value_name = "N")]
    epochs: Option<String>,

    /// Distinct tokens there are to train on
    #[arg(long, value_name = "N", alias = "data", conflicts_with = "images")]
    dataset_size: Option<String>,

    /// Tokens (or images) a step; 512seq with --context
    #[arg(long, value_name = "N")]
    batch: Option<String>,

    /// Tokens in a sequence, where a batch or a size is in sequences
    #[arg(long, value_name = "N")]
    context: Option<String>,

    /// Batches whose gradients make one step
    #[arg(long, value_name = "N")]
    accumulation: Option<String>,

    /// Devices, each of which has a batch of its own
    #[arg(long, value_name = "N")]
    devices: Option<String>,

    /// Optimizer steps
    #[arg(long, value_name = "N")]
    steps: Option<String>,

    /// Peak learning rate
    #[arg(long, value_name = "RATE")]
    lr: Option<String>,

    /// Learning-rate schedule: cosine:0.1 (to 10 % of the peak), linear, wsd,decay=20%,
    /// inverse-sqrt, constant
    #[arg(long, value_name = "KIND:FLOOR")]
    schedule: Option<String>,

    /// adamw, adam, sgd, lion or muon [default: adamw]
    #[arg(long, value_name = "NAME")]
    optimizer: Option<String>,

    /// Width of the model
    #[arg(long, value_name = "N")]
    width: Option<String>,

    /// Width of a smaller model on which λ was tuned
    #[arg(long, value_name = "N")]
    base_width: Option<f64>,

    /// The λ (of torch.AdamW) that was best there
    #[arg(long, value_name = "λ")]
    base_lambda: Option<f64>,

    /// Tokens that model was trained on in all: says which law of width applies
    #[arg(long, value_name = "N")]
    base_tokens: Option<String>,

    /// Training starts from weights that were trained before
    #[arg(long)]
    fine_tune: bool,
}

/// A planned run, and what its answer needs beside it.
pub(super) struct Planned {
    /// The run as the laws see it.
    pub(super) planned: PlannedRun,
    /// Rate, schedule and length, as a setting of a library needs them.
    pub(super) run: Run,
    /// How `wd sweep` begins: the configuration, and settings that give λ the meaning it has here.
    pub(super) sweep: Vec<String>,
    /// λ of the configuration and its rule.
    pub(super) configured: Option<(f64, DecayRule)>,
}

impl Options {
    /// The options as `wd explain` has a run: key=value.
    pub(super) fn words(&self) -> Result<Vec<String>, CommandError> {
        let unit = if self.images.is_some() { Unit::Image } else { Unit::Token };
        let data = self.images.as_ref().or(self.dataset_size.as_ref());
        let of_unit = |text: Option<&String>| text.map(|text| counted(text, unit)).transpose();
        let given = [
            ("params", self.params.clone()),
            ("tokens", self.tokens.clone()),
            ("epochs", self.epochs.clone()),
            ("data", of_unit(data)?),
            ("batch", of_unit(self.batch.as_ref())?),
            ("context", self.context.clone()),
            ("accumulation", self.accumulation.clone()),
            ("devices", self.devices.clone()),
            ("steps", self.steps.clone()),
            ("lr", self.lr.clone()),
            ("schedule", self.schedule.clone()),
            ("optimizer", self.optimizer.clone()),
            ("width", self.width.clone()),
        ];
        let mut words: Vec<String> =
            given.into_iter().filter_map(|(key, text)| Some(format!("{key}={}", text?))).collect();
        // Images without epochs are seen once.
        if self.images.is_some() && self.epochs.is_none() && self.steps.is_none() {
            words.push("epochs=1".to_owned());
        }
        Ok(words)
    }

    /// The run as `wd explain` has it: the same keys, with the same meanings; `fine_tunes` where it
    /// is known to start from trained weights.
    pub(super) fn of_words(
        &self,
        words: &[String],
        fine_tunes: bool,
    ) -> Result<Planned, CommandError> {
        let pairs = words.iter().map(|word| word.split_once('='));
        let pairs: Option<Vec<(&str, &str)>> = pairs.collect();
        let Some(pairs) = pairs else {
            return Err(CommandError::usage(
                format!("`{}` is neither a configuration nor key=value", words.join(" ")),
                "a run in words: wd advise params=124M tokens=10B batch=0.5M lr=6e-4",
            ));
        };
        let is_of_images = pairs.iter().any(|(key, _)| *key == "images");
        let unit = if is_of_images { Unit::Image } else { Unit::Token };
        let mut declaration = RunDeclaration::default();
        let mut optimizer = None;
        for (key, value) in pairs {
            match key {
                "lr" => {
                    let rate: Quantity = value.parse()?;
                    declaration.peak_learning_rate = Some(Declared::stated(rate.value));
                }
                "optimizer" => optimizer = Some(value),
                "batch" | "data" => declaration.set(key, &counted(value, unit)?)?,
                _ => declaration.set(key, value)?,
            }
        }
        self.of_declaration(declaration, optimizer, fine_tunes)
    }

    fn of_declaration(
        &self,
        declaration: RunDeclaration,
        optimizer: Option<&str>,
        fine_tunes: bool,
    ) -> Result<Planned, CommandError> {
        let run = declaration.resolve()?;
        let optimizer = optimizer.map_or(Ok(OptimizerKind::Adamw), str::parse);
        let planned = PlannedRun {
            optimizer: optimizer.map_err(ConventionError::from)?,
            fine_tuning: self.fine_tune || fine_tunes,
            ..PlannedRun::new(&run)?
        };
        let planned = self.beside_a_smaller_model(planned)?.checked()?;
        let sweep = vec!["wd sweep CONFIG.toml".to_owned()];
        Ok(Planned { planned, run, sweep, configured: None })
    }

    /// The run of a configuration of this program, which says everything of the run itself.
    pub(super) fn of_config(&self, path: &Path, set: &[String]) -> Result<Planned, CommandError> {
        if let Some(word) = self.words()?.first() {
            let (key, _) = word.split_once('=').unwrap_or((word, ""));
            return Err(CommandError::usage(
                format!("{} says what --{key} would say", path.display()),
                "change a configuration with --set, for example --set optim.lr=3e-3",
            ));
        }
        let plan = RunPlan::new(read_config(path, set)?)?;
        let record = &plan.record;
        let run = Run {
            schedule: Some(plan.schedule),
            steps: Some(record.steps),
            unit: plan.unit(),
            batch: Some(record.samples_per_step as f64),
            total: Some((record.steps * record.samples_per_step) as f64),
            data_points: Some(record.training_samples as f64),
            epochs: Some(record.epochs),
            parameters: Some(record.parameters),
            width: plan.model.width().map(|width| width as u64),
            ..Run::at_peak(record.peak_learning_rate)
        };
        let planned = PlannedRun {
            optimizer: record.optimizer,
            fine_tuning: self.fine_tune || plan.init_from.is_some(),
            ..PlannedRun::new(&run)?
        };
        // λ of the answer is that of decoupled decay, and the axis of the sweep is λ.
        let same_peak = matches!(plan.rule(), DecayRule::Decoupled | DecayRule::Corrected);
        let kept = |change: &&String| {
            !change.starts_with("decay.lambda=")
                && (same_peak || !change.starts_with("decay.rule="))
        };
        let mut sweep = vec![format!("wd sweep {}", quoted(&path.display().to_string()))];
        sweep.extend(set.iter().filter(kept).map(|change| quoted(change)));
        sweep.extend((!same_peak).then(|| "decay.rule=decoupled".to_owned()));
        Ok(Planned {
            planned: self.beside_a_smaller_model(planned)?.checked()?,
            configured: Some((record.lambda, plan.rule())),
            run,
            sweep,
        })
    }

    fn beside_a_smaller_model(&self, run: PlannedRun) -> Result<PlannedRun, ConventionError> {
        let base_total = match &self.base_tokens {
            Some(text) => Some(text.parse::<Quantity>()?.value),
            None => None,
        };
        Ok(PlannedRun {
            base_width: self.base_width,
            base_lambda: self.base_lambda,
            base_total,
            ..run
        })
    }
}

/// An amount of data in `unit` where it was typed without one.
fn counted(text: &str, unit: Unit) -> Result<String, ConventionError> {
    let quantity: Quantity = text.parse()?;
    Ok(match quantity.unit {
        Some(_) => text.to_owned(),
        None => format!("{text}{unit}"),
    })
}
