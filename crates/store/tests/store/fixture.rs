//! A small plan with two matrices and a bias.

use std::path::Path;

use wd_decay::{
    Anchor, DecayRule, Dtype, Momenta, OptimizerKind, Preset, Role, Schedule, ScheduleKind,
    Storage, Unit,
};
use wd_store::{Plan, PlannedTensor, RunDirectory};

/// A plan with awkward, but finite, numbers.
pub(crate) fn plan() -> Plan {
    let tensor = |path: &str, shape: &[usize], role: Role| PlannedTensor {
        path: path.to_owned(),
        shape: shape.to_vec(),
        role,
        parameters: shape.iter().product::<usize>() as u64,
        lambda: 0.1,
        rate_ratio: 1.0,
        reason: "2-D: decays (nanogpt)".to_owned(),
        initial_rms: 0.02,
    };
    Plan {
        format: Plan::FORMAT,
        program: "0.1.0".to_owned(),
        seed: u64::MAX,
        steps: 3,
        unit: Unit::Token,
        samples_per_step: 2048,
        training_samples: 6144,
        validation_samples: 512,
        epochs: 1.0,
        samples_per_parameter: 22.6,
        data_path: "runs/sotu".into(),
        corpus_hash: "af".repeat(32),
        text: None,
        images: None,
        model: "2 layers".to_owned(),
        init_from: None,
        parameters: 14,
        decayed_parameters: 12,
        dtype: Dtype::F32,
        storage: Storage::F32,
        optimizer: OptimizerKind::Adamw,
        momenta: Momenta { beta1: 0.9, beta2: 0.95, ..Momenta::default() },
        clip: 1.0,
        policy: Preset::Nanogpt,
        rule: DecayRule::Decoupled,
        cautious: false,
        anchor: Anchor::Norm(1.5),
        lambda: 0.1,
        lambda_schedule: Schedule::new(ScheduleKind::WarmupStableDecay, 1, 3, 0.1 + 0.2, 2)
            .expect("a schedule"),
        peak_learning_rate: 1.0 / 3.0,
        effective_rate_of: None,
        schedule: Schedule::constant(3),
        kappa: 5e-324,
        tau_steps: None,
        tau_fraction: Some(0.1 + 0.2),
        tensors: vec![
            tensor("block.0.up.weight", &[2, 3], Role::Matrix),
            tensor("block.1.up.weight", &[3, 2], Role::Matrix),
            tensor("block.1.up.bias", &[2], Role::Bias),
        ],
    }
}

/// A new run directory `run` in `parent`.
pub(crate) fn run(parent: &Path) -> RunDirectory {
    RunDirectory::create_or_open(parent.join("run")).expect("a temporary directory")
}
