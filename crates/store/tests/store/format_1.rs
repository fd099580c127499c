//! A run directory that was written before plans were typed.

use std::path::Path;

use wd_decay::{
    Anchor, DecayRule, Momenta, OptimizerKind, Preset, Role, Schedule, ScheduleKind, Unit,
};
use wd_store::{Plan, RunDirectory, Status};

fn old() -> RunDirectory {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/format-1/run");
    RunDirectory::open(path).unwrap()
}

#[test]
fn a_plan_of_format_1_is_read_with_what_its_configuration_says() {
    let plan = old().read_plan().unwrap();
    assert_eq!((plan.format, plan.unit, plan.steps), (Plan::FORMAT, Unit::Token, 12));
    assert_eq!(
        (plan.samples_per_step, plan.training_samples, plan.validation_samples),
        (64, 6080, 1522)
    );
    assert_eq!((plan.optimizer, plan.rule), (OptimizerKind::Sgd, DecayRule::CoupledL2));
    assert_eq!((plan.anchor.clone(), plan.init_from.clone()), (Anchor::Initial, None));
    assert_eq!((plan.policy, plan.clip), (Preset::Nanogpt, 1.0));
    let momenta = Momenta { momentum: 0.8, nesterov: true, ..Momenta::default() };
    assert_eq!(plan.momenta, momenta);
    let schedule = |kind, warmup, floor, decay| Schedule::new(kind, warmup, 12, floor, decay);
    assert_eq!(Ok(plan.schedule), schedule(ScheduleKind::WarmupStableDecay, 2, 0.1, 3));
    assert_eq!(Ok(plan.lambda_schedule), schedule(ScheduleKind::Linear, 0, 0.5, 2));
    assert_eq!(plan.model, "1 layers, width 8, 2 heads, context 16");
    assert_eq!(plan.tensors[0].role, Role::Embedding);
    assert!(!plan.starts_from_initialisation());
}

/// What format 1 wrote for every step follows from the schedules, to the bit.
#[test]
fn what_format_1_wrote_for_every_step_follows_from_its_schedules() {
    let run = old();
    let plan = run.read_plan().unwrap();
    let written: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run.plan_path()).unwrap()).unwrap();
    let array = |name: &str| -> Vec<f64> {
        written[name].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
    };
    let rates: Vec<f64> = (0..plan.steps).map(|step| plan.learning_rate(step)).collect();
    let shrinks: Vec<f64> = (0..plan.steps).map(|step| plan.shrink(step)).collect();
    assert_eq!(rates, array("learning_rates"));
    assert_eq!(shrinks, array("shrinks"));
    assert_eq!(shrinks, run.metrics().unwrap().column("shrink").unwrap());
    let timescale = plan.timescale();
    assert_eq!((timescale.kappa, timescale.tau_steps), (plan.kappa, plan.tau_steps));
}

#[test]
fn the_rest_of_the_directory_is_read_as_ever() {
    let run = old();
    assert_eq!(run.status().unwrap(), Status::Finished { step: 12 });
    let norms = run.metrics().unwrap();
    let norms = norms.role_column("weight_norm", Role::Matrix, &run.read_plan().unwrap()).unwrap();
    assert!(norms[0].is_finite());
    assert_eq!(run.checkpoints().steps().unwrap(), [6, 12]);
}

#[test]
fn a_plan_of_format_1_without_its_configuration_names_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunDirectory::create_or_open(folder.path()).unwrap();
    std::fs::copy(old().plan_path(), run.plan_path()).unwrap();
    assert!(run.read_plan().unwrap_err().to_string().contains("config.toml"));
    run.write_config("[decay]\nanchor = 3\n").unwrap();
    let error = run.read_plan().unwrap_err().to_string();
    assert!(error.contains("plan.json is damaged: decay.anchor of config.toml"), "{error}");
}
