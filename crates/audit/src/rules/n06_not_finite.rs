//! N06: weights or the optimizer's state are no finite numbers.

use super::evidence::states;
use super::words::{listed, once};
use super::{Report, Rule};
use crate::case::{Case, Subject};
use crate::finding::{Place, Severity};
use crate::measure::norms;
use crate::tensor::Tensor;

pub(super) static RULE: Rule = Rule {
    id: "N06",
    name: "not-finite",
    severity: Severity::Error,
    finds: "Weights, or the optimizer's state, hold infinite numbers or none at all (NaN).",
    why: "A single NaN spreads to every weight within a few steps, and decay does not mend it: \
        (1 − ηλ) NaN is NaN. An infinite second moment stands still for ever, so that its weight \
        is moved by decay alone. Nothing is proved from such a tensor.",
    seen: "The elements of each tensor of the model and of the optimizer's state are counted. This \
        needs the tensors themselves.",
    mend: "Go back to the last checkpoint before it, and skip the steps whose gradient is not \
        finite:\
        \n\n    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\
        \n    if torch.isfinite(norm): optimizer.step()",
    no_fault: "Masks of attention hold minus infinity on purpose: only tensors that an optimizer \
        trains are looked at, or all where the file has no optimizer, but for masks by their name.",
    cases: &["pytorch#40497", "pocket-tts#262"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let (mut names, mut count) = (Vec::new(), 0);
        for (name, tensor) in tensors(subject) {
            let found = norms(tensor).map_or(0, |measured| measured.non_finite);
            if found > 0 {
                count += found;
                names.push(name);
            }
        }
        if names.is_empty() {
            continue;
        }
        let names = once(names.iter().map(String::as_str));
        let message = format!(
            "{} of {} {}.",
            wd_page::number::counted(count as u64, "element"),
            listed(&names),
            if count == 1 { "is no finite number" } else { "are no finite numbers" },
        );
        let fix = "Go back to a checkpoint before it.".to_owned();
        report.add(Place::file(&subject.checkpoint.path), message, fix, names);
    }
}

/// Weights that are trained and their state, by the names of the weights.
fn tensors(subject: &Subject) -> Vec<(String, &Tensor)> {
    let mut found: Vec<(String, &Tensor)> = Vec::new();
    for parameter in &subject.parameters {
        found.extend(subject.weights(parameter).map(|tensor| (parameter.label(), tensor)));
    }
    if subject.checkpoint.optimizers.is_empty() {
        let model = subject.checkpoint.model.iter();
        let model = model.filter(|one| !one.name.to_lowercase().contains("mask"));
        found.extend(model.map(|one| (one.name.clone(), &one.tensor)));
    }
    for (parameter, state) in states(subject) {
        found.extend(state.tensors.iter().map(|one| (parameter.label(), &one.tensor)));
    }
    found
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::rules::testing::*;
    use crate::tensor::Dtype;

    pub(crate) fn fault() -> Case {
        let mut subject = clean();
        let found = subject.checkpoint.model.iter_mut().find(|one| one.name == MATRICES[1].0);
        let tensor = &mut found.unwrap().tensor;
        let mut values = vec![0.02; tensor.elements()];
        values[3] = f64::NAN;
        *tensor = super::super::testing::tensor(Dtype::Float32, &values, MATRICES[1].1);
        one(subject)
    }

    /// A mask of attention, which is no weight.
    pub(crate) fn look_alike() -> Case {
        let mut subject = clean();
        let mask = filled(Dtype::Float32, f64::NEG_INFINITY, &[4, 4]);
        subject.checkpoint.model.push(named("h.0.attn.mask", mask));
        one(subject)
    }
}
