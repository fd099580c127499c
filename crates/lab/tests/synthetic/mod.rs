//! Studies of which the truth is known, written as `wd train` would write them.

use std::path::Path;

use crate::planned::{self, tensor};
use crate::random::Random;
use wd_decay::{Anchor, DecayRule, Role, Schedule, ScheduleKind, norm_recursion};
use wd_lab::{Grid, Study, Trial};
use wd_store::{Column, Event, EventKind, Plan, RunDirectory};

/// What a trial's settings say.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) lambda: f64,
    pub(crate) schedule: ScheduleKind,
    pub(crate) learning_rate: f64,
    pub(crate) seed: u64,
    pub(crate) rule: DecayRule,
    pub(crate) anchored: bool,
}

/// What λ truly does to a trial: differences to λ = 0, before noise.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Truth {
    /// Training loss at the start of the run; it changes linearly to `end`.
    pub(crate) start: f64,
    /// Training loss at the end.
    pub(crate) end: f64,
    /// Gap.
    pub(crate) gap: f64,
    /// Factor on gradient norm and relative update.
    pub(crate) late: f64,
    /// Factor on the norms that the recursion predicts: of `mlp.up`, of the other tensors.
    pub(crate) norm: (f64, f64),
}

/// Steps of a synthetic run.
pub(crate) const STEPS: u64 = 240;

/// The configuration that synthetic studies start from.
pub(crate) const BASE: &str = "\
[run]
seed = 0

[optim]
lr = 8e-3

[schedule]
kind = \"cosine\"

[decay]
lambda = 0.0
rule = \"decoupled\"
";

/// The settings of a trial, read from its configuration.
pub(crate) fn settings(trial: &Trial) -> Settings {
    let flat = wd_lab::configuration::flatten(&trial.configuration).unwrap();
    let number = |key: &str| flat[key].parse::<f64>().unwrap();
    Settings {
        lambda: number("decay.lambda"),
        schedule: flat["schedule.kind"].parse().unwrap(),
        learning_rate: number("optim.lr"),
        seed: number("run.seed") as u64,
        rule: flat["decay.rule"].parse().unwrap(),
        anchored: flat.contains_key("decay.anchor.norm"),
    }
}

/// A study over `axes`, saved in `root`; its trials are new.
pub(crate) fn study(root: &Path, axes: &[&str]) -> Study {
    let mut study = Study::open_or_create(root, "synthetic", BASE).unwrap();
    study.add(&Grid::parse(axes).unwrap()).unwrap();
    study.save().unwrap();
    study
}

/// The plan of a synthetic run.
pub(crate) fn plan(settings: &Settings) -> Plan {
    let schedule = match settings.schedule {
        ScheduleKind::Constant => Schedule::constant(STEPS),
        kind => Schedule::new(kind, 0, STEPS, 0.1, 0).unwrap(),
    };
    let anchor = if settings.anchored { Anchor::Norm(1.0) } else { Anchor::Zero };
    let tensors = vec![
        tensor("embedding.token.weight", Role::Embedding, &[64, 8], settings.lambda, 0.08),
        tensor("block.0.mlp.up.weight", Role::Matrix, &[32, 8], settings.lambda, 0.08),
        tensor("block.0.mlp.down.weight", Role::Matrix, &[8, 32], settings.lambda, 0.04),
        tensor("final_norm.weight", Role::Norm, &[8], 0.0, 1.0),
    ];
    let mut plan = Plan {
        seed: settings.seed,
        parameters: 169_728,
        decayed_parameters: if settings.lambda > 0.0 { 169_000 } else { 0 },
        rule: settings.rule,
        anchor,
        lambda: settings.lambda,
        peak_learning_rate: settings.learning_rate,
        schedule,
        ..planned::plan(STEPS, tensors)
    };
    let timescale = plan.timescale();
    plan.kappa = timescale.kappa;
    (plan.tau_steps, plan.tau_fraction) = (timescale.tau_steps, timescale.tau_fraction);
    plan
}

