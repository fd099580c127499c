//! `wd plan`: everything that follows from a configuration, without training.

use std::{fmt::Write, process::ExitCode};

use clap::Args;
use wd_decay::{Anchor, DecayRule, OptimizerKind, Unit};
use wd_optim::{AdamParameters, Direction};
use wd_train::{Cost, RunPlan};

use crate::{commands::train::ConfigArguments, diagnostics::CommandError, text};

/// Show what a configuration would do, without training
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd plan studies/first.toml
  wd plan studies/first.toml --set decay.policy=olmo --json

The expected time is measured: two steps are computed on the real shapes and thrown away.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArguments,

    /// Threads for the expected time [default: all cores]
    #[arg(long)]
    threads: Option<usize>,

    /// Print plan.json instead
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let plan = RunPlan::new(arguments.config.read()?)?;
    let threads = super::train::threads(arguments.threads)?;
    if arguments.json {
        println!("{}", json(&plan, &Cost::measure(&plan, threads)?));
    } else {
        print!("{}", describe(&plan, &Cost::measure(&plan, threads)?, threads));
    }
    Ok(ExitCode::SUCCESS)
}

fn json(plan: &RunPlan, cost: &Cost) -> String {
    serde_json::json!({ "plan": plan.record, "config": plan.source.config, "cost": cost })
        .to_string()
}

/// The optimizer with every number that was given or is a default.
fn optimizer(plan: &RunPlan) -> String {
    let adam = |adam: &AdamParameters| {
        format!("β₁ {}, β₂ {}, ε {:e}", adam.beta1, adam.beta2, adam.epsilon)
    };
    let direction = match &plan.optimizer.direction {
        Direction::Sgd { momentum, dampening, nesterov } => format!(
            "momentum {momentum}, dampening {dampening}{}",
            if *nesterov { ", Nesterov" } else { "" }
        ),
        Direction::Adam(parameters) => adam(parameters),
        Direction::Lion { beta1, beta2 } => format!("β₁ {beta1}, β₂ {beta2}"),
        Direction::Muon {
            momentum,
            nesterov,
            newton_schulz_steps,
            auxiliary,
            auxiliary_learning_rate_ratio,
        } => format!(
            "momentum {momentum}{}, {newton_schulz_steps} Newton–Schulz steps; AdamW for what is \
             no hidden matrix: {}, learning rate × {auxiliary_learning_rate_ratio}",
            if *nesterov { ", Nesterov" } else { "" },
            adam(auxiliary)
        ),
    };
    let clip = match plan.optimizer.clip {
        Some(norm) => format!("clipped to norm {}", wd_page::number::short(norm)),
        None => "not clipped".to_owned(),
    };
    format!("{}: {direction}; gradients {clip}", plan.record.optimizer)
}

/// The rule as an equation, with what modifies it.
fn update(plan: &RunPlan) -> String {
    let mut update = format!("{}: {}", plan.rule(), plan.rule().equation());
    if plan.rule() == DecayRule::Hyperball {
        update.push_str(", R = ‖w₀‖; other tensors: w ← w − η_t u");
        return update;
    }
    let anchor = match &plan.anchor {
        Anchor::Norm(ratio) => format!("Rw/‖w‖, R = {ratio}·‖w₀‖"),
        anchor => anchor.to_string(),
    };
    update.push_str(&format!("; a = {anchor}"));
    if plan.optimizer.cautious {
        update.push_str("; only where u·(w − a) ≥ 0 (cautious)");
    }
    update
}

/// What λ is as a prior, where it is one and the number of data is that of the training images.
fn prior(plan: &RunPlan) -> String {
    let record = &plan.record;
    let is_penalty = record.optimizer == OptimizerKind::Sgd
        && plan.rule() == DecayRule::CoupledL2
        && plan.anchor == Anchor::Zero
        && record.lambda > 0.0;
    let mut but = String::new();
    if plan.optimizer.clip.is_some() {
        but.push_str(
            "; while gradients are clipped the penalty is stronger than that (optim.clip \
                      = 0 switches it off)",
        );
    }
    if !plan.running.segments.is_empty() {
        but.push_str("; before a batch norm the loss sees no scale, and σ is only its name");
    }
    match (is_penalty, record.unit) {
        (true, Unit::Image) => format!(
            "w ~ N(0, σ²), σ = 1/√(λN) = {} for the mean loss over N = {} images{but}",
            wd_page::number::short((record.lambda * record.training_samples as f64).sqrt().recip()),
            wd_page::number::count(record.training_samples)
        ),
        (true, _) => "a Gaussian one; `wd explain` says how wide".to_owned(),
        (false, _) if record.lambda == 0.0 => "none: maximum likelihood".to_owned(),
        (false, _) => "none: only a penalty in the gradient of SGD is a Gaussian prior (`wd \
                       explain` says why)"
            .to_owned(),
    }
}

