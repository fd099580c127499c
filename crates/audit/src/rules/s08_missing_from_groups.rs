//! S08: a tensor that looks trainable lies in no group.

use std::collections::HashSet;

use super::words::{agree, listed};
use super::{Report, Rule};
use crate::case::{Case, Subject};
use crate::checkpoint::NamedTensor;
use crate::finding::{Place, Severity};
use crate::names::Kind;

/// Ends of the names of buffers: tensors of a model that no optimizer updates.
const BUFFERS: [&str; 14] = [
    "running_mean",
    "running_var",
    "num_batches_tracked",
    "inv_freq",
    "position_ids",
    "mask",
    "attn.bias",
    "masked_bias",
    "relative_position_index",
    "cos_cached",
    "sin_cached",
    "freqs_cis",
    "anchors",
    "token_type_ids",
];

pub(super) static RULE: Rule = Rule {
    id: "S08",
    name: "missing-from-groups",
    severity: Severity::Warning,
    finds: "A tensor of the model that looks trainable is in no group of the optimizer.",
    why: "A tensor that no group holds is neither trained nor decayed: it stays at its random \
        start, and the rest of the model learns around it. Two conditions that should cover every \
        parameter leave a gap, or a module is added after the optimizer was made.",
    seen: "The model has a floating-point tensor in a module of which other tensors are in the \
        optimizer, and no group lists it. This needs the model, a saved optimizer, and the names \
        of its parameters.",
    mend: "Count once, when the groups are made:\
        \n\n    grouped = {id(p) for group in groups for p in group[\"params\"]}\
        \n    missing = [n for n, p in model.named_parameters() if id(p) not in grouped]\
        \n\nThe list should hold what is frozen, and no more.",
    no_fault: "Buffers, tensors that are tied to one in a group, whole modules that are frozen, \
        and the weights under adapters are rightly in no group, and are not reported; neither is \
        anything where more is missing than is there.",
    cases: &["flamingo-mini#2"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let names = missing(subject);
        if names.is_empty() {
            continue;
        }
        let message = format!(
            "{} {} in no group of the optimizer, although other tensors of the same module are.",
            listed(&names),
            agree(&names, "is", "are")
        );
        let fix = "Cover every parameter by a group, or freeze on purpose what is left out.";
        report.add(Place::file(&subject.checkpoint.path), message, fix.to_owned(), names);
    }
}

fn missing(subject: &Subject) -> Vec<String> {
    let parameters = &subject.parameters;
    let grouped: HashSet<&str> = parameters.iter().filter_map(|one| one.name.as_deref()).collect();
    let has_adapters = parameters.iter().any(|one| one.kind == Some(Kind::Adapter));
    // Where one parameter has no name, a tensor that seems to be missing may be that one.
    if grouped.is_empty() || has_adapters || parameters.iter().any(|one| one.name.is_none()) {
        return Vec::new();
    }
    let modules: HashSet<&str> = grouped.iter().filter_map(|name| module(name)).collect();
    let tensors = subject.checkpoint.tensors_by_name();
    let storages: HashSet<(usize, &[usize])> = grouped
        .iter()
        .filter_map(|name| tensors.get(name))
        .map(|tensor| (tensor.bytes().offset(), tensor.shape()))
        .collect();
    let is_tied = |one: &NamedTensor| {
        storages.contains(&(one.tensor.bytes().offset(), one.tensor.shape()))
            && grouped.iter().any(|name| {
                tensors.get(name).is_some_and(|tensor| tensor.is_same_view(&one.tensor))
            })
    };
    let is_missing = |one: &&NamedTensor| {
        !grouped.contains(one.name.as_str())
            && one.tensor.dtype().is_float()
            && module(&one.name).is_some_and(|module| modules.contains(module))
            && !BUFFERS.iter().any(|end| one.name.ends_with(end))
            && !is_tied(one)
    };
    let model = &subject.checkpoint.model;
    let names: Vec<String> = model.iter().filter(is_missing).map(|one| one.name.clone()).collect();
    match names.len() < grouped.len() {
        true => names,
        false => Vec::new(),
    }
}

/// The module of a tensor: its path without the last word.
fn module(name: &str) -> Option<&str> {
    Some(name.rsplit_once('.')?.0)
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::rules::testing::*;
    use crate::tensor::Dtype;

    pub(crate) fn fault() -> Case {
        let mut subject = clean();
        let weight = filled(Dtype::Float32, 0.5, &[16]);
        subject.checkpoint.model.push(named("h.0.mlp.c_fc.gate", weight));
        one(subject)
    }

    /// A buffer, a frozen module, and a tensor that is tied to one in a group.
    pub(crate) fn look_alike() -> Case {
        let mut subject = clean();
        let tied = subject.checkpoint.tensor("wte.weight").unwrap().clone();
        let extra = [
            ("h.0.attn.c_attn.running_mean", filled(Dtype::Float32, 0.0, &[12])),
            ("vision.patch.weight", filled(Dtype::Float32, 0.1, &[4, 4])),
            ("wte.shared", tied),
        ];
        subject.checkpoint.model.extend(extra.map(|(name, tensor)| named(name, tensor)));
        one(subject)
    }
}
