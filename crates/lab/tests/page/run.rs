//! The report of a run directory, at every stage of a run.

use crate::planned::{self, tensor};
use roxmltree::{Document, ParsingOptions};
use tempfile::TempDir;
use wd_decay::{Anchor, DecayRule, Role, Schedule, ScheduleKind};
use wd_lab::LabError;
use wd_lab::run_page::run_page;
use wd_page::Context;
use wd_store::{Column, Event, EventKind, Plan, PlannedTensor, RunDirectory};

const STEPS: u64 = 400;

fn plan(rule: DecayRule) -> Plan {
    let planned = |path: &str, role: Role, shape: &[usize], lambda: f64, reason: &str, rms: f64| {
        PlannedTensor { reason: reason.to_owned(), ..tensor(path, role, shape, lambda, rms) }
    };
    let decays = "2-D: decays (nanogpt)";
    let tensors = vec![
        planned("embedding.token.weight", Role::Embedding, &[1024, 64], 0.1, decays, 0.08),
        planned("block.0.mlp.up.weight", Role::Matrix, &[256, 192], 0.1, decays, 0.08),
        planned("final_norm.weight", Role::Norm, &[64], 0.0, "norm gain: no decay (nanogpt)", 1.0),
    ];
    Plan {
        program: "wd 0.1.0".to_owned(),
        seed: 3,
        training_samples: 3_840_000,
        validation_samples: 240_000,
        samples_per_parameter: 7.1,
        rule,
        schedule: Schedule::new(ScheduleKind::Cosine, 20, STEPS, 0.1, 0).unwrap(),
        kappa: 0.178,
        tau_steps: Some(1250.0),
        tau_fraction: Some(3.1),
        ..planned::plan(STEPS, tensors)
    }
}

/// A run that was planned, with `steps` steps done.
fn run(rule: DecayRule, steps: u64) -> (TempDir, RunDirectory) {
    let parent = TempDir::new().unwrap();
    let run = RunDirectory::create_or_open(parent.path().join("λ <0.1>")).unwrap();
    let plan = plan(rule);
    run.write_config("[decay]\nlambda = 0.1\n").unwrap();
    run.write_plan(&plan).unwrap();
    if steps == 0 {
        return (parent, run);
    }
    run.append_event(&Event::now(EventKind::Started, 0, "a run of <400> steps")).unwrap();
    let mut columns = vec![Column::f64("step")];
    columns.extend(
        ["train_loss", "validation_loss", "train_eval_loss", "gradient_norm"].map(Column::f64),
    );
    for measure in ["weight_norm", "update_norm", "relative_update"] {
        columns.extend(
            plan.tensors.iter().map(|tensor| Column::f32(format!("{measure}/{}", tensor.path))),
        );
    }
    let lock = run.lock().unwrap();
    let mut metrics = lock.metrics_writer(&columns, 0).unwrap();
    for step in 1..=steps {
        let at = step as f64 / STEPS as f64;
        let wobble = (step as f64 * 12.9898).sin();
        let loss = 3.5 + 3.4 * (-at / 0.05).exp() - 0.2 * at + 0.03 * wobble;
        let evaluated = step % 100 == 0 || step == steps;
        let mut row = vec![step as f64, loss, f64::NAN, f64::NAN, 0.5 + 0.2 * at + 0.02 * wobble];
        if evaluated {
            (row[2], row[3]) = (loss + 0.02, loss + 0.01);
        }
        let measured = step % 10 == 0 || step == 1;
        for tensor in &plan.tensors {
            let norm = (0.08 + 0.05 * at) * (tensor.parameters as f64).sqrt();
            row.push(if measured { norm } else { f64::NAN });
        }
        for tensor in &plan.tensors {
            let norm = 1e-3 * (1.1 - at) * (tensor.parameters as f64).sqrt();
            row.push(if measured { norm } else { f64::NAN });
        }
        row.extend([if measured { 1e-2 } else { f64::NAN }; 3]);
        metrics.append(&row).unwrap();
    }
    metrics.sync().unwrap();
    (parent, run)
}

fn text(page: &str) -> String {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(page, options).unwrap();
    document
        .root()
        .descendants()
        .filter(|node| node.is_text())
        .filter_map(|node| node.text())
        .collect::<Vec<_>>()
        .join(" ")
}

fn report(run: &RunDirectory) -> String {
    run_page(run, &Context::default()).unwrap().html()
}

#[test]
fn a_finished_run() {
    let (_parent, run) = run(DecayRule::Decoupled, STEPS);
    run.append_event(&Event::now(EventKind::Finished, STEPS, "done")).unwrap();
    let page = report(&run);
    std::fs::write(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("run.html"), &page)
        .unwrap();
    let text = text(&page);
    for expected in [
        "λ <0.1>",
        "Finished: 400 steps.",
        "2-D: decays (nanogpt)",
        "a run of <400> steps",
        "predicted by the norm recursion",
    ] {
        assert!(text.contains(expected), "{expected}");
    }
    assert!(!page.contains("NaN"));
    assert!(!text.contains("Left out"), "everything was measured");
}

#[test]
fn a_diverged_run() {
    let (_parent, run) = run(DecayRule::Decoupled, 57);
    let event = Event::now(EventKind::Diverged, 57, "loss is not finite")
        .with("tensor", "block.0.mlp.up.weight");
    run.append_event(&event).unwrap();
    let text = text(&report(&run));
    assert!(
        text.contains("Diverged at step 57 of 400 in block.0.mlp.up.weight: loss is not finite"),
        "{text}"
    );
}

#[test]
fn a_run_that_has_not_begun_says_so() {
    let (_parent, run) = run(DecayRule::Decoupled, 0);
    let text = text(&report(&run));
    assert!(text.contains("Planned for 400 steps, not begun."));
    assert_eq!(text.matches("Left out").count(), 3, "losses, gradients, norms");
}

#[test]
fn nothing_is_predicted_where_the_recursion_makes_no_statement() {
    let (_parent, coupled) = run(DecayRule::CoupledL2, 40);
    assert!(text(&report(&coupled)).contains("Nothing is predicted here"));
    let (_parent, anchored) = run(DecayRule::Decoupled, 40);
    let plan = Plan { anchor: Anchor::Initial, ..plan(DecayRule::Decoupled) };
    anchored.write_plan(&plan).unwrap();
    assert!(text(&report(&anchored)).contains("Nothing is predicted here"));
}

#[test]
fn a_directory_without_a_plan_is_an_error() {
    let parent = TempDir::new().unwrap();
    let run = RunDirectory::create_or_open(parent.path()).unwrap();
    assert!(matches!(run_page(&run, &Context::default()), Err(LabError::Store(_))));
}

#[test]
fn a_run_that_holds_norms_has_no_decay_to_tell_of() {
    let (_parent, run) = run(DecayRule::Hyperball, STEPS);
    let text = text(&report(&run));
    for expected in [
        "nothing decays",
        "What is held, and why",
        "tensors keep their norm",
        "nothing shrinks by a schedule",
    ] {
        assert!(text.contains(expected), "{expected}");
    }
    assert!(!text.contains("exp(−κ)") && !text.contains("What decays"));
}
