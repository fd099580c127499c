//! A small plan with two matrices and a bias.

use std::path::Path;

use wd_store::{Plan, PlannedTensor, RunDirectory};

/// A plan with awkward, but finite, numbers.
pub(crate) fn plan() -> Plan {
    let tensor = |path: &str, shape: &[usize], role: &str| PlannedTensor {
        path: path.to_owned(),
        shape: shape.to_vec(),
        role: role.to_owned(),
        parameters: shape.iter().product::<usize>() as u64,
        lambda: 0.1,
        reason: "2-D: decays (nanogpt)".to_owned(),
        initial_rms: 0.02,
    };
    Plan {
        format: Plan::FORMAT,
        program: "0.1.0".to_owned(),
        seed: u64::MAX,
        steps: 3,
        unit: wd_store::DataUnit::Token,
        tokens_per_step: 2048,
        training_tokens: 6144,
        validation_tokens: 512,
        epochs: 1.0,
        corpus_hash: "af".repeat(32),
        images: None,
        parameters: 14,
        decayed_parameters: 12,
        optimizer: "adamw".to_owned(),
        beta1: 0.9,
        rule: "decoupled".to_owned(),
        cautious: false,
        lambda: 0.1,
        peak_learning_rate: 1.0 / 3.0,
        schedule: "cosine".to_owned(),
        schedule_description: "cosine to 10 %".to_owned(),
        kappa: 5e-324,
        tau_steps: None,
        tau_fraction: Some(0.1 + 0.2),
        tokens_per_parameter: 22.6,
        learning_rates: vec![1e-3, 2.2250738585072014e-308, 0.0],
        shrinks: vec![1e-4, 1e-5, 0.0],
        tensors: vec![
            tensor("block.0.up.weight", &[2, 3], "matrix"),
            tensor("block.1.up.weight", &[3, 2], "matrix"),
            tensor("block.1.up.bias", &[2], "bias"),
        ],
    }
}

/// A new run directory `run` in `parent`.
pub(crate) fn run(parent: &Path) -> RunDirectory {
    RunDirectory::create_or_open(parent.join("run")).expect("a temporary directory")
}
