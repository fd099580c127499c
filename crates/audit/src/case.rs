//! All that rules look at: checkpoints with named parameters, configurations, and what was proved.

use serde::Serialize;

use crate::checkpoint::{Checkpoint, Group, ParameterState};
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

    /// The configurations that hold for this checkpoint: those given, else those found with it.
    pub fn declared<'a>(&'a self, case: &'a Case) -> &'a [Declaration] {
        match case.declarations.as_slice() {
            [] => &self.declarations,
            given => given,
        }
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
