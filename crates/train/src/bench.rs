//! The speed of a training step on fixed shapes, beside the GEMM rate of the same machine in the
//! same run.

use std::time::Instant;

use faer::{Accum, Mat, Par, linalg::matmul::matmul};
use rayon::prelude::*;
use serde::Serialize;
use wd_decay::{DecayPolicy, DecayRule, LearningRate, PeakLearningRate};
use wd_nn::{
    CnnConfig, DropoutKey, Gpt, GptConfig, ImageShape, ParameterLayout, ResnetConfig, Targets,
    VisionConfig, VisionModel, VitConfig,
};
use wd_optim::{
    AdamParameters, Direction, Optimizer, OptimizerConfig, StepSettings, TensorSettings,
};

use crate::{error::TrainError, threads::thread_pool};

/// A model and batch on which speed is stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BenchShape {
    /// Vocabulary 1024, context 64, batch 32, 2 layers, width 64, 4 heads: what `wd reproduce`
    /// trains.
    Tiny,
    /// Vocabulary 4096, context 128, batch 16, 4 layers, width 192, 6 heads.
    Small,
    /// Vocabulary 8192, context 256, batch 8, 6 layers, width 384, 6 heads.
    Medium,
    /// Batch 128 of 3 × 32 × 32 images; 3 × 3 convolution, batch norm, ReLU, max pooling, of 64,
    /// 128 and 256 channels.
    Cnn,
    /// Batch 128 of 3 × 32 × 32 images; the pre-activation ResNet of depth 20.
    Resnet20,
    /// Batch 128 of 3 × 32 × 32 images; patch 4, 6 layers, width 192, 3 heads, class token.
    Vit,
}

/// Images of a batch.
const IMAGES: usize = 128;

/// A network with one batch of random data.
enum Workload {
    Text {
        model: Box<Gpt<f32>>,
        inputs: Vec<u32>,
        targets: Vec<u32>,
    },
    Images {
        model: Box<VisionModel<f32>>,
        running: Vec<f32>,
        pixels: Vec<f32>,
        labels: Vec<u32>,
        shares: Vec<f32>,
    },
}

impl Workload {
    /// The network, its tensors and its initial weights.
    fn new(
        shape: BenchShape,
        threads: usize,
    ) -> Result<(Self, ParameterLayout, Vec<f32>), TrainError> {
        let image = ImageShape { channels: 3, height: 32, width: 32 };
        match shape {
            BenchShape::Tiny => Self::text(GptConfig::new(1024, 64, 2, 64, 4), 32, threads),
            BenchShape::Small => Self::text(GptConfig::new(4096, 128, 4, 192, 6), 16, threads),
            BenchShape::Medium => Self::text(GptConfig::new(8192, 256, 6, 384, 6), 8, threads),
            BenchShape::Cnn => {
                let config = CnnConfig::new(image, 10, vec![64, 128, 256]);
                Self::images(VisionConfig::Cnn(config), threads)
            }
            BenchShape::Resnet20 => {
                let config = ResnetConfig::new(image, 10, 20);
                Self::images(VisionConfig::Resnet(config), threads)
            }
            BenchShape::Vit => {
                let config = VitConfig::new(image, 10, 4, 6, 192, 3);
                Self::images(VisionConfig::Vit(config), threads)
            }
        }
    }

    fn text(
        config: GptConfig,
        sequences: usize,
        threads: usize,
    ) -> Result<(Self, ParameterLayout, Vec<f32>), TrainError> {
        let layout = config.layout();
        let mut parameters = vec![0.0; layout.len];
        config.initialize(0, &mut parameters)?;
        let tokens = sequences * config.context;
        let workload = Workload::Text {
            inputs: random_integers(tokens, config.vocabulary, 1),
            targets: random_integers(tokens, config.vocabulary, 2),
            model: Box::new(Gpt::new(config, sequences, threads)?),
        };
        Ok((workload, layout, parameters))
    }

