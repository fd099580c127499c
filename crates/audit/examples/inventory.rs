//! Prints what is read of each path: `cargo run -p wd-audit --example inventory -- PATH…`

use wd_audit::checkpoint::{Checkpoint, ReadOptions, find};
use wd_page::number::{count, short};

fn main() {
    for path in std::env::args().skip(1) {
        match find(path.as_ref(), &ReadOptions::default()) {
            Ok(found) => {
                println!("{path}");
                found.checkpoints.iter().for_each(print);
                for configuration in &found.configurations {
                    println!("  configuration {}", configuration.display());
                }
            }
            Err(error) => println!("{path}\n  refused: {error}"),
        }
    }
}

fn print(checkpoint: &Checkpoint) {
    let elements: usize = checkpoint.model.iter().map(|named| named.tensor.elements()).sum();
    let tensors = count(checkpoint.model.len() as u64);
    println!(
        "  {}, by {} {}: {tensors} tensors of {} elements",
        checkpoint.format,
        checkpoint.writer,
        checkpoint.writer_version.as_deref().unwrap_or(""),
        count(elements as u64)
    );
    for optimizer in &checkpoint.optimizers {
        println!("    optimizer of {} states", count(optimizer.states.len() as u64));
        for group in &optimizer.groups {
            let shown = |value: Option<f64>| value.map_or("none".to_owned(), short);
            let parameters = count(group.parameters.len() as u64);
            let (lambda, rate) = (shown(group.lambda), shown(group.rate));
            println!("      {parameters} parameters: λ {lambda}, rate {rate}");
        }
    }
    for clock in &checkpoint.clocks {
        println!("    {} {}", clock.name, short(clock.steps));
    }
    for embedded in &checkpoint.embedded {
        println!("    settings `{}`", embedded.key);
    }
    if !checkpoint.schedulers.is_empty() {
        println!("    {} schedules", checkpoint.schedulers.len());
    }
    for remark in &checkpoint.remarks {
        println!("    {remark}");
    }
}
