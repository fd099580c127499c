//! Writes made-up run directories, to measure the page with many of them.
//!
//! ```sh
//! cargo run --release -p wd-serve --example write_run_directories -- TEMPLATE FOLDER 1000 10000   # runs, steps
//! ```
//!
//! TEMPLATE is a run of `wd train`: each run has its plan and configuration with λ, seed and steps
//! of its own, and ten columns that fall as a loss does, with noise from a fixed seed. One run in
//! five hundred has a spike of a single step.

use std::path::Path;

use wd_lab::Setting;
use wd_lab::setting::apply;
use wd_store::{Column, Event, EventKind, RunDirectory};

const COLUMNS: [&str; 10] = [
    "train_loss",
    "validation_loss",
    "train_eval_loss",
    "gradient_norm",
    "learning_rate",
    "tokens_per_second",
    "lambda",
    "shrink",
    "seconds",
    "clipped",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [template, folder, runs, steps] = arguments.as_slice() else {
        return Err("arguments: TEMPLATE FOLDER RUNS STEPS".into());
    };
    let (runs, steps): (u64, u64) = (runs.parse()?, steps.parse()?);
    let template = RunDirectory::open(template)?;
    let (plan, configuration) = (template.read_plan()?, template.read_config()?);
    for number in 0..runs {
        let (lambda, seed) = (0.1 * (number % 10) as f64, number / 10);
        let settings = [
            format!("decay.lambda={lambda:.1}"),
            format!("run.seed={seed}"),
            format!("run.steps={steps}"),
        ];
        let settings: Vec<Setting> =
            settings.iter().map(|setting| setting.parse()).collect::<Result<_, _>>()?;
        let path = Path::new(folder).join(format!("lambda={lambda:.1},seed={seed}"));
        let run = RunDirectory::create_or_open(&path)?;
        run.write_config(&apply(&configuration, &settings)?)?;
        let mut own = plan.clone();
        (own.lambda, own.seed, own.steps) = (lambda, seed, steps);
        run.write_plan(&own)?;
        let lock = run.lock()?;
        run.append_event(&Event::now(EventKind::Started, 0, "made up"))?;
        write(&lock, number, lambda, seed, steps)?;
        run.append_event(&Event::now(EventKind::Finished, steps, "made up"))?;
    }
    Ok(())
}

fn write(
    lock: &wd_store::RunLock,
    number: u64,
    lambda: f64,
    seed: u64,
    steps: u64,
) -> Result<(), Box<dyn std::error::Error>> {
    let columns: Vec<Column> = std::iter::once(Column::f64("step"))
        .chain(COLUMNS.iter().map(|name| Column::f32(*name)))
        .collect();
    let mut writer = lock.metrics_writer(&columns, 0)?;
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for step in 1..=steps {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let noise = (state >> 11) as f64 / (1u64 << 53) as f64;
        let share = step as f64 / steps as f64;
        // Worse early and better late, the more of λ.
        let level = 2.0 / (1.0 + 20.0 * share).sqrt() + lambda * (0.05 - 0.1 * share);
        let spike = if number.is_multiple_of(500) && step == steps / 2 { 50.0 } else { 0.0 };
        let is_evaluated = step.is_multiple_of(500);
        let loss = level + 0.02 * noise + 0.001 * (seed % 7) as f64;
        let evaluated = if is_evaluated { loss + 0.05 } else { f64::NAN };
        let trained = if is_evaluated { loss } else { f64::NAN };
        writer.append(&[
            step as f64,
            loss + spike,
            evaluated,
            trained,
            1.0 + noise,
            1e-3 * (1.0 - share),
            1e5,
            lambda,
            1e-3 * lambda,
            0.01 * step as f64,
            0.0,
        ])?;
    }
    writer.sync()?;
    Ok(())
}
