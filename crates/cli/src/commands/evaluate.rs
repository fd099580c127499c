//! `wd evaluate`: a trained classifier on its test images, on corrupted ones, or on images from
//! elsewhere.

use std::path::PathBuf;

use clap::Args;
use wd_data::images::CorruptionKind;
use wd_page::number;
use wd_store::RunDirectory;
use wd_train::{
    config::{CorruptedSection, Shifted},
    evaluate_rounded, evaluate_run,
};

use crate::ExitCode;
use crate::diagnostics::CommandError;
use crate::run_argument::open_run;

/// Judge a trained classifier on its test images, on corrupted ones or on images from elsewhere
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd evaluate runs/cnn                           # its own test images
  wd evaluate runs/cnn --corruption noise --severity 3
  wd evaluate runs/cnn --data kuzushiji/ --json  # the same classes, from elsewhere
  wd evaluate runs/first --round 4               # its weights rounded to int4; also of runs on text

The result is added to RUN_DIR/evaluations.jsonl, where reports find it. The weights are those of
the last checkpoint; --average takes the moving average that run.average keeps. Loss is the one
that was minimised, without label smoothing (cross-entropy: nats an image); the calibration error
is over 15 bins of confidence.")]
pub(crate) struct Arguments {
    /// A run on images; with --round any run
    #[arg(value_name = "RUN_DIR")]
    directory: PathBuf,

    /// Step of the checkpoint [default: the last]
    #[arg(long)]
    step: Option<u64>,

    /// Test images of the same classes
    #[arg(long, value_name = "PATH", conflicts_with = "corruption")]
    data: Option<PathBuf>,

    /// Make the test images worse: noise, blur, contrast, translation, occlusion
    #[arg(long, value_name = "KIND", requires = "severity", value_parser = corruption)]
    corruption: Option<CorruptionKind>,

    /// How much, 1 to 5
    #[arg(long, requires = "corruption", value_parser = clap::value_parser!(u8).range(1..=5))]
    severity: Option<u8>,

    /// Pair classes of other names by their number; without it other names are refused
    #[arg(long, requires = "data")]
    by_number: bool,

    /// Judge the moving average of the weights
    #[arg(long)]
    average: bool,

    /// Round each row of the final weight matrices to integers of so many bits, 2 to 16, and give
    /// the validation loss; it is added to RUN_DIR/rounded.jsonl
    #[arg(long, value_name = "BITS", conflicts_with_all = ["step", "data", "corruption", "average"])]
    round: Option<u8>,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn corruption(text: &str) -> Result<CorruptionKind, String> {
    let kinds = CorruptionKind::ALL;
    let known = kinds.iter().find(|kind| kind.name() == text).copied();
    known.ok_or_else(|| {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        format!("it has to be one of {}", names.join(", "))
    })
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    let shifted = match (&arguments.data, arguments.corruption, arguments.severity) {
        (Some(path), ..) => Some(Shifted::Path(path.clone())),
        (None, Some(corruption), Some(severity)) => {
            Some(Shifted::Corrupted(CorruptedSection { corruption, severity, seed: 0 }))
        }
        _ => None,
    };
    let run = open_run(&arguments.directory)?;
    if let Some(bits) = arguments.round {
        return round(&run, bits, arguments.json);
    }
    let score = evaluate_run(&run, arguments.step, shifted, arguments.average)?;
    if let Some(paired) = score.paired.as_ref().filter(|_| !arguments.by_number) {
        return Err(CommandError::usage(
            format!(
                "the classes of these images have other names than those the run was trained on: \
                 {paired}"
            ),
            "say --by-number if they are in the same order; or give the folders, or the labels of \
             the Parquet files, the same names",
        ));
    }
    run.append_evaluation(&score)?;
    if arguments.json {
        println!("{}", serde_json::json!(score));
    } else {
        println!(
            "step {}  loss {:.4}  accuracy {:.2} %  calibration error {:.4}",
            number::count(score.step),
            score.loss,
            100.0 * score.accuracy,
            score.calibration_error
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The loss of the final weights when they are rounded, beside that of the weights as they are.
fn round(run: &RunDirectory, bits: u8, json: bool) -> Result<ExitCode, CommandError> {
    let rounded = evaluate_rounded(run, bits)?;
    run.append_rounded(&rounded)?;
    if json {
        println!("{}", serde_json::json!(rounded));
        return Ok(ExitCode::SUCCESS);
    }
    let exact = run.metrics()?.column("validation_loss")?.last().copied().unwrap_or(f64::NAN);
    println!(
        "step {}  int{bits}  loss {:.4}  as it is {exact:.4}  change {}",
        number::count(rounded.step),
        rounded.loss,
        number::signed(rounded.loss - exact, 4)
    );
    Ok(ExitCode::SUCCESS)
}
