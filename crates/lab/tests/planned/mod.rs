//! Plans for tests that read run directories.

use wd_decay::{
    Anchor, DecayRule, Dtype, Momenta, OptimizerKind, Preset, Role, Schedule, Storage, Unit,
};

use wd_store::{Plan, PlannedTensor};

/// A tensor of a plan.
pub(crate) fn tensor(
    path: &str,
    role: Role,
    shape: &[usize],
    lambda: f64,
    initial_rms: f64,
) -> PlannedTensor {
    PlannedTensor {
        path: path.to_owned(),
        shape: shape.to_vec(),
        role,
        parameters: shape.iter().product::<usize>() as u64,
        lambda,
        rate_ratio: 1.0,
        reason: String::new(),
        initial_rms,
    }
}

/// A run of AdamW on text at a constant rate, in which nothing is out of the ordinary. A test says
/// what matters to it: `Plan { seed: 3, ..planned::plan(100, tensors) }`.
pub(crate) fn plan(steps: u64, tensors: Vec<PlannedTensor>) -> Plan {
    let parameters_of = |counts: fn(&PlannedTensor) -> bool| -> u64 {
        tensors.iter().filter(|tensor| counts(tensor)).map(|tensor| tensor.parameters).sum()
    };
    Plan {
        format: Plan::FORMAT,
        program: "test".to_owned(),
        seed: 0,
        steps,
        unit: Unit::Token,
        samples_per_step: 2048,
        training_samples: 500_000,
        validation_samples: 50_000,
        epochs: 0.98,
        samples_per_parameter: 22.6,
        data_path: "corpus".into(),
        corpus_hash: "c0ffee".to_owned(),
        text: None,
        images: None,
        model: "2 layers".to_owned(),
        init_from: None,
        parameters: parameters_of(|_| true),
        decayed_parameters: parameters_of(|tensor| tensor.lambda != 0.0),
        dtype: Dtype::F32,
        storage: Storage::F32,
        optimizer: OptimizerKind::Adamw,
        momenta: Momenta { beta1: 0.9, ..Momenta::default() },
        clip: 1.0,
        policy: Preset::Nanogpt,
        rule: DecayRule::Decoupled,
        cautious: false,
        anchor: Anchor::Zero,
        lambda: 0.1,
        lambda_schedule: Schedule::constant(steps),
        peak_learning_rate: 8e-3,
        schedule: Schedule::constant(steps),
        effective_rate_of: None,
        kappa: 0.0,
        tau_steps: None,
        tau_fraction: None,
        tensors,
    }
}
