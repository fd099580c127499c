//! The planned run, from options or from a configuration.

use std::path::Path;

use clap::Args;
use wd_advise::{Circumstances, Optimizer, PlannedRun};
use wd_conventions::ConventionError;
use wd_conventions::{Quantity, RunDeclaration};
use wd_decay::{DecayRule, Given, ScheduleKind, Unit};
use wd_page::words::quoted;
use wd_train::RunPlan;

use crate::{commands::train::read_config, diagnostics::CommandError};

/// What is known of the planned run.
#[derive(Debug, Args)]
pub(super) struct Planned {
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
    #[arg(long, value_name = "N", conflicts_with_all = ["config", "images"])]
    dataset_size: Option<String>,

    /// Tokens (or images) a step
    #[arg(long, value_name = "N", conflicts_with = "config")]
    batch: Option<String>,

    /// Optimizer steps
    #[arg(long, value_name = "N", conflicts_with = "config")]
    steps: Option<String>,

    /// Peak learning rate
    #[arg(long, value_name = "RATE", conflicts_with = "config")]
    lr: Option<f64>,

    /// Learning-rate schedule: cosine:0.1 (to 10 % of the peak), linear, wsd,decay=20%, inverse-sqrt, constant
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

    /// Training starts from weights that were trained before
    #[arg(long, conflicts_with = "config")]
    fine_tune: bool,
}

/// What the answer needs beside the run.
#[derive(Debug, Default)]
pub(super) struct Context {
    /// How `wd sweep` begins: the configuration, and settings that give λ the meaning it has here.
    pub(super) sweep: Vec<String>,
    /// Schedule and length of the run, as a setting of a library has them.
    pub(super) words: Vec<String>,
    /// λ of the configuration and its rule.
    pub(super) configured: Option<(f64, DecayRule)>,
}

impl Planned {
    /// The run that the options declare.
    pub(super) fn declared(&self) -> Result<(PlannedRun, Context), CommandError> {
        let mut declaration = RunDeclaration::default();
        let mut words = Vec::new();
        let mut declare = |key: &str, text: &str| -> Result<(), CommandError> {
            words.push(format!("{key}={text}"));
            Ok(declaration.set(key, text)?)
        };
        let unit = if self.images.is_some() { Unit::Image } else { Unit::Token };
        for (key, text) in [
            ("params", &self.params),
            ("tokens", &self.tokens),
            ("epochs", &self.epochs),
            ("steps", &self.steps),
            ("schedule", &self.schedule),
            ("width", &self.width),
        ] {
            if let Some(text) = text {
                declare(key, text)?;
            }
        }
        for (key, text) in [
            ("data", self.images.as_ref().or(self.dataset_size.as_ref())),
            ("batch", self.batch.as_ref()),
        ] {
            if let Some(text) = text {
                declare(key, &counted(text, unit)?)?;
            }
        }
        // Images without epochs are seen once.
        if self.images.is_some() && self.epochs.is_none() && self.steps.is_none() {
            declare("epochs", "1")?;
        }
        declaration.peak_learning_rate = self.lr.map(Given::typed);
        let shape = declaration.resolve()?;
        let optimizer = match &self.optimizer {
            Some(name) => name.parse()?,
            None => Optimizer::default(),
        };
        let run = PlannedRun::new(
            &shape,
            Circumstances { optimizer, fine_tuning: self.fine_tune, ..self.base() },
        )?;
        let context =
            Context { sweep: vec!["wd sweep CONFIG.toml".to_owned()], words, configured: None };
        Ok((run, context))
    }

    /// The run of a configuration.
    pub(super) fn of_config(
        &self,
        path: &Path,
        set: &[String],
    ) -> Result<(PlannedRun, Context), CommandError> {
        let plan = RunPlan::new(read_config(path, set)?)?;
        let record = &plan.record;
        let total = (record.steps * record.samples_per_step) as f64;
        let base = self.base();
        let run = PlannedRun {
            unit: plan.unit(),
            parameters: Some(record.parameters as f64),
            total,
            batch: Some(record.samples_per_step as f64),
            data_points: record.training_samples as f64,
            epochs: record.epochs,
            peak_learning_rate: Some(record.peak_learning_rate),
            schedule: Some(plan.schedule.kind),
            floor: plan.schedule.floor,
            optimizer: record.optimizer.name().parse()?,
            width: plan.model.width().map(|width| width as f64),
            base_width: base.base_width,
            base_lambda: base.base_lambda,
            fine_tuning: plan.init_from.is_some(),
        }
        .checked()?;
        // λ of the answer is that of decoupled decay, and the axis of the sweep is λ.
        let same_peak = matches!(plan.rule(), DecayRule::Decoupled | DecayRule::Corrected);
        let kept = |change: &&String| {
            !change.starts_with("decay.lambda=")
                && (same_peak || !change.starts_with("decay.rule="))
        };
        let mut sweep = vec![format!("wd sweep {}", quoted(&path.display().to_string()))];
        sweep.extend(set.iter().filter(kept).map(|change| quoted(change)));
        if !same_peak {
            sweep.push("decay.rule=decoupled".to_owned());
        }
        Ok((
            run,
            Context {
                sweep,
                words: vec![
                    format!(
                        "schedule={},warmup={},floor={}{}",
                        plan.schedule.kind,
                        plan.schedule.warmup,
                        plan.schedule.floor,
                        match plan.schedule.kind {
                            ScheduleKind::WarmupStableDecay =>
                                format!(",decay={}", plan.schedule.decay),
                            _ => String::new(),
                        }
                    ),
                    format!("steps={}", record.steps),
                    format!("batch={}{}", record.samples_per_step, record.unit.name()),
                ],
                configured: Some((record.lambda, plan.rule())),
            },
        ))
    }

    fn base(&self) -> Circumstances {
        Circumstances {
            base_width: self.base_width,
            base_lambda: self.base_lambda,
            ..Circumstances::default()
        }
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
