//! N05: the optimizer's state is quantised to 8 bits.

use super::evidence::states;
use super::words::{agree, listed, tensors};
use super::{Report, Rule};
use crate::case::Case;
use crate::checkpoint::ParameterState;
use crate::finding::{Place, Severity};
use crate::tensor::Dtype;

pub(super) static RULE: Rule = Rule {
    id: "N05",
    name: "eight-bit-state",
    severity: Severity::Note,
    finds: "The optimizer keeps its state in 8 bits, so that the update of a step cannot be known \
        from it.",
    why: "λ, the rates and the groups are plain in such a file and are judged like any other. What \
        cannot be done is to prove what was applied: the moments are known to two digits at best, \
        and the decay is a thousandth of the update.",
    seen: "The state of parameters holds 8-bit tensors with their scales. This needs a saved \
        optimizer.",
    mend: "To prove λ, train two steps with 32-bit state from the same weights, and audit that \
        pair:\
        \n\n    optimizer = torch.optim.AdamW(groups, lr=lr, weight_decay=wd)\
        \n\nRows that never had a gradient prove λ without any state.",
    no_fault: "It is a note: training with such a state is not at fault.",
    cases: &["bitsandbytes#2010"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let quantised = states(subject).into_iter().filter(|(_, state)| is_quantised(state));
        let names: Vec<String> = quantised.map(|(parameter, _)| parameter.label()).collect();
        if names.is_empty() {
            continue;
        }
        let message = format!(
            "The state of {} {} kept in 8 bits, from which λ cannot be proved: {}.",
            tensors(&names),
            agree(&names, "is", "are"),
            listed(&names)
        );
        let fix = "Prove λ from rows without gradient, or from two steps with 32-bit state.";
        report.add(Place::file(&subject.checkpoint.path), message, fix.to_owned(), names);
    }
}

/// Whether the moments are codes of a table and not numbers.
fn is_quantised(state: &ParameterState) -> bool {
    let moments = ["state1", "exp_avg", "momentum_buffer"];
    let mut kept = state.tensors.iter().filter(|one| moments.contains(&one.name.as_str()));
    kept.any(|one| {
        let dtype = one.tensor.dtype();
        matches!(dtype, Dtype::Uint8 | Dtype::Int8 | Dtype::Float8E4m3 | Dtype::Float8E5m2)
    })
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::rules::testing::*;
    use crate::tensor::Dtype;

    pub(crate) fn fault() -> Case {
        let mut subject = clean();
        for state in &mut subject.checkpoint.optimizers[0].states[..2] {
            let shape = state.tensors[0].tensor.shape().to_vec();
            state.tensors = ["state1", "state2"]
                .map(|name| named(name, filled(Dtype::Uint8, 128.0, &shape)))
                .into();
        }
        one(subject)
    }

    /// The same optimizer's small tensors, which it keeps in 32 bits; a mask is 8-bit.
    pub(crate) fn look_alike() -> Case {
        let mut subject = clean();
        let state = &mut subject.checkpoint.optimizers[0].states[0];
        state.tensors.push(named("mask", filled(Dtype::Uint8, 1.0, &[4])));
        one(subject)
    }
}
