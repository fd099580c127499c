//! The speed of a training step on fixed shapes, beside the GEMM rate of the same machine in the same run.

use std::time::Instant;

use faer::{Accum, Mat, Par, linalg::matmul::matmul};
use rayon::prelude::*;
use serde::Serialize;
use wd_decay::{DecayPolicy, DecayRule, LearningRate, PeakLearningRate};
use wd_nn::{DropoutKey, Gpt, GptConfig};
use wd_optim::{
    AdamParameters, Direction, Optimizer, OptimizerConfig, StepSettings, TensorSettings,
};

use crate::{TrainError, run::thread_pool};

/// A model and batch on which speed is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BenchShape {
    /// Vocabulary 1024, context 64, batch 32, 2 layers, width 64, 4 heads: what `wd reproduce` trains.
    Tiny,
    /// Vocabulary 4096, context 128, batch 16, 4 layers, width 192, 6 heads.
    Small,
    /// Vocabulary 8192, context 256, batch 8, 6 layers, width 384, 6 heads.
    Medium,
}

impl BenchShape {
    fn model(self) -> (GptConfig, usize) {
        match self {
            BenchShape::Tiny => (GptConfig::new(1024, 64, 2, 64, 4), 32),
            BenchShape::Small => (GptConfig::new(4096, 128, 4, 192, 6), 16),
            BenchShape::Medium => (GptConfig::new(8192, 256, 6, 384, 6), 8),
        }
    }
}

/// What a benchmark measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchResult {
    /// Threads of the pool.
    pub threads: usize,
    /// Number of parameters.
    pub parameters: usize,
    /// Timed steps.
    pub steps: usize,
    /// Median time of forward + backward + clip + AdamW, in milliseconds.
    pub milliseconds_per_step: f64,
    /// Share of that spent in the optimizer.
    pub optimizer_share: f64,
    /// Training tokens a second at the median step.
    pub tokens_per_second: f64,
    /// 10⁹ floating-point operations a second of the step's matrix products.
    pub gflops: f64,
    /// The rate of large f32 matrix products on as many threads, measured just before and after.
    pub gemm_gflops: f64,
    /// `gflops / gemm_gflops`.
    pub gemm_fraction: f64,
    /// The most memory the process ever held.
    pub peak_memory_bytes: u64,
}

/// Times training steps on random tokens for about `seconds`.
///
/// # Errors
/// A thread pool that cannot be made.
pub fn bench(shape: BenchShape, threads: usize, seconds: f64) -> Result<BenchResult, TrainError> {
    thread_pool(threads)?.install(|| bench_in_pool(shape, threads, seconds))
}

fn bench_in_pool(
    shape: BenchShape,
    threads: usize,
    seconds: f64,
) -> Result<BenchResult, TrainError> {
    let (config, sequences) = shape.model();
    let layout = config.layout();
    let mut parameters = vec![0.0_f32; layout.len];
    config.initialize(0, &mut parameters)?;
    let mut gradients = vec![0.0_f32; layout.len];
    let mut model = Gpt::<f32>::new(config.clone(), sequences, threads)?;
    let mut optimizer = adamw(&layout)?;
    let tokens = sequences * config.context;
    let inputs = random_tokens(tokens, config.vocabulary, 1);
    let targets = random_tokens(tokens, config.vocabulary, 2);

    let gemm_seconds = (seconds / 10.0).min(1.0);
    let gemm_before = gemm_rate(threads, gemm_seconds);
    let mut times = Vec::new();
    let mut optimizer_times = Vec::new();
    let mut started = Instant::now();
    for step in 0.. {
        // The first steps touch memory for the first time.
        let is_warm_up = step < 2;
        if is_warm_up {
            started = Instant::now();
        }
        let begin = Instant::now();
        let _loss = model.loss_and_gradient(
            &parameters,
            &mut gradients,
            &inputs,
            &targets,
            DropoutKey { seed: 0, step },
        )?;
        let middle = Instant::now();
        optimizer.step(
            &mut parameters,
            &gradients,
            StepSettings {
                learning_rate: LearningRate(1e-4),
                peak_learning_rate: PeakLearningRate(1e-4),
                lambda_factor: 1.0,
            },
        )?;
        if !is_warm_up {
            times.push(begin.elapsed().as_secs_f64());
            optimizer_times.push(middle.elapsed().as_secs_f64());
        }
        if times.len() >= 3 && started.elapsed().as_secs_f64() > seconds {
            break;
        }
    }
    let gemm_after = gemm_rate(threads, gemm_seconds);
    let step_seconds = median(&mut times);
    let tokens_per_second = tokens as f64 / step_seconds;
    let gflops = model.flops_per_token() * tokens_per_second / 1e9;
    let gemm_gflops = gemm_before.max(gemm_after);
    Ok(BenchResult {
        threads,
        parameters: layout.len,
        steps: times.len(),
        milliseconds_per_step: step_seconds * 1e3,
        optimizer_share: median(&mut optimizer_times) / step_seconds,
        tokens_per_second,
        gflops,
        gemm_gflops,
        gemm_fraction: gflops / gemm_gflops,
        peak_memory_bytes: peak_memory_bytes(),
    })
}

fn adamw(layout: &wd_nn::ParameterLayout) -> Result<Optimizer, TrainError> {
    let choices = DecayPolicy::default().choose(0.1, &layout.descriptions())?;
    let settings = layout
        .segments
        .iter()
        .zip(choices)
        .map(|(segment, choice)| TensorSettings {
            offset: segment.offset,
            shape: segment.shape.clone(),
            lambda: choice.lambda,
            auxiliary: false,
        })
        .collect();
    let config = OptimizerConfig {
        direction: Direction::Adam(AdamParameters {
            beta1: 0.9,
            beta2: 0.95,
            epsilon: 1e-8,
        }),
        rule: DecayRule::Decoupled,
        cautious: false,
        clip: Some(1.0),
    };
    Ok(Optimizer::new(config, settings, layout.len)?)
}

/// Tokens from a small multiplicative generator: any will do, as long as they differ.
fn random_tokens(count: usize, vocabulary: usize, seed: u64) -> Vec<u32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..count)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % vocabulary as u64) as u32
        })
        .collect()
}

/// 10⁹ operations a second of large square f32 products, one on each thread of the pool, as the step runs them.
fn gemm_rate(threads: usize, seconds: f64) -> f64 {
    const SIDE: usize = 768;
    let operand = Mat::<f32>::from_fn(SIDE, SIDE, |i, j| ((i * 7 + j * 3) % 11) as f32 - 5.0);
    let begin = Instant::now();
    let products: usize = (0..threads)
        .into_par_iter()
        .with_max_len(1)
        .map(|_| {
            let mut out = Mat::<f32>::zeros(SIDE, SIDE);
            let mut count = 0;
            while count == 0 || begin.elapsed().as_secs_f64() < seconds {
                let (left, right) = (operand.as_ref(), operand.as_ref());
                matmul(out.as_mut(), Accum::Replace, left, right, 1.0, Par::Seq);
                count += 1;
            }
            count
        })
        .sum();
    let operations = 2.0 * (SIDE as f64).powi(3) * products as f64;
    operations / begin.elapsed().as_secs_f64() / 1e9
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The high-water mark of this process' memory; 0 where the system does not tell.
pub fn peak_memory_bytes() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| {
            let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .map_or(0, |kib| kib * 1024)
}
