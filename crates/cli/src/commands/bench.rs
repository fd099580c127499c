//! `wd bench`: the speed of a training step on this machine.

use clap::{Args, ValueEnum};
use wd_page::number;
use wd_train::BenchShape;

use crate::ExitCode;
use crate::diagnostics::CommandError;

/// Time a training step, beside the GEMM rate of the same run
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wd bench --shape small --threads 2
  wd bench --shape medium --json
  wd bench --shape resnet20
  python bench/peers/compare.py                # against PyTorch, in turn")]
pub(crate) struct Arguments {
    /// The model and batch
    #[arg(long, value_enum, default_value_t = Shape::Small)]
    shape: Shape,

    /// Threads [default: all cores]
    #[arg(long)]
    threads: Option<usize>,

    /// Seconds of timed steps
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// Vocabulary 1024, context 64, batch 32, 2 layers, width 64, 4 heads
    Tiny,
    /// Vocabulary 4096, context 128, batch 16, 4 layers, width 192, 6 heads
    Small,
    /// Vocabulary 8192, context 256, batch 8, 6 layers, width 384, 6 heads
    Medium,
    /// Batch 128 of 3 × 32 × 32 images; 3 × 3 convolution, batch norm, ReLU, max pooling, of 64,
    /// 128 and 256 channels
    Cnn,
    /// Batch 128 of 3 × 32 × 32 images; pre-activation ResNet of depth 20
    Resnet20,
    /// Batch 128 of 3 × 32 × 32 images; patch 4, 6 layers, width 192, 3 heads
    Vit,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, CommandError> {
    if !(arguments.seconds > 0.0 && arguments.seconds <= 3600.0) {
        return Err(CommandError::usage(
            format!("--seconds {} is no time to measure in", arguments.seconds),
            "give a number between 0 and 3600, for example --seconds 5",
        ));
    }
    let shape = match arguments.shape {
        Shape::Tiny => BenchShape::Tiny,
        Shape::Small => BenchShape::Small,
        Shape::Medium => BenchShape::Medium,
        Shape::Cnn => BenchShape::Cnn,
        Shape::Resnet20 => BenchShape::Resnet20,
        Shape::Vit => BenchShape::Vit,
    };
    let threads = super::train::threads(arguments.threads)?;
    let result = wd_train::bench(shape, threads, arguments.seconds)?;
    if arguments.json {
        println!("{}", serde_json::json!(result));
    } else {
        let (rate, unit) = match (result.tokens_per_second, result.images_per_second) {
            (_, Some(rate)) => (rate, "images"),
            (rate, None) => (rate.unwrap_or(f64::NAN), "tokens"),
        };
        println!(
            "{} {unit}/s on {}: {:.1} ms a step ({}, {} timed, {:.1} % in the optimizer)",
            number::rate(rate),
            number::counted(threads as u64, "thread"),
            result.milliseconds_per_step,
            number::counted(result.parameters as u64, "parameter"),
            number::counted(result.steps as u64, "step"),
            result.optimizer_share * 100.0,
        );
        println!(
            "{:.1} GFLOP/s = {:.0} % of the {:.1} GFLOP/s that large matrix products reach in this \
             run; peak memory {}",
            result.gflops,
            result.gemm_fraction * 100.0,
            result.gemm_gflops,
            number::bytes(result.peak_memory_bytes),
        );
    }
    Ok(ExitCode::SUCCESS)
}
