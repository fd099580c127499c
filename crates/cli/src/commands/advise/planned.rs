//! The planned run, from options or from a configuration.

use clap::Args;
use wd_advise::{AdviseError, Circumstances, Optimizer, PlannedRun};
use wd_decay::{DecayError, DecayRule, Given, Quantity, RunDeclaration, Unit};
use wd_train::RunPlan;

use crate::{
    commands::{sweep::quoted, train::ConfigArguments},
    diagnostics::CommandError,
};

/// What is known of the planned run.
#[derive(Debug, Args)]
pub(super) struct Planned {
    /// Parameters of the model
    #[arg(long, value_name = "N", conflicts_with = "ConfigArguments")]
    params: Option<String>,

    /// Tokens trained on in all, repetitions included
    #[arg(long, value_name = "N", conflicts_with_all = ["ConfigArguments", "images"])]
    tokens: Option<String>,

    /// Distinct training images, for a vision model
    #[arg(long, value_name = "N", conflicts_with = "ConfigArguments")]
    images: Option<String>,

    /// Passes over the data [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "ConfigArguments")]
    epochs: Option<String>,

    /// Distinct tokens there are to train on
    #[arg(long, value_name = "N", conflicts_with_all = ["ConfigArguments", "images"])]
    dataset_size: Option<String>,

    /// Tokens (or images) a step
    #[arg(long, value_name = "N", conflicts_with = "ConfigArguments")]
    batch: Option<String>,

    /// Optimizer steps
    #[arg(long, value_name = "N", conflicts_with = "ConfigArguments")]
    steps: Option<String>,

    /// Peak learning rate
    #[arg(long, value_name = "RATE", conflicts_with = "ConfigArguments")]
    lr: Option<f64>,

    /// Learning-rate schedule: cosine:0.1 (to 10 % of the peak), linear, wsd,decay=20%, inverse-sqrt, constant
    #[arg(long, value_name = "KIND:FLOOR", conflicts_with = "ConfigArguments")]
    schedule: Option<String>,

    /// adamw, adam, sgd, lion or muon [default: adamw]
    #[arg(long, value_name = "NAME", conflicts_with = "ConfigArguments")]
    optimizer: Option<String>,

    /// Width of the model
    #[arg(long, value_name = "N", conflicts_with = "ConfigArguments")]
    width: Option<String>,

    /// Width of a smaller model on which λ was tuned
    #[arg(long, value_name = "N")]
    base_width: Option<f64>,

    /// The λ (of torch.AdamW) that was best there
    #[arg(long, value_name = "λ")]
    base_lambda: Option<f64>,

    /// Training starts from weights that were trained before
    #[arg(long, conflicts_with = "ConfigArguments")]
    fine_tune: bool,
}

/// What the answer needs beside the run.
#[derive(Debug, Default)]
pub(super) struct Context {
    /// How `wd sweep` begins: the configuration, and settings that give λ the meaning it has here.
    pub(super) sweep: Vec<String>,
    /// λ of the configuration and its rule.
    pub(super) configured: Option<(f64, DecayRule)>,
}

impl Planned {
    /// The run that the options declare.
    pub(super) fn declared(&self) -> Result<(PlannedRun, Context), CommandError> {
        let mut declaration = RunDeclaration::default();
        let unit = if self.images.is_some() {
            Unit::Image
        } else {
            Unit::Token
        };
        for (key, text) in [
            ("params", &self.params),
            ("tokens", &self.tokens),
            ("epochs", &self.epochs),
            ("steps", &self.steps),
            ("schedule", &self.schedule),
            ("width", &self.width),
        ] {
            if let Some(text) = text {
                declaration.set(key, text).map_err(refused)?;
            }
        }
        for (key, text) in [
            ("data", self.images.as_ref().or(self.dataset_size.as_ref())),
            ("batch", self.batch.as_ref()),
        ] {
            if let Some(text) = text {
                declaration
                    .set(key, &counted(text, unit).map_err(refused)?)
                    .map_err(refused)?;
            }
        }
        declaration.peak_learning_rate = self.lr.map(Given::typed);
        // Images without epochs are seen once.
        if self.images.is_some() && self.epochs.is_none() && self.steps.is_none() {
            declaration.set("epochs", "1").map_err(refused)?;
        }
        let shape = declaration.resolve().map_err(refused)?;
        let optimizer = match &self.optimizer {
            Some(name) => name.parse().map_err(unplanned)?,
            None => Optimizer::default(),
        };
        let run = PlannedRun::new(
            &shape,
            Circumstances {
                optimizer,
                fine_tuning: self.fine_tune,
                ..self.base()
            },
        )
        .map_err(unplanned)?;
        let context = Context {
            sweep: vec!["wd sweep CONFIG.toml".to_owned()],
            configured: None,
        };
        Ok((run, context))
    }

    /// The run of a configuration.
    pub(super) fn of_config(
        &self,
        config: &ConfigArguments,
    ) -> Result<(PlannedRun, Context), CommandError> {
        let plan = RunPlan::new(config.read()?)?;
        let record = &plan.record;
        let total = (record.steps * record.tokens_per_step) as f64;
        let base = self.base();
        let run = PlannedRun {
            unit: Unit::Token,
            parameters: Some(record.parameters as f64),
            total,
            batch: Some(record.tokens_per_step as f64),
            data_points: record.training_tokens as f64,
            epochs: record.epochs,
            peak_learning_rate: Some(record.peak_learning_rate),
            schedule: Some(plan.schedule.kind),
            floor: plan.schedule.floor,
            optimizer: record.optimizer.parse().map_err(unplanned)?,
            width: Some(plan.model.width as f64),
            base_width: base.base_width,
            base_lambda: base.base_lambda,
            fine_tuning: plan.init_from.is_some(),
        };
        let mut sweep = vec![format!(
            "wd sweep {}",
            quoted(&config.path().display().to_string())
        )];
        sweep.extend(
            config
                .changes()
                .iter()
                .filter(|change| !change.starts_with("decay.lambda="))
                .map(|change| quoted(change)),
        );
        // λ of the answer is that of decoupled decay.
        if !matches!(plan.rule(), DecayRule::Decoupled | DecayRule::Corrected) {
            sweep.push("decay.rule=decoupled".to_owned());
        }
        Ok((
            run,
            Context {
                sweep,
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
fn counted(text: &str, unit: Unit) -> Result<String, DecayError> {
    let quantity: Quantity = text.parse()?;
    Ok(match quantity.unit {
        Some(_) => text.to_owned(),
        None => format!("{text}{unit}"),
    })
}

fn refused(error: DecayError) -> CommandError {
    CommandError::usage(error.to_string(), "`wd advise --help` has examples")
}

fn unplanned(error: AdviseError) -> CommandError {
    CommandError::usage(error.to_string(), "`wd advise --help` has examples")
}
