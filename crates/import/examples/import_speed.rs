//! Reads runs of another program and prints how long that took, as one line of JSON: the whole way
//! to the analysis, or with a second argument `read` only that far.

use std::path::PathBuf;
use std::time::Instant;

use wd_import::{ReadOptions, RoleOptions, import, read};
use wd_lab::AnalysisOptions;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path: PathBuf = arguments.next().ok_or("the first argument is a folder")?.into();
    let begin = Instant::now();
    let points: usize = if arguments.next().as_deref() == Some("read") {
        let (_, runs) = read(&[path], &ReadOptions::default())?;
        runs.iter().flat_map(|run| run.curves.values()).map(|curve| curve.steps.len()).sum()
    } else {
        let found = import(&[path], &ReadOptions::default(), &RoleOptions::default())?;
        let analysis = found.analyse(&AnalysisOptions::default())?;
        assert!(!analysis.arms.is_empty());
        found.overview().points as usize
    };
    let seconds = begin.elapsed().as_secs_f64();
    println!("{{\"seconds\": {seconds:.3}, \"points\": {points}}}");
    Ok(())
}
