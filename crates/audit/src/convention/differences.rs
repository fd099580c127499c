//! What each convention would have done otherwise with the tensors of a checkpoint.

use std::collections::HashSet;

use serde::Serialize;

use super::Convention;
use crate::case::{Parameter, Subject};
use crate::names::{Kind, without_wrappers};

/// The tensors that a convention treats otherwise than these files do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The convention.
    pub convention: Convention,
    /// Tensors that decay here and would not under it, in the order of the file.
    pub spares: Vec<String>,
    /// Tensors that do not decay here and would under it, in the order of the file.
    pub decays: Vec<String>,
    /// Tensors of which it can be said: named, of known shape and with a known λ.
    pub compared: usize,
}

impl Difference {
    /// Whether the files do with every tensor what the convention does.
    pub fn is_none(&self) -> bool {
        self.compared > 0 && self.spares.is_empty() && self.decays.is_empty()
    }
}

/// How many tensors of a kind decay, in these files and under each convention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecayedKind {
    /// The kind.
    pub kind: Kind,
    /// Tensors of this kind of which every convention says something.
    pub tensors: usize,
    /// Those that decay in these files.
    pub here: usize,
    /// Those that decay under each convention, in the order of [`Convention::ALL`].
    pub under: Vec<usize>,
}

/// Which kinds of tensors decay, in the order in which the files first have them.
pub fn decayed_kinds(subject: &Subject) -> Vec<DecayedKind> {
    let biases = modules_with_bias(subject);
    let mut kinds: Vec<DecayedKind> = Vec::new();
    for (parameter, is_decayed) in asked(subject) {
        let verdicts = Convention::ALL.iter().map(|&one| verdict(one, parameter, &biases));
        let (Some(kind), Some(verdicts)) = (parameter.kind, verdicts.collect::<Option<Vec<_>>>())
        else {
            continue;
        };
        let at = kinds.iter().position(|known| known.kind == kind).unwrap_or_else(|| {
            let under = vec![0; Convention::ALL.len()];
            kinds.push(DecayedKind { kind, tensors: 0, here: 0, under });
            kinds.len() - 1
        });
        kinds[at].tensors += 1;
        kinds[at].here += usize::from(is_decayed);
        for (count, decays) in kinds[at].under.iter_mut().zip(verdicts) {
            *count += usize::from(decays);
        }
    }
    kinds
}

/// Parameters of known shape and λ, with whether they decay; flat tensors and adapters left out.
fn asked(subject: &Subject) -> Vec<(&Parameter, bool)> {
    (subject.parameters.iter())
        .filter_map(|parameter| Some((parameter, parameter.lambda? != 0.0)))
        .filter(|(parameter, _)| {
            !matches!(parameter.kind, Some(Kind::Flat | Kind::Adapter)) && parameter.shape.is_some()
        })
        .collect()
}

/// For each convention, the tensors that it would have treated otherwise.
///
/// A parameter that could be one of several tensors is compared where the convention says the same
/// of all of them; it is then listed by its label. Flat tensors and adapters are left out: no
/// convention speaks of them.
pub fn differences(subject: &Subject) -> Vec<Difference> {
    let biases = modules_with_bias(subject);
    let asked = asked(subject);
    let compare = |&convention: &Convention| {
        let (mut spares, mut decays, mut compared) = (Vec::new(), Vec::new(), 0);
        for (parameter, is_decayed) in &asked {
            let Some(would_decay) = verdict(convention, parameter, &biases) else { continue };
            compared += 1;
            match (is_decayed, would_decay) {
                (true, false) => spares.push(parameter.label()),
                (false, true) => decays.push(parameter.label()),
                _ => {}
            }
        }
        Difference { convention, spares, decays, compared }
    };
    Convention::ALL.iter().map(compare).collect()
}

/// What the convention says of a parameter, where it says the same of all that it can be.
fn verdict(
    convention: Convention,
    parameter: &Parameter,
    biases: &HashSet<String>,
) -> Option<bool> {
    let shape = parameter.shape.as_deref()?;
    let names = match &parameter.name {
        Some(name) => std::slice::from_ref(name),
        None => parameter.candidates.as_slice(),
    };
    let mut verdicts = names.iter().map(|name| {
        let kind = Kind::of(name, shape);
        let module = name.rsplit_once('.').map(|(module, _)| without_wrappers(module));
        let has_bias = module.is_some_and(|module| biases.contains(&module));
        convention.decays_typed(name, shape, kind, Some(kind == Kind::Norm && has_bias))
    });
    let first = verdicts.next()?;
    verdicts.all(|verdict| verdict == first).then_some(first)
}

/// The modules of the model and of the optimizers that have a bias.
fn modules_with_bias(subject: &Subject) -> HashSet<String> {
    let model = subject.checkpoint.model.iter().map(|tensor| tensor.name.as_str());
    let named = subject.parameters.iter().filter_map(|parameter| parameter.name.as_deref());
    model.chain(named).filter_map(|name| name.strip_suffix(".bias")).map(without_wrappers).collect()
}
