//! `[optim]` → [`OptimizerConfig`]: the names that users know, their PyTorch defaults, and no key without effect.

use wd_decay::{DecayRule, Momenta, OptimizerKind, Role};
use wd_optim::{AdamParameters, Direction, OptimizerConfig};

use crate::{ConfigSource, TrainError, config::OptimSection};

/// Resolves the optimizer of a configuration.
pub(crate) fn resolve_optimizer(
    source: &ConfigSource,
    rule: DecayRule,
) -> Result<OptimizerConfig, TrainError> {
    let section = &source.config.optim;
    refuse_keys_without_effect(source, section)?;
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
    };
    let config = OptimizerConfig {
        direction,
        rule,
        cautious: source.config.decay.cautious,
        clip: (section.clip > 0.0).then_some(section.clip),
    };
    // The modifier is refused for its rule, whatever the optimizer.
    let place = match rule {
        DecayRule::CoupledL2 | DecayRule::Hyperball if config.cautious => "decay.cautious",
        _ => "optim",
    };
    config.validate().map_err(|error| {
        source.invalid(
            place,
            error.to_string(),
            "mend [optim], decay.rule or decay.cautious; `wd train --help` lists which go together",
        )
    })?;
    Ok(config)
}

fn refuse_keys_without_effect(
    source: &ConfigSource,
    section: &OptimSection,
) -> Result<(), TrainError> {
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
            let users: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            return Err(source.invalid(
                &format!("optim.{key}"),
                format!("{} has no `{key}`", section.kind.name()),
                format!("remove it, or choose one of: {}", users.join(", ")),
            ));
        }
    }
    Ok(())
}

/// Muon orthogonalises hidden matrices, and convolutions as the matrices that they are; everything else goes to its
/// auxiliary AdamW.
pub(crate) fn auxiliary(role: Role) -> bool {
    !matches!(role, Role::Matrix | Role::Convolution)
}

/// The learning rate of a tensor over that of the configuration: that of Muon's auxiliary AdamW is its own.
pub(crate) fn learning_rate_ratio(direction: &Direction, role: Role) -> f64 {
    match direction {
        Direction::Muon { auxiliary_learning_rate_ratio, .. } if auxiliary(role) => {
            *auxiliary_learning_rate_ratio
        }
        _ => 1.0,
    }
}

/// How the direction remembers earlier gradients.
pub(crate) fn momenta(direction: &Direction) -> Momenta {
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
