//! A group of an optimizer, and what its λ comes to.

use serde::Serialize;
use wd_decay::DecayRule;

use crate::case::{Parameter, Subject};

/// A group of parameters with common settings.
#[derive(Debug, Clone, Serialize)]
pub struct GroupSummary {
    /// Its place among the groups of its optimizer.
    pub index: usize,
    /// λ.
    pub lambda: Option<f64>,
    /// The key that λ was read from.
    pub lambda_key: Option<String>,
    /// Learning rate as saved.
    pub rate: Option<f64>,
    /// Learning rate that the schedule started from.
    pub initial_rate: Option<f64>,
    /// β₁ and β₂.
    pub betas: Option<(f64, f64)>,
    /// Momentum.
    pub momentum: Option<f64>,
    /// How λ acts, where the file or a configuration says so.
    pub rule: Option<DecayRule>,
    /// ηλ at the saved rate, for a decoupled rule.
    pub shrink: Option<f64>,
    /// τ = 1/(ηλ) in steps at the saved rate.
    pub timescale_steps: Option<f64>,
    /// Number of parameter tensors.
    pub tensors: usize,
    /// Number of parameters, as far as shapes are known.
    pub parameters: Option<u64>,
    /// Names of its tensors.
    pub names: Vec<String>,
}

impl GroupSummary {
    pub(super) fn of(
        subject: &Subject,
        optimizer: usize,
        index: usize,
        rule: Option<DecayRule>,
    ) -> Self {
        let group = &subject.checkpoint.optimizers[optimizer].groups[index];
        let members: Vec<&Parameter> = subject
            .parameters
            .iter()
            .filter(|parameter| parameter.optimizer == optimizer && parameter.group == index)
            .collect();
        let shrink = match (rule, group.lambda, group.rate) {
            (Some(DecayRule::Decoupled), Some(lambda), Some(rate)) => Some(lambda * rate),
            _ => None,
        };
        GroupSummary {
            index,
            lambda: group.lambda,
            lambda_key: group.lambda_key.clone(),
            rate: group.rate,
            initial_rate: group.initial_rate,
            betas: group.betas,
            momentum: group.momentum,
            rule,
            shrink,
            timescale_steps: shrink.filter(|&shrink| shrink > 0.0).map(f64::recip),
            tensors: group.parameters.len(),
            parameters: elements(&members),
            names: members.iter().map(|parameter| parameter.label()).collect(),
        }
    }
}

/// Elements of all, if every shape is known.
pub(super) fn elements(parameters: &[&Parameter]) -> Option<u64> {
    let each = parameters.iter().map(|parameter| {
        let shape = parameter.shape.as_deref()?;
        shape.iter().try_fold(1_u64, |n, &size| n.checked_mul(size as u64))
    });
    each.sum()
}
