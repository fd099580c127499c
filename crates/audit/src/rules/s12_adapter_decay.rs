//! S12: decay acts on the factors of a low-rank adapter.

use wd_page::number::short;

use super::evidence::decays;
use super::words::{agree, labels, listed, tensors};
use super::{Report, Rule};
use crate::case::{Case, Parameter};
use crate::finding::{Place, Severity};
use crate::names::Kind;

pub(super) static RULE: Rule = Rule {
    id: "S12",
    name: "adapter-decay",
    severity: Severity::Note,
    finds: "Weight decay acts on the factors of low-rank adapters.",
    why: "The weights of the model are frozen and do not decay. What decays is the product of the \
        two factors, that is the *change* that the training makes: decay pulls the model back to \
        where it started, at about twice the pace of one factor. That can be what is wanted, and \
        is another thing than the weight decay of the pre-training.",
    seen: "Parameters called lora_A, lora_B and their like lie in groups with λ above 0. This \
        needs a saved optimizer, and the names of its parameters.",
    mend: "Choose λ for the adapter and not for the model, or switch it off:\
        \n\n    TrainingArguments(..., weight_decay=0.0)\
        \n\nMost such trainings are so short that λ does nothing either way: see T01.",
    no_fault: "It is a note. Adapters with λ = 0 are not reported.",
    cases: &["unsloth#5747", "LLaMA-Factory#5603"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let is_factor = |one: &&Parameter| one.kind == Some(Kind::Adapter) && decays(one);
        let factors: Vec<&Parameter> = subject.parameters.iter().filter(is_factor).collect();
        let Some(lambda) = factors.first().and_then(|one| one.lambda) else { continue };
        let names = labels(factors);
        let message = format!(
            "{} of adapters {} with λ = {}, which shrinks the change that the adapter makes and \
             not the weights of the model: {}.",
            tensors(&names),
            agree(&names, "decays", "decay"),
            short(lambda),
            listed(&names)
        );
        let fix = "Choose λ for the adapter on purpose, or set it to 0.".to_owned();
        report.add(Place::file(&subject.checkpoint.path), message, fix, names);
    }
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::names::Kind;
    use crate::rules::testing::*;

    const ADAPTERS: &[Entry] = &[
        ("h.0.attn.q_proj.lora_A.weight", &[2, 4], Kind::Adapter),
        ("h.0.attn.q_proj.lora_B.weight", &[4, 2], Kind::Adapter),
    ];

    pub(crate) fn fault() -> Case {
        one(adamw(&[(0.1, &[ADAPTERS])]))
    }

    /// Adapters without decay.
    pub(crate) fn look_alike() -> Case {
        one(adamw(&[(0.0, &[ADAPTERS])]))
    }
}
