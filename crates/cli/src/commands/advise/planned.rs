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
    #[arg(long, value_name = "N", conflicts_with = "config")]
    params: Option<String>,

    /// Tokens trained on in all, repetitions included
    #[arg(long, value_name = "N", conflicts_with_all = ["config", "images"])]
    tokens: Option<String>,

    /// Distinct training images, for a vision model
    #[arg(long, value_name = "N", conflicts_with = "config")]
    images: Option<String>,

    /// Passes over the data [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "config")]
    epochs: Option<String>,

    /// Distinct tokens there are to train on
    #[arg(long, value_name = "N", alias = "data", conflicts_with_all = ["config", "images"])]
    dataset_size: Option<String>,

    /// Tokens (or images) a step; 512seq with --context
    #[arg(long, value_name = "N", conflicts_with = "config")]
    batch: Option<String>,

    /// Tokens in a sequence, where a batch or a size is in sequences
    #[arg(long, value_name = "N", conflicts_with = "config")]
    context: Option<String>,

    /// Batches whose gradients make one step
    #[arg(long, value_name = "N", conflicts_with = "config")]
    accumulation: Option<String>,

    /// Devices, each of which has a batch of its own
    #[arg(long, value_name = "N", conflicts_with = "config")]
    devices: Option<String>,

    /// Optimizer steps
    #[arg(long, value_name = "N", conflicts_with = "config")]
    steps: Option<String>,

    /// Peak learning rate
    #[arg(long, value_name = "RATE", conflicts_with = "config")]
    lr: Option<f64>,

    /// Learning-rate schedule: cosine:0.1 (to 10 % of the peak), linear, wsd,decay=20%,
    /// inverse-sqrt, constant
    #[arg(long, value_name = "KIND:FLOOR", conflicts_with = "config")]
    schedule: Option<String>,

    /// adamw, adam, sgd, lion or muon [default: adamw]
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    optimizer: Option<String>,

    /// Width of the model
    #[arg(long, value_name = "N", conflicts_with = "config")]
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
    #[arg(long, conflicts_with = "config")]
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
    /// The run that the options declare.
    pub(super) fn declared(&self) -> Result<Planned, CommandError> {
        let mut declaration = RunDeclaration::default();
        for (key, text) in [
            ("params", &self.params),
            ("tokens", &self.tokens),
            ("epochs", &self.epochs),
            ("steps", &self.steps),
            ("schedule", &self.schedule),
            ("width", &self.width),
            ("context", &self.context),
            ("accumulation", &self.accumulation),
            ("devices", &self.devices),
        ] {
            if let Some(text) = text {
                declaration.set(key, text)?;
            }
        }
        let unit = if self.images.is_some() { Unit::Image } else { Unit::Token };
        let data = self.images.as_ref().or(self.dataset_size.as_ref());
        for (key, text) in [("data", data), ("batch", self.batch.as_ref())] {
            if let Some(text) = text {
                declaration.set(key, &counted(text, unit)?)?;
            }
        }
        // Images without epochs are seen once.
        if self.images.is_some() && self.epochs.is_none() && self.steps.is_none() {
            declaration.set("epochs", "1")?;
        }
        declaration.peak_learning_rate = self.lr.map(Declared::stated);
        self.of_declaration(declaration, self.optimizer.as_deref())
    }

    /// The run as `wd explain` has it: the same keys, with the same meanings.
    pub(super) fn of_words(&self, words: &[String]) -> Result<Planned, CommandError> {
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
        self.of_declaration(declaration, optimizer)
    }

    fn of_declaration(
        &self,
        declaration: RunDeclaration,
        optimizer: Option<&str>,
    ) -> Result<Planned, CommandError> {
        let run = declaration.resolve()?;
        let optimizer = optimizer.map_or(Ok(OptimizerKind::Adamw), str::parse);
        let planned = PlannedRun {
            optimizer: optimizer.map_err(ConventionError::from)?,
            fine_tuning: self.fine_tune,
            ..PlannedRun::new(&run)?
        };
        let planned = self.beside_a_smaller_model(planned)?.checked()?;
        let sweep = vec!["wd sweep CONFIG.toml".to_owned()];
        Ok(Planned { planned, run, sweep, configured: None })
    }

    /// The run of a configuration.
    pub(super) fn of_config(&self, path: &Path, set: &[String]) -> Result<Planned, CommandError> {
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
            fine_tuning: plan.init_from.is_some(),
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
