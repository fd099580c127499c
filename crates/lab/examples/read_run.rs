//! Reads a run directory: what was decided before its first step, what was measured, and its page.
//!
//! `cargo run -p wd-lab --example read_run -- runs/first page.html`

use wd_lab::run_page::run_page;
use wd_page::Context;
use wd_store::RunDirectory;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, out] = arguments.as_slice() else {
        return Err("give RUN_DIR PAGE.html".into());
    };
    let run = RunDirectory::open(directory)?;
    let plan = run.read_plan()?;
    println!("{} steps, λ = {}, κ = {:.3}", plan.steps, plan.lambda, plan.kappa);
    for tensor in plan.tensors.iter().filter(|tensor| tensor.lambda != 0.0) {
        println!("  {} decays: {}", tensor.path, tensor.reason);
    }
    let losses = run.metrics()?.column("train_loss")?;
    println!("training loss from {:?} to {:?}", losses.first(), losses.last());
    std::fs::write(out, run_page(&run, &Context::default())?.html())?;
    Ok(())
}
