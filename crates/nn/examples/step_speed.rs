//! How fast is a training step, and how near to the GEMM rate of the same machine at the same moment?
//!
//! ```text
//! cargo run --release -p wd-nn --example step_speed -- [tiny|small|medium|vit]… [--threads N] [--rounds N]
//! ```
//!
//! Rounds alternate between the GEMM and the step, since other work on the machine moves both; the ratio is the
//! median over rounds of neighbours.

use std::time::Instant;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use rayon::prelude::*;
use wd_nn::{
    DropoutKey, Gpt, GptConfig, ImageShape, NnError, Targets, VisionConfig, VisionModel, VitConfig,
};

/// A vision transformer on 32 × 32 images in colour, and the images of a batch.
fn vit() -> (VitConfig, usize) {
    let image = ImageShape {
        channels: 3,
        height: 32,
        width: 32,
    };
    (VitConfig::new(image, 10, 4, 6, 192, 3), 128)
}

/// Name, configuration, sequences of a batch.
fn shapes() -> [(&'static str, GptConfig, usize); 3] {
    [
        ("tiny", GptConfig::new(1024, 64, 2, 64, 4), 32),
        ("small", GptConfig::new(4096, 128, 4, 192, 6), 16),
        ("medium", GptConfig::new(8192, 256, 6, 384, 6), 8),
    ]
}

/// Seconds of running `work` about `seconds` long, per run.
fn time(seconds: f64, mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut runs = 0;
    while runs == 0 || start.elapsed().as_secs_f64() < seconds {
        work();
        runs += 1;
    }
    start.elapsed().as_secs_f64() / f64::from(runs)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut threads, mut rounds, mut names) = (1, 7, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--threads" => {
                threads = arguments
                    .next()
                    .ok_or("--threads needs a number")?
                    .parse()?
            }
            "--rounds" => rounds = arguments.next().ok_or("--rounds needs a number")?.parse()?,
            name => names.push(name.to_owned()),
        }
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()?;
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    for (name, config, sequences) in shapes() {
        if wanted(name) {
            let work = gpt(config, sequences, threads)?;
            pool.install(|| measure(name, work, threads, rounds))?;
        }
    }
    if wanted("vit") {
        let (config, images) = vit();
        let work = vision(VisionConfig::Vit(config), images, threads)?;
        pool.install(|| measure("vit", work, threads, rounds))?;
    }
    Ok(())
}

/// A model's step on one batch, and how much work it is.
struct Work {
    step: Box<dyn FnMut() -> Result<(), NnError> + Send>,
    /// Operations of a step.
    flops: f64,
    /// What the batch is made of, and how many of them.
    unit: &'static str,
    count: usize,
    memory_bytes: usize,
}

fn gpt(config: GptConfig, sequences: usize, threads: usize) -> Result<Work, NnError> {
    let mut parameters = vec![0.0f32; config.layout().len];
    config.initialize(1, &mut parameters)?;
    let mut gradients = vec![0.0f32; parameters.len()];
    let count = sequences * config.context;
    let token = |index: usize| ((index * 7919 + index * index % 101) % config.vocabulary) as u32;
    let inputs: Vec<u32> = (0..count).map(token).collect();
    let targets: Vec<u32> = (1..=count).map(token).collect();
    let mut gpt = Gpt::<f32>::new(config, sequences, threads)?;
    Ok(Work {
        flops: gpt.flops_per_token() * count as f64,
        memory_bytes: gpt.memory_bytes(),
        unit: "tokens",
        count,
        step: Box::new(move || {
            let key = DropoutKey::default();
            gpt.loss_and_gradient(&parameters, &mut gradients, &inputs, &targets, key)
                .map(|_| ())
        }),
    })
}

fn vision(config: VisionConfig, count: usize, threads: usize) -> Result<Work, NnError> {
    let mut parameters = vec![0.0f32; config.layout().len];
    config.initialize(1, &mut parameters)?;
    let mut gradients = vec![0.0f32; parameters.len()];
    let images: Vec<f32> = (0..count * config.image().numbers())
        .map(|index| (index * 7919 % 101) as f32 / 50.0 - 1.0)
        .collect();
    let labels: Vec<u32> = (0..count)
        .map(|index| (index * 7 % config.classes()) as u32)
        .collect();
    let share = vec![1.0; count];
    let flops = config.flops_per_image() * count as f64;
    let mut model = VisionModel::<f32>::new(config, count, threads)?;
    Ok(Work {
        flops,
        memory_bytes: model.memory_bytes(),
        unit: "images",
        count,
        step: Box::new(move || {
            let (first, second, share) = (&labels, &labels, &share);
            let targets = Targets {
                first,
                second,
                share,
            };
            let key = DropoutKey::default();
            model
                .loss_and_gradient(&parameters, &mut gradients, &mut [], &images, targets, key)
                .map(|_| ())
        }),
    })
}

fn measure(name: &str, mut work: Work, threads: usize, rounds: usize) -> Result<(), NnError> {
    // A square product on every thread at once, as large as the second-level cache likes it.
    let size = 576;
    let mut squares: Vec<_> = (0..threads)
        .map(|_| [0.5f32; 3].map(|x| Mat::from_fn(size, size, |_, _| x)))
        .collect();
    let mut gemm = || {
        squares
            .par_iter_mut()
            .with_max_len(1)
            .for_each(|[out, left, right]| {
                matmul(
                    out.as_mut(),
                    Accum::Replace,
                    left.as_ref(),
                    right.as_ref(),
                    1.0,
                    Par::Seq,
                );
            });
    };
    let gemm_flops = 2.0 * (size as f64).powi(3) * threads as f64;

    (work.step)()?;
    let (mut gemm_rates, mut step_rates) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        gemm_rates.push(gemm_flops / time(0.15, &mut gemm));
        (work.step)()?;
        let seconds = time(0.3, || (work.step)().expect("ran before"));
        step_rates.push(work.flops / seconds);
    }
    let ratios = step_rates.iter().zip(&gemm_rates);
    let ratio = median(ratios.map(|(step, gemm)| step / gemm).collect());
    let best = step_rates.iter().copied().fold(0.0, f64::max);
    let (step_rate, gemm_rate) = (median(step_rates), median(gemm_rates));
    let flops_per_unit = work.flops / work.count as f64;
    println!(
        "{name}: {threads} threads, {:.0} {unit}/s (best {:.0}), {:.1} GFLOP/s of {:.1} by GEMM: {:.1} %, {:.0} MB",
        step_rate / flops_per_unit,
        best / flops_per_unit,
        step_rate / 1e9,
        gemm_rate / 1e9,
        100.0 * ratio,
        work.memory_bytes as f64 / 1e6,
        unit = work.unit,
    );
    Ok(())
}
