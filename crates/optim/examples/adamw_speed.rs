//! Times the fused AdamW step, measurements on, and prints one line of JSON.
//!
//! `cargo run --release -p wd-optim --example adamw_speed -- [--threads N] [--parameters N]
//! [--steps N] [--clip 1]`
//!
//! The arena is cut into matrices of a million parameters, each with a vector of a thousand beside
//! it, as in a transformer. With `--clip` gradients are clipped to that global norm first.
//! `traffic_milliseconds` is the time of a loop that does nothing but move the same 28 bytes a
//! parameter (it reads four arenas and writes three): no step in f32 can be faster.

use std::time::Instant;

use rayon::prelude::*;
use wd_decay::{DecayRule, LearningRate, PeakLearningRate};
use wd_optim::{
    AdamParameters, Direction, Optimizer, OptimizerConfig, StepSettings, TensorSettings,
};

const WARM_UP: usize = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut parameters, mut threads, mut steps) = (50_000_000_usize, 2, 20);
    let mut clip = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or("a number is missing")?;
        if name == "--clip" {
            clip = Some(value.parse()?);
            continue;
        }
        let value = value.parse()?;
        match name.as_str() {
            "--parameters" => parameters = value,
            "--threads" => threads = value,
            "--steps" => steps = value,
            _ => return Err(format!("unknown option {name}").into()),
        }
    }

    let mut tensors = Vec::new();
    let mut offset = 0;
    while offset < parameters {
        let rows = if tensors.len() % 2 == 0 { 1000 } else { 1 };
        let length = (rows * 1000).min(parameters - offset);
        let (shape, lambda) =
            if rows == 1 { (vec![length], 0.0) } else { (vec![length.div_ceil(1000), 1000], 0.1) };
        let shape = if shape.iter().product::<usize>() == length { shape } else { vec![length] };
        tensors.push(TensorSettings { offset, shape, lambda, auxiliary: false });
        offset += length;
    }
    let config = OptimizerConfig {
        direction: Direction::Adam(AdamParameters { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 }),
        rule: DecayRule::Decoupled,
        cautious: false,
        clip,
    };
    let settings = StepSettings {
        learning_rate: LearningRate(1e-3),
        peak_learning_rate: PeakLearningRate(1e-3),
        lambda_factor: 1.0,
    };
    let mut optimizer = Optimizer::new(config, tensors, parameters)?;
    let wave = |scale: f32| -> Vec<f32> {
        (0..parameters).map(|index| scale * (index as f32 * 0.7).sin()).collect()
    };
    let (mut weights, gradients) = (wave(0.02), wave(1e-3));

    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let (mut times, mut traffic_times) = pool.install(|| -> Result<_, wd_optim::OptimError> {
        let mut times = Vec::new();
        for step in 0..WARM_UP + steps {
            let start = Instant::now();
            optimizer.step(&mut weights, &gradients, settings)?;
            if step >= WARM_UP {
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
        let (mut first, mut second) = (vec![0.0_f32; parameters], vec![0.0_f32; parameters]);
        let mut traffic_times = Vec::new();
        for step in 0..WARM_UP + steps {
            let start = Instant::now();
            move_memory(&mut weights, &gradients, &mut first, &mut second);
            if step >= WARM_UP {
                traffic_times.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
        Ok((times, traffic_times))
    })?;
    times.sort_by(f64::total_cmp);
    traffic_times.sort_by(f64::total_cmp);
    let (median, best) = (times[times.len() / 2], times[0]);
    let traffic = traffic_times[traffic_times.len() / 2];
    println!(
        "{{\"milliseconds\":{median:.3},\"best_milliseconds\":{best:.3},\"traffic_milliseconds\":{traffic:.3},\"parameters\":{parameters},\"threads\":{threads},\
         \"instruction_set\":\"{}\"}}",
        wd_optim::instruction_set()
    );
    Ok(())
}

/// Reads four arenas and writes three, as AdamW does, with one addition for each number written.
fn move_memory(weights: &mut [f32], gradients: &[f32], first: &mut [f32], second: &mut [f32]) {
    const CHUNK: usize = 1 << 16;
    let states = first.par_chunks_mut(CHUNK).zip(second.par_chunks_mut(CHUNK));
    weights.par_chunks_mut(CHUNK).zip(gradients.par_chunks(CHUNK)).zip(states).for_each(
        |((weights, gradients), (first, second))| {
            let states = first.iter_mut().zip(second);
            for ((weight, gradient), (first, second)) in
                weights.iter_mut().zip(gradients).zip(states)
            {
                *weight += gradient;
                *first += gradient;
                *second += gradient;
            }
        },
    );
}
