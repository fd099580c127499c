//! What a run will cost: memory counted, time measured on two steps of the real shapes.

use std::time::Instant;

use serde::Serialize;
use wd_nn::DropoutKey;

use crate::{engine::Engine, error::TrainError, plan::RunPlan, threads::thread_pool};

/// Memory and time of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// Bytes of parameters and gradients.
    pub parameters: u64,
    /// Bytes of optimizer state.
    pub optimizer: u64,
    /// Bytes of activations and gradient accumulators.
    pub activations: u64,
    /// Tokens (or images) a second of forward and backward.
    pub samples_per_second: f64,
    /// Seconds for all steps.
    pub seconds: f64,
}

impl Cost {
    /// Computes two steps on the initial weights and throws them away.
    ///
    /// # Errors
    /// A thread pool that cannot be made; data or weights that cannot be read.
    pub fn measure(plan: &RunPlan, threads: usize) -> Result<Self, TrainError> {
        thread_pool(threads)?.install(|| {
            let mut engine = Engine::load(plan, threads)?;
            let start = engine.position();
            let mut fastest = f64::INFINITY;
            for step in 0..2 {
                // The data may hold no second batch.
                engine.seek(start)?;
                let begin = Instant::now();
                let _loss = engine.gradient(DropoutKey { seed: 0, step })?;
                fastest = fastest.min(begin.elapsed().as_secs_f64());
            }
            let samples_per_second = plan.record.samples_per_step as f64 / fastest;
            let arena = plan.layout.len as u64 * 4;
            let optimizer = engine.optimizer_state();
            let state: usize = optimizer.iter().map(|(_, values)| values.len()).sum();
            Ok(Cost {
                parameters: 2 * arena,
                optimizer: state as u64 * 4,
                activations: engine.task().memory_bytes() as u64,
                samples_per_second,
                seconds: plan.record.steps as f64 * fastest,
            })
        })
    }
}