    fn images(
        config: VisionConfig,
        threads: usize,
    ) -> Result<(Self, ParameterLayout, Vec<f32>), TrainError> {
        let layout = config.layout();
        let mut parameters = vec![0.0; layout.len];
        config.initialize(0, &mut parameters)?;
        let statistics = config.running_statistics();
        let mut running = vec![0.0; statistics.len];
        for segment in &statistics.segments {
            running[segment.range()].fill(segment.initial_mean as f32);
        }
        let numbers = IMAGES * config.image().numbers();
        let workload = Workload::Images {
            running,
            pixels: random_integers(numbers, 1 << 16, 1)
                .into_iter()
                .map(|value| value as f32 / f32::from(1_u16 << 14) - 2.0)
                .collect(),
            labels: random_integers(IMAGES, config.classes(), 2),
            shares: vec![1.0; IMAGES],
            model: Box::new(VisionModel::new(config, IMAGES, threads)?),
        };
        Ok((workload, layout, parameters))
    }

    fn loss_and_gradient(
        &mut self,
        parameters: &[f32],
        gradients: &mut [f32],
        step: u64,
    ) -> Result<(), TrainError> {
        let dropout = DropoutKey { seed: 0, step };
        let _loss = match self {
            Workload::Text { model, inputs, targets } => {
                model.loss_and_gradient(parameters, gradients, inputs, targets, dropout)?
            }
            Workload::Images { model, running, pixels, labels, shares } => {
                let targets = Targets { first: labels, second: labels, share: shares };
                model.loss_and_gradient(parameters, gradients, running, pixels, targets, dropout)?
            }
        };
        Ok(())
    }

    /// Tokens or images of a step.
    fn items(&self) -> usize {
        match self {
            Workload::Text { inputs, .. } => inputs.len(),
            Workload::Images { labels, .. } => labels.len(),
        }
    }

    fn flops_per_item(&self) -> f64 {
        match self {
            Workload::Text { model, .. } => model.flops_per_token(),
            Workload::Images { model, .. } => model.config().flops_per_image(),
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
    /// Training tokens a second at the median step, of a GPT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
    /// Training images a second at the median step, of a classifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images_per_second: Option<f64>,
    /// 10⁹ floating-point operations a second of the step's matrix products.
    pub gflops: f64,
    /// The rate of large f32 matrix products on as many threads, measured just before and after.
    pub gemm_gflops: f64,
    /// `gflops / gemm_gflops`.
    pub gemm_fraction: f64,
    /// The most memory the process ever held.
    pub peak_memory_bytes: u64,
}

/// Times training steps on random data for about `seconds`.
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
    let (mut workload, layout, mut parameters) = Workload::new(shape, threads)?;
    let mut gradients = vec![0.0_f32; layout.len];
    let mut optimizer = adamw(&layout)?;

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
        workload.loss_and_gradient(&parameters, &mut gradients, step)?;
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
    let items_per_second = workload.items() as f64 / step_seconds;
    let gflops = workload.flops_per_item() * items_per_second / 1e9;
    let is_text = matches!(workload, Workload::Text { .. });
    let gemm_gflops = gemm_before.max(gemm_after);
    Ok(BenchResult {
        threads,
        parameters: layout.len,
        steps: times.len(),
        milliseconds_per_step: step_seconds * 1e3,
        optimizer_share: median(&mut optimizer_times) / step_seconds,
        tokens_per_second: is_text.then_some(items_per_second),
        images_per_second: (!is_text).then_some(items_per_second),
        gflops,
        gemm_gflops,
        gemm_fraction: gflops / gemm_gflops,
        peak_memory_bytes: peak_memory_bytes(),
    })
}

fn adamw(layout: &ParameterLayout) -> Result<Optimizer, TrainError> {
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
        direction: Direction::Adam(AdamParameters { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 }),
        rule: DecayRule::Decoupled,
        cautious: false,
        clip: Some(1.0),
    };
    Ok(Optimizer::new(config, settings, layout.len)?)
}

/// Integers below `bound` from a small multiplicative generator: any will do, as long as they
/// differ.
fn random_integers(count: usize, bound: usize, seed: u64) -> Vec<u32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..count)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % bound as u64) as u32
        })
        .collect()
}

/// 10⁹ operations a second of large square f32 products, one on each thread of the pool, as the
/// step runs them.
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
