//! Prepares a text, trains ten steps of a small GPT on it, and says how the loss went.
//!
//! `cargo run --release -p wd-train --example train_ten_steps -- any-text.txt runs/ten`

use std::sync::atomic::AtomicBool;

use wd_data::text::{PrepareOptions, TokenizerSpec, prepare};
use wd_store::RunDirectory;
use wd_train::{ConfigSource, Observer, Progress, Resume, RunOptions, RunPlan, run};

/// Prints a line a step.
struct Lines;

impl Observer for Lines {
    fn started(&mut self, plan: &RunPlan, step: u64) {
        println!("{} parameters, from step {step}", plan.record.parameters);
    }

    fn progress(&mut self, progress: &Progress) {
        println!("step {}: loss {:.4}", progress.step, progress.loss);
    }

    fn notice(&mut self, message: &str) {
        println!("{message}");
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [text, out] = arguments.as_slice() else { return Err("give TEXT.txt FOLDER".into()) };
    let corpus = std::path::Path::new(out).join("corpus");
    let options = PrepareOptions { separator: Some("\n\n".to_owned()), force: false };
    prepare(&[text.into()], &TokenizerSpec::Bytes, &corpus, &options, &mut |_| {})?;

    let configuration = format!(
        "[run]\nsteps = 10\n[data]\npath = {:?}\nsequences = 4\n\
         [model]\ncontext = 64\nlayers = 2\nwidth = 32\nheads = 2\n\
         [optim]\nlr = 1e-3\n[decay]\nlambda = 0.1\n",
        corpus.display().to_string()
    );
    let plan = RunPlan::new(ConfigSource::parse("ten steps", configuration)?)?;
    let directory = RunDirectory::create_or_open(std::path::Path::new(out).join("run"))?;
    let interrupt = AtomicBool::new(false);
    let options = RunOptions { resume: Resume::Auto, threads: 1, interrupt: &interrupt };
    let outcome = run(&plan, &directory, options, &mut Lines)?;
    println!("{outcome:?}");
    Ok(())
}
