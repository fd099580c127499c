//! All that rules look at: checkpoints with named parameters, configurations, and what was proved.

use serde::Serialize;
use wd_decay::{DecayRule, OptimizerKind};

use crate::checkpoint::{Checkpoint, Group, OptimizerState, ParameterState};
use crate::dialect::Declaration;
use crate::estimate::Proof;
use crate::names::{Kind, Naming};
use crate::tensor::Tensor;

/// One parameter of an optimizer, with what is known of it.
#[derive(Debug, Clone, Serialize)]
pub struct Parameter {
    /// Its name; nothing where it could be one of `candidates`, or no model is here.
    pub name: Option<String>,
    /// Names that it could have, where they cannot be told apart.
    pub candidates: Vec<String>,
    /// Index of its optimizer in the checkpoint.
    pub optimizer: usize,
    /// Index of its group in the optimizer.
    pub group: usize,
    /// Index among all parameters of the optimizer, in the order of the groups.
    pub index: usize,
    /// Sizes of its axes, from the state or the weights.
    pub shape: Option<Vec<usize>>,
    /// What it is for, as far as name and shape tell.
    pub kind: Option<Kind>,
    /// λ of its group.
    pub lambda: Option<f64>,
    /// Whether the optimizer keeps a state for it: torch makes one at the first gradient.
    pub has_state: bool,
}

impl Parameter {
    /// The name, or words that stand for it: `parameter 17 (256×64)`.
    pub fn label(&self) -> String {
        match (&self.name, self.candidates.as_slice(), &self.shape) {
            (Some(name), _, _) => name.clone(),
            (None, [], Some(shape)) => {
                let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
                format!("parameter {} ({})", self.index, sizes.join("×"))
            }
            (None, [], None) => format!("parameter {}", self.index),
            (None, candidates, _) => format!("one of {}", candidates.join(", ")),
        }
    }
}

/// A checkpoint with its parameters named.
#[derive(Debug, Clone, Serialize)]
pub struct Subject {
    /// What was read.
    pub checkpoint: Checkpoint,
    /// How parameters got their names, one for each optimizer.
    pub naming: Vec<Naming>,
    /// The parameters of all optimizers.
    pub parameters: Vec<Parameter>,
    /// Configurations found in the checkpoint or beside it.
    pub declarations: Vec<Declaration>,
}

impl Subject {
    /// The group of a parameter.
    pub fn group(&self, parameter: &Parameter) -> &Group {
        &self.checkpoint.optimizers[parameter.optimizer].groups[parameter.group]
    }

    /// What the optimizer keeps for a parameter.
    pub fn state(&self, parameter: &Parameter) -> Option<&ParameterState> {
        let optimizer = &self.checkpoint.optimizers[parameter.optimizer];
        let ids = optimizer.groups.iter().flat_map(|group| &group.parameters);
        optimizer.state(ids.clone().nth(parameter.index)?)
    }

    /// The weights of a parameter.
    pub fn weights(&self, parameter: &Parameter) -> Option<&Tensor> {
        self.checkpoint.tensor(parameter.name.as_deref()?)
    }

    /// How λ of a group acts, as far as the files and the configurations tell.
    pub fn rule(&self, case: &Case, optimizer: usize, group: usize) -> Option<DecayRule> {
        let saved = &self.checkpoint.optimizers[optimizer];
        let decoupled = is_decoupled(saved, &saved.groups[group], self.declared(case))?;
        Some(if decoupled { DecayRule::Decoupled } else { DecayRule::CoupledL2 })
    }

    /// The configurations that hold for this checkpoint: those given, else those found with it.
    pub fn declared<'a>(&'a self, case: &'a Case) -> &'a [Declaration] {
        match case.declarations.as_slice() {
            [] => &self.declarations,
            given => given,
        }
    }
}

/// Whether the decay of a group stands beside the gradient: as the file says, else as the name of
/// the optimizer has it, else as a configuration says, else as the kind of optimizer has it.
///
/// Adam and AdamW of before PyTorch 2.15 keep the same state under the same keys: without a name
/// and a configuration nothing is said of them.
pub(crate) fn is_decoupled(
    optimizer: &OptimizerState,
    group: &Group,
    declarations: &[Declaration],
) -> Option<bool> {
    let name = optimizer.name.as_deref().unwrap_or_default().to_lowercase();
    let by_name = || {
        let decoupled = ["adamw", "lion", "muon", "decoupled"];
        decoupled.iter().any(|part| name.contains(part)).then_some(true)
    };
    let declared = || declarations.iter().find_map(|declaration| declaration.decoupled);
    let keeps = |name: &str| optimizer.states.iter().any(|state| state.tensor(name).is_some());
    let by_kind = || {
        if keeps("exp_inf") || name.contains("adamax") {
            return Some(false);
        }
        let kind = kind(optimizer, &name)?;
        let is_told = !name.is_empty() || !kind.is_like_adam();
        is_told.then(|| kind.default_rule() == DecayRule::Decoupled)
    };
    group.decoupled.or_else(by_name).or_else(declared).or_else(by_kind)
}

/// The kind of an optimizer: by its name in small letters, else by what it keeps and what its
/// groups set.
fn kind(optimizer: &OptimizerState, name: &str) -> Option<OptimizerKind> {
    let by_name = [
        ("adafactor", OptimizerKind::Adafactor),
        ("nadam", OptimizerKind::Nadam),
        ("radam", OptimizerKind::Radam),
        ("adam", OptimizerKind::Adam),
        ("sgd", OptimizerKind::Sgd),
    ];
    if let Some(&(_, kind)) = by_name.iter().find(|(part, _)| name.contains(part)) {
        return Some(kind);
    }
    let keeps = |name: &str| optimizer.states.iter().any(|state| state.tensor(name).is_some());
    let sets = |key: &str| {
        optimizer.groups.iter().any(|group| group.settings.iter().any(|(name, _)| name == key))
    };
    let has_momentum =
        || optimizer.groups.iter().any(|group| group.momentum.is_some() && group.betas.is_none());
    match () {
        () if sets("ns_steps") || sets("ns_coefficients") => Some(OptimizerKind::Muon),
        () if keeps("exp_avg") && keeps("exp_avg_sq") => Some(OptimizerKind::Adam),
        () if keeps("exp_avg") => Some(OptimizerKind::Lion),
        () if sets("dampening") || keeps("momentum_buffer") || has_momentum() => {
            Some(OptimizerKind::Sgd)
        }
        () => None,
    }
}

/// All that is judged together.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Case {
    /// The checkpoints, in the order of their steps.
    pub subjects: Vec<Subject>,
    /// Configurations given beside them.
    pub declarations: Vec<Declaration>,
    /// What the files prove.
    pub proof: Proof,
}