/// Writes a finished run.
pub(crate) fn write_run(path: &Path, settings: &Settings, truth: Truth, noise: f64) {
    let plan = plan(settings);
    let run = RunDirectory::create_or_open(path).unwrap();
    run.write_config(BASE).unwrap();
    run.write_plan(&plan).unwrap();
    run.append_event(&Event::now(EventKind::Started, 0, "")).unwrap();

    let mut columns: Vec<Column> =
        ["step", "train_loss", "validation_loss", "train_eval_loss", "gradient_norm"]
            .map(Column::f64)
            .to_vec();
    for tensor in &plan.tensors {
        columns.push(Column::f32(format!("weight_norm/{}", tensor.path)));
        columns.push(Column::f32(format!("update_norm/{}", tensor.path)));
    }
    let norms: Vec<Vec<f64>> = plan
        .tensors
        .iter()
        .map(|tensor| {
            let decays = if tensor.lambda > 0.0 { 1.0 } else { 0.0 };
            let shrinks: Vec<f64> = (0..STEPS).map(|step| plan.shrink(step) * decays).collect();
            let rates: Vec<f64> = (0..STEPS).map(|step| plan.learning_rate(step)).collect();
            let factor = if tensor.path.contains("up") { truth.norm.0 } else { truth.norm.1 };
            norm_recursion(tensor.initial_rms, &rates, &shrinks, 1.0)
                .into_iter()
                .map(|rms| rms * factor * (tensor.parameters as f64).sqrt())
                .collect()
        })
        .collect();

    // Batches depend on the seed alone, so that paired runs share their noise; the rest is each
    // run's own.
    let mut batches = Random::new(settings.seed);
    let own = settings.seed
        + 1000
        + (settings.lambda * 1e6) as u64 * 77
        + (settings.learning_rate * 1e6) as u64 * 13;
    let mut own = Random::new(own);
    let (level, gap_level) = (noise * own.normal(), noise * own.normal());
    let seed_level = 0.02 * batches.normal();
    let mut writer = run.lock().unwrap().metrics_writer(&columns, 0).unwrap();
    let mut row = Vec::new();
    for step in 0..STEPS as usize {
        let done = (step + 1) as f64 / STEPS as f64;
        let common = 4.0 - done + seed_level + 0.05 * batches.normal();
        let loss = common
            + truth.start
            + (truth.end - truth.start) * done
            + level
            + 0.2 * noise * own.normal();
        let last = step as u64 + 1 == STEPS;
        let evaluation = 3.0 + seed_level + truth.end + level;
        let gap = 0.004 + truth.gap + gap_level;
        row.clear();
        row.extend([
            (step + 1) as f64,
            loss,
            if last { evaluation + gap } else { f64::NAN },
            if last { evaluation } else { f64::NAN },
            0.5 * truth.late * (1.0 + 0.01 * own.normal()),
        ]);
        let measured = step % 5 == 0;
        for norms in &norms {
            row.push(if measured { norms[step] } else { f64::NAN });
            let update = 1e-3 * truth.late * norms[step] * (1.0 + 0.01 * own.normal());
            row.push(if measured { update } else { f64::NAN });
        }
        writer.append(&row).unwrap();
    }
    writer.sync().unwrap();
    run.append_event(&Event::now(EventKind::Finished, STEPS, "")).unwrap();
}

/// Writes a run that diverged.
pub(crate) fn write_diverged(path: &Path, settings: &Settings, step: u64) {
    let run = RunDirectory::create_or_open(path).unwrap();
    run.write_plan(&plan(settings)).unwrap();
    run.append_event(&Event::now(EventKind::Started, 0, "")).unwrap();
    run.append_event(&Event::now(EventKind::Diverged, step, "the loss is not finite")).unwrap();
}