fn describe(plan: &RunPlan, cost: &Cost, threads: usize) -> String {
    let record = &plan.record;
    let mut out = String::new();
    let rows: Vec<Vec<String>> = record
        .tensors
        .iter()
        .map(|tensor| {
            vec![
                tensor.path.clone(),
                format!("{:?}", tensor.shape),
                tensor.role.to_string(),
                wd_page::number::count(tensor.parameters),
                wd_page::number::short(tensor.lambda),
                tensor.reason.clone(),
            ]
        })
        .collect();
    out.push_str(&text::table(
        &["tensor", "shape", "role", "parameters", "λ", "reason"],
        &rows,
        &[3, 4],
    ));
    let tau = match (record.tau_steps, record.tau_fraction) {
        (Some(steps), Some(fraction)) => {
            format!(
                "{} = {fraction:.3} of the run",
                wd_page::counted(wd_page::number::short(steps), "step")
            )
        }
        _ if plan.source.config.decay.holds() => {
            "none: the norm is held, the direction turns by about η_t a step".to_owned()
        }
        _ if record.hides_shrink() => {
            format!("not known: the penalty goes through {} with the gradient", record.optimizer)
        }
        _ => "none: nothing decays".to_owned(),
    };
    let holds = plan.source.config.decay.holds();
    let (lambda, kappa) = if holds {
        ("none: 1 says that a tensor is held".to_owned(), "none: nothing decays".to_owned())
    } else if record.hides_shrink() {
        (
            plan.lambda_schedule.describe(),
            format!("not known: {} divides the penalty as it does the gradient", record.optimizer),
        )
    } else {
        (
            plan.lambda_schedule.describe(),
            format!(
                "{}; e^−κ = {} of the initial weights is left",
                wd_page::number::short(record.kappa),
                wd_page::number::short((-record.kappa).exp())
            ),
        )
    };
    let unit = record.unit.words();
    let held_out = record.held_out();
    let mut lines = vec![
        (
            "parameters",
            format!(
                "{}; {} {}",
                wd_page::number::count(record.parameters),
                wd_page::number::count(record.decayed_parameters),
                if holds { "are held at their norm" } else { "decay" }
            ),
        ),
        ("optimizer", optimizer(plan)),
        ("decay", update(plan)),
        ("learning rate", record.schedule.describe()),
        ("λ", lambda),
        (
            "data",
            format!(
                "{} training and {} {held_out} {unit}; {} of {} = {:.2} epochs",
                wd_page::number::count(record.training_samples),
                wd_page::number::count(record.validation_samples),
                text::counted(record.steps, "step"),
                text::counted(record.samples_per_step, record.unit.noun()),
                record.epochs
            ),
        ),
        ("κ = Σ shrink", kappa),
        ("τ = 1/peak shrink", tau),
        ("as a prior", prior(plan)),
        (
            if record.unit == Unit::Image {
                "images per parameter"
            } else {
                "tokens per parameter"
            },
            wd_page::number::short(record.samples_per_parameter),
        ),
        (
            "memory",
            format!(
                "{} (parameters and gradients {}, optimizer state {}, activations {})",
                wd_page::number::bytes(cost.parameters + cost.optimizer + cost.activations),
                wd_page::number::bytes(cost.parameters),
                wd_page::number::bytes(cost.optimizer),
                wd_page::number::bytes(cost.activations)
            ),
        ),
        (
            "expected time",
            format!(
                "{} at {} {unit}/s on {}; evaluations come on top",
                wd_page::number::duration(cost.seconds),
                wd_page::number::rate(cost.samples_per_second),
                text::counted(threads as u64, "thread")
            ),
        ),
    ];
    if let Some(images) = &record.images {
        let after = lines.iter().position(|(name, _)| *name == "data");
        lines.insert(after.map_or(0, |at| at + 1), ("images", images.describe()));
    }
    out.push('\n');
    for (name, value) in lines {
        let pad = 21usize.saturating_sub(name.chars().count());
        let _infallible = writeln!(out, "{name}{} {value}", " ".repeat(pad));
    }
    out.push('\n');
    out.push_str(&schedule_table(plan));
    out
}

/// Learning rate, λ and shrink at twelve moments of the run.
fn schedule_table(plan: &RunPlan) -> String {
    const MOMENTS: u64 = 11;
    let steps = plan.record.steps;
    if steps == 0 {
        return String::new();
    }
    let mut moments: Vec<u64> = (0..=MOMENTS).map(|i| i * (steps - 1) / MOMENTS).collect();
    moments.dedup();
    let rows: Vec<Vec<String>> = moments
        .iter()
        .map(|&step| {
            let rate = plan.learning_rate(step);
            let lambda = plan.record.lambda_at(step);
            vec![
                wd_page::number::count(step + 1),
                wd_page::number::short(rate),
                wd_page::number::short(lambda),
                match plan.rule() {
                    DecayRule::Hyperball => "holds the norm".to_owned(),
                    _ if plan.record.hides_shrink() => "in the gradient".to_owned(),
                    _ => wd_page::number::short(plan.record.shrink(step)),
                },
            ]
        })
        .collect();
    text::table(&["step", "learning rate", "λ", "shrink"], &rows, &[0, 1, 2, 3])
}
