//! S11: embedding and head are one tensor, and decay as one.

use wd_page::number::short;

use super::evidence::{decays, is_declared_tied, tied};
use super::words::listed;
use super::{Report, Rule};
use crate::case::{Case, Parameter, Subject};
use crate::finding::{Place, Severity};
use crate::names::Kind;

pub(super) static RULE: Rule = Rule {
    id: "S11",
    name: "tied-head",
    severity: Severity::Note,
    finds: "The embedding and the head are one tensor, which decays as both.",
    why: "Where embedding and head are tied, sparing the embedding spares the head, and decaying \
        the head decays the embedding. Recipes that treat them differently cannot be followed. The \
        gradient of the softmax reaches every row, so that no row of such an embedding is ever \
        without gradient, and λ cannot be proved from unused rows.",
    seen: "Two names of the model are the same view of one storage, or the configuration beside it \
        says tie_word_embeddings, and the tensor's group has λ above 0. This needs the model and a \
        saved optimizer. safetensors keep one of two tied tensors, and do not show it by \
        themselves.",
    mend: "Decide for the tensor as a whole, or untie the two:\
        \n\n    model.lm_head.weight = nn.Parameter(model.wte.weight.detach().clone())\
        \n\nList a tied tensor in one group only.",
    no_fault: "It is a note. Tensors with equal values in storages of their own are not tied, and \
        a tied tensor that does not decay is not reported.",
    cases: &[],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let Some((names, parameter)) = tied_parameter(subject) else { continue };
        let message = match names.len() {
            1 => format!(
                "{} is the embedding and the head in one, and decays with λ = {}.",
                listed(&names),
                short(parameter.lambda.unwrap_or(f64::NAN))
            ),
            _ => format!(
                "{} are one tensor, and it decays with λ = {}.",
                listed(&names),
                short(parameter.lambda.unwrap_or(f64::NAN))
            ),
        };
        let fix = "Decide for the tensor as a whole; prove λ from other tensors.".to_owned();
        report.add(Place::file(&subject.checkpoint.path), message, fix, names);
    }
}

/// The names of a tied tensor, and the parameter that it is.
fn tied_parameter(subject: &Subject) -> Option<(Vec<String>, &Parameter)> {
    let mut decaying = subject.parameters.iter().filter(|one| decays(one));
    if let Some((first, second)) = tied(subject) {
        let is_it = |one: &&Parameter| {
            one.name.as_deref().is_some_and(|name| name == first || name == second)
        };
        return Some((vec![first.to_owned(), second.to_owned()], decaying.find(is_it)?));
    }
    let has_head = subject.parameters.iter().any(|one| one.kind == Some(Kind::Head));
    let embedding = decaying.find(|one| one.kind == Some(Kind::Embedding))?;
    (is_declared_tied(subject) && !has_head).then(|| (vec![embedding.label()], embedding))
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::rules::testing::*;

    pub(crate) fn fault() -> Case {
        let mut subject = adamw(&[(0.1, &[MATRICES, EMBEDDING]), (0.0, &[NORMS, BIASES])]);
        let embedding = subject.checkpoint.tensor("wte.weight").unwrap().clone();
        subject.checkpoint.model.push(named("lm_head.weight", embedding));
        one(subject)
    }

    /// Equal values in storages of their own.
    pub(crate) fn look_alike() -> Case {
        one(clean())
    }
}
