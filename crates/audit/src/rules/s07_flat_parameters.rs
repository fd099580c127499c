//! S07: parameters are flattened into one vector a group.

use super::evidence::{decays, is_flat};
use super::words::{labels, listed};
use super::{Report, Rule};
use crate::case::{Case, Parameter, Subject};
use crate::checkpoint::{Format, Writer};
use crate::finding::{Place, Severity};

pub(super) static RULE: Rule = Rule {
    id: "S07",
    name: "flat-parameters",
    severity: Severity::Warning,
    finds: "The optimizer holds many tensors as one vector, so that no test of axes can tell \
        matrices from gains.",
    why: "FSDP of the first generation flattens the tensors of a module into one vector. Code that \
        spares tensors of fewer than two axes then spares everything, or nothing, and the gains \
        share a λ with the matrices whose vector they lie in.",
    seen: "Parameters are called flat_param, or are long vectors that stand for many tensors of \
        the model. This needs a saved optimizer, and the names or shapes of its parameters.",
    mend: "Keep the original parameters when wrapping, and make the groups from them:\
        \n\n    model = FSDP(model, use_orig_params=True)\
        \n\nfully_shard, of the second generation, keeps the shape of each parameter.",
    no_fault: "DeepSpeed's ZeRO flattens each group after the split, so that every tensor of a \
        vector has the λ that was meant; its shards list the shapes, and are not reported.",
    cases: &["open_clip#358", "pytorch#101343", "fairscale#697"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let is_zero = subject.checkpoint.format == Format::DeepSpeed
            || subject.checkpoint.writer == Writer::DeepSpeed;
        let flat: Vec<&Parameter> =
            subject.parameters.iter().filter(|one| is_flat(one) || is_long(subject, one)).collect();
        if is_zero || flat.is_empty() {
            continue;
        }
        let does = match flat.iter().any(|one| decays(one)) {
            true => "decays",
            false => "is spared",
        };
        let names = labels(flat);
        let message = match names.len() {
            1 => format!("{} is many tensors as one vector, which {does} whole.", listed(&names)),
            _ => {
                format!("{} are many tensors each, as a vector that {does} whole.", listed(&names))
            }
        };
        let fix = "Wrap with use_orig_params=True, and split the parameters first.";
        report.add(Place::file(&subject.checkpoint.path), message, fix.to_owned(), names);
    }
}

/// Whether a vector is longer than any that models have, and than any in this model.
fn is_long(subject: &Subject, parameter: &Parameter) -> bool {
    const LONG: usize = 1 << 22;
    let Some([length]) = parameter.shape.as_deref() else { return false };
    parameter.name.is_none()
        && *length >= LONG
        && !subject.checkpoint.model.iter().any(|one| one.tensor.shape() == [*length])
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::checkpoint::{Format, Writer};
    use crate::names::Kind;
    use crate::rules::testing::*;

    const FLAT: &[Entry] = &[("_fsdp_wrapped_module._flat_param", &[640], Kind::Flat)];

    pub(crate) fn fault() -> Case {
        one(adamw(&[(0.1, &[FLAT])]))
    }

    /// The vectors of ZeRO, made after the split.
    pub(crate) fn look_alike() -> Case {
        let mut case = fault();
        case.subjects[0].checkpoint.format = Format::DeepSpeed;
        case.subjects[0].checkpoint.writer = Writer::DeepSpeed;
        case
    }
}
