//! Times reading a table into blocks of its design matrix, and prints one line of JSON: what `wd
//! evidence` takes beyond is the sums.
//!
//! `cargo run --release -p wd-data --example table_speed -- FILE TARGET [DROP,DROP …]`
//!
//! `survey_seconds` is the first pass, which infers types and levels; `read_seconds` the second,
//! which hands over the blocks.

use std::time::Instant;

use wd_data::table::{Design, DesignOptions, TargetUse};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(target)) = (arguments.next(), arguments.next()) else {
        return Err("FILE TARGET [DROP,DROP …]".into());
    };
    let drop = arguments.next().map(|names| names.split(',').map(str::to_owned).collect());
    let options = DesignOptions {
        targets: vec![target],
        drop: drop.unwrap_or_default(),
        ..DesignOptions::default()
    };
    let start = Instant::now();
    let design = Design::infer(file.as_ref(), &options)?;
    let survey = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let mut sum = 0.0;
    let mut blocks = design.read(file.as_ref(), &options.reading, TargetUse::Required)?;
    while let Some(block) = blocks.next_block()? {
        sum += block.targets.iter().sum::<f64>();
    }
    let rows = blocks.finish()?.rows;
    let read = start.elapsed().as_secs_f64();
    println!(
        "{}",
        serde_json::json!({
            "rows": rows, "columns": design.width(), "survey_seconds": survey, "read_seconds": read, "target_sum": sum,
        })
    );
    Ok(())
}
