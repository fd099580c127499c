//! `[optim]` → [`OptimizerConfig`]: the names that users know, their PyTorch defaults, and no key
//! without effect.

use wd_decay::{DecayRule, Momenta, OptimizerKind, Role};
use wd_optim::{AdamParameters, Direction, OptimizerConfig};

use crate::config::{ConfigFault, OptimSection, RunConfig};

/// Resolves the optimizer of a configuration.
pub(super) fn resolve_optimizer(config: &RunConfig) -> Result<OptimizerConfig, ConfigFault> {
    let section = &config.optim;
    let rule = config.decay.rule.unwrap_or_else(|| section.kind.default_rule());
    refuse_keys_without_effect(section)?;
    let adam = AdamParameters {
        beta1: section.beta1.unwrap_or(0.9),
        // GPT training uses 0.95 (GPT-3, LLaMA, nanoGPT); PyTorch's own default is 0.999.
        beta2: section.beta2.unwrap_or(0.95),
        epsilon: section.epsilon.unwrap_or(1e-8),
    };
    let direction = match section.kind {
        OptimizerKind::Adam | OptimizerKind::Adamw => Direction::Adam(adam),
        OptimizerKind::Sgd => Direction::Sgd {
            momentum: section.momentum.unwrap_or(0.9),
            dampening: section.dampening.unwrap_or(0.0),
            nesterov: section.nesterov.unwrap_or(false),
        },
        OptimizerKind::Lion => Direction::Lion {
            beta1: section.beta1.unwrap_or(0.9),
            beta2: section.beta2.unwrap_or(0.99),
        },
        OptimizerKind::Muon => Direction::Muon {
            momentum: section.momentum.unwrap_or(0.95),
            nesterov: section.nesterov.unwrap_or(true),
            newton_schulz_steps: 5,
            auxiliary: adam,
            auxiliary_learning_rate_ratio: section.auxiliary_lr_ratio.unwrap_or(1.0),
        },
        kind @ (OptimizerKind::Nadam | OptimizerKind::Radam | OptimizerKind::Adafactor) => {
            return Err(ConfigFault::Untrainable { kind });
        }
    };
    let optimizer = OptimizerConfig {
        direction,
        rule,
        cautious: config.decay.cautious,
        clip: (section.clip > 0.0).then_some(section.clip),
    };
    // The modifier is refused for its rule, whatever the optimizer.
    let key = match rule {
        DecayRule::CoupledL2 | DecayRule::Hyperball if optimizer.cautious => "decay.cautious",
        _ => "optim",
    };
    optimizer.validate().map_err(|source| ConfigFault::Optimizer { key, source })?;
    optimizer
        .validate_storage(section.storage)
        .map_err(|source| ConfigFault::Optimizer { key: "optim.storage", source })?;
    Ok(optimizer)
}

fn refuse_keys_without_effect(section: &OptimSection) -> Result<(), ConfigFault> {
    use OptimizerKind::{Adam, Adamw, Lion, Muon, Sgd};
    let written: [(&str, bool, &[OptimizerKind]); 7] = [
        ("beta1", section.beta1.is_some(), &[Adam, Adamw, Lion, Muon]),
        ("beta2", section.beta2.is_some(), &[Adam, Adamw, Lion, Muon]),
        ("epsilon", section.epsilon.is_some(), &[Adam, Adamw, Muon]),
        ("momentum", section.momentum.is_some(), &[Sgd, Muon]),
        ("dampening", section.dampening.is_some(), &[Sgd]),
        ("nesterov", section.nesterov.is_some(), &[Sgd, Muon]),
        ("auxiliary_lr_ratio", section.auxiliary_lr_ratio.is_some(), &[Muon]),
    ];
    for (key, is_written, kinds) in written {
        if is_written && !kinds.contains(&section.kind) {
            return Err(ConfigFault::NotOfOptimizer {
                key: format!("optim.{key}"),
                optimizer: section.kind.name(),
                users: kinds.iter().map(|kind| kind.name()).collect(),
            });
        }
    }
    Ok(())
}

/// Muon orthogonalises hidden matrices, and convolutions as the matrices that they are; everything
/// else goes to its auxiliary AdamW.
pub(super) fn auxiliary(role: Role) -> bool {
    !matches!(role, Role::Matrix | Role::Convolution)
}

/// The learning rate of a tensor over that of the configuration: that of Muon's auxiliary AdamW is
/// its own.
pub(super) fn learning_rate_ratio(direction: &Direction, role: Role) -> f64 {
    match direction {
        Direction::Muon { auxiliary_learning_rate_ratio, .. } if auxiliary(role) => {
            *auxiliary_learning_rate_ratio
        }
        _ => 1.0,
    }
}

/// How the direction remembers earlier gradients.
pub(super) fn momenta(direction: &Direction) -> Momenta {
    match *direction {
        Direction::Sgd { momentum, dampening, nesterov } => {
            Momenta { momentum, dampening, nesterov, ..Momenta::default() }
        }
        Direction::Muon { momentum, nesterov, auxiliary, .. } => {
            let AdamParameters { beta1, beta2, .. } = auxiliary;
            Momenta { momentum, nesterov, beta1, beta2, ..Momenta::default() }
        }
        Direction::Adam(AdamParameters { beta1, beta2, .. }) | Direction::Lion { beta1, beta2 } => {
            Momenta { beta1, beta2, ..Momenta::default() }
        }
    }
}
