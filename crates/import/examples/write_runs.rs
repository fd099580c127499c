//! Writes made-up runs as event files of TensorBoard, to measure how fast they are read.
//!
//! ```sh
//! cargo run --release -p wd-import --example write_runs -- FOLDER 1000 10 10000   # runs, series, steps
//! cargo run --release -p wd-import --example import_speed -- FOLDER
//! ```
//!
//! Each run has λ and a seed in its hyperparameters and curves that fall as a loss does, with noise
//! from a fixed seed: the same arguments give the same bytes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use wd_import::export::{EventFile, begin_event_file};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, runs, series, steps] = arguments.as_slice() else {
        return Err("arguments: FOLDER RUNS SERIES STEPS".into());
    };
    let (runs, series, steps): (u64, usize, u64) = (runs.parse()?, series.parse()?, steps.parse()?);
    let tags: Vec<String> = (0..series)
        .map(|number| match number {
            0 => "train/loss".to_owned(),
            1 => "val/loss".to_owned(),
            number => format!("metrics/{number}"),
        })
        .collect();

    for run in 0..runs {
        let (arm, seed) = (run % 10, run / 10);
        let settings = BTreeMap::from([
            ("weight_decay".to_owned(), (0.1 * arm as f64).to_string()),
            ("seed".to_owned(), seed.to_string()),
        ]);
        let folder = PathBuf::from(folder).join(format!("run-{run:04}"));
        let mut file: EventFile = begin_event_file(&folder, &settings, true)?;
        let mut state = run.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        for step in 0..steps {
            for (number, tag) in tags.iter().enumerate() {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let noise = (state >> 40) as f32 / (1 << 24) as f32;
                // The first number depends on the seed alone, so that runs of one seed are paired.
                let level = if step == 0 { seed as f32 * 1e-3 } else { noise * 0.1 };
                let value = 3.0 / (1.0 + step as f32).sqrt() + number as f32 + level;
                file.scalar(tag, step, value)?;
            }
        }
        file.finish()?;
    }
    Ok(())
}
