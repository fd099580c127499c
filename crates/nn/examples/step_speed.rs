//! How fast is a training step, and how near to the GEMM rate of the same machine at the same
//! moment?
//!
//! ```text
//! cargo run --release -p wd-nn --example step_speed -- [tiny|small|medium]… [--threads N] [--rounds N]
//! ```
//!
//! Rounds alternate between the GEMM and the step, since other work on the machine moves both; the
//! ratio is the median over rounds of neighbours.

use std::time::Instant;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use rayon::prelude::*;
use wd_nn::{DropoutKey, Gpt, GptConfig};

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
            "--threads" => threads = arguments.next().ok_or("--threads needs a number")?.parse()?,
            "--rounds" => rounds = arguments.next().ok_or("--rounds needs a number")?.parse()?,
            name => names.push(name.to_owned()),
        }
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    for (name, config, sequences) in shapes() {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            pool.install(|| measure(name, config, sequences, threads, rounds))?;
        }
    }
    Ok(())
}

fn measure(
    name: &str,
    config: GptConfig,
    sequences: usize,
    threads: usize,
    rounds: usize,
) -> Result<(), wd_nn::NnError> {
    // A square product on every thread at once, as large as the second-level cache likes it.
    let size = 576;
    let mut squares: Vec<_> =
        (0..threads).map(|_| [0.5f32; 3].map(|x| Mat::from_fn(size, size, |_, _| x))).collect();
    let mut gemm = || {
        squares.par_iter_mut().with_max_len(1).for_each(|[out, left, right]| {
            matmul(out.as_mut(), Accum::Replace, left.as_ref(), right.as_ref(), 1.0, Par::Seq);
        });
    };
    let gemm_flops = 2.0 * (size as f64).powi(3) * threads as f64;

    let mut parameters = vec![0.0f32; config.layout().len];
    config.initialize(1, &mut parameters)?;
    let mut gradients = vec![0.0f32; parameters.len()];
    let tokens = sequences * config.context;
    let token = |index: usize| ((index * 7919 + index * index % 101) % config.vocabulary) as u32;
    let inputs: Vec<u32> = (0..tokens).map(token).collect();
    let targets: Vec<u32> = (1..=tokens).map(token).collect();
    let mut gpt = Gpt::<f32>::new(config.clone(), sequences, threads)?;
    let step_flops = gpt.flops_per_token() * tokens as f64;
    let key = DropoutKey::default();
    gpt.loss_and_gradient(&parameters, &mut gradients, &inputs, &targets, key)?;

    let (mut gemm_rates, mut step_rates, mut loss_rates) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        gemm_rates.push(gemm_flops / time(0.15, &mut gemm));
        let mut step = || {
            gpt.loss_and_gradient(&parameters, &mut gradients, &inputs, &targets, key).map(|_| ())
        };
        step()?;
        step_rates.push(step_flops / time(0.3, || step().expect("ran before")));
        loss_rates.push(
            step_flops
                / 3.0
                / time(0.1, || {
                    gpt.loss(&parameters, &inputs, &targets).map(|_| ()).expect("ran before");
                }),
        );
    }
    let ratio = |rates: &[f64]| {
        median(rates.iter().zip(&gemm_rates).map(|(rate, gemm)| rate / gemm).collect())
    };
    let (step_ratio, loss_ratio) = (ratio(&step_rates), ratio(&loss_rates));
    let best = step_rates.iter().copied().fold(0.0, f64::max);
    let (step_rate, gemm_rate) = (median(step_rates), median(gemm_rates));
    println!(
        "{name}: {threads} threads, {:.0} tokens/s (best {:.0}), {:.1} GFLOP/s of {:.1} by GEMM: {:.1} % \
         (loss alone {:.1} %), {:.0} MB",
        step_rate / gpt.flops_per_token(),
        best / gpt.flops_per_token(),
        step_rate / 1e9,
        gemm_rate / 1e9,
        100.0 * step_ratio,
        100.0 * loss_ratio,
        gpt.memory_bytes() as f64 / 1e6,
    );
    Ok(())
}
