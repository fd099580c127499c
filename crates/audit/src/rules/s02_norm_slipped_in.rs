//! S02: some gains of normalisations decay and others do not.

use super::evidence::{decays, is_gain, is_matrix, is_spared, parameters_of};
use super::words::{agree, labels, listed, tensors};
use super::{Report, Rule};
use crate::case::{Case, Parameter};
use crate::finding::{Place, Severity};

/// Parts of the names of gains on queries and keys, which some trainers decay on purpose.
const QUERY_KEY: [&str; 9] = [
    "q_norm",
    "k_norm",
    "qk_norm",
    "q_layernorm",
    "k_layernorm",
    "q_ln",
    "k_ln",
    "query_norm",
    "key_norm",
];

pub(super) static RULE: Rule = Rule {
    id: "S02",
    name: "norm-slipped-in",
    severity: Severity::Error,
    finds: "Some gains of normalisations decay, although others of the same optimizer are spared.",
    why: "The code means to spare the gains and misses some: a test of the type does not know a \
        class of its own, or a test of the name looks for `layernorm` where the module is called \
        `ln_f`. The gains that slipped in shrink towards 0 over the run. In the public record this \
        happened to BLOOM, and to models in the most widely used trainer.",
    seen: "In one optimizer some gains lie in groups with λ above 0 and others in groups with λ = \
        0, while the groups with λ = 0 hold hardly a matrix. This needs a saved optimizer, and the \
        names of its parameters.",
    mend: "Choose by the number of axes, which no name can miss:\
        \n\n    decay = [p for p in model.parameters() if p.ndim >= 2]\
        \n\nPrint the names of both groups once, and read them.",
    no_fault: "Where only the gains of queries and keys decay it is a choice, for which Megatron \
        has a flag. Where whole modules are spared, matrices included, their gains belong to them. \
        Both are not reported.",
    cases: &[
        "Megatron-DeepSpeed#262",
        "DeepSpeedExamples#755",
        "transformers#35927",
        "Fast-LLM#542",
    ],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        for index in 0..subject.checkpoint.optimizers.len() {
            let parameters = parameters_of(subject, index);
            let gains = || parameters.iter().copied().filter(|one| is_gain(one));
            let slipped: Vec<&Parameter> = gains().filter(|one| decays(one)).collect();
            let spared = gains().filter(|one| is_spared(one)).count();
            let is_choice = slipped.iter().all(|one| is_of_queries(one));
            if slipped.is_empty() || spared == 0 || is_choice || spares_modules(&parameters) {
                continue;
            }
            let names = labels(slipped);
            let message = format!(
                "{} with the gains of a normalisation {}, and {spared} {} spared: {}.",
                tensors(&names),
                agree(&names, "decays", "decay"),
                if spared == 1 { "is" } else { "are" },
                listed(&names)
            );
            let fix = "Choose the spared tensors by their number of axes and not by type or name.";
            report.add(Place::file(&subject.checkpoint.path), message, fix.to_owned(), names);
            break;
        }
    }
}

fn is_of_queries(parameter: &Parameter) -> bool {
    let name = parameter.name.as_deref().unwrap_or_default();
    QUERY_KEY.iter().any(|part| name.contains(part))
}

/// Whether matrices are spared in earnest, so that the split is not one of gains and biases.
fn spares_modules(parameters: &[&Parameter]) -> bool {
    let matrices = parameters.iter().filter(|one| is_matrix(one));
    let (mut all, mut spared) = (0, 0);
    for matrix in matrices {
        all += 1;
        spared += usize::from(is_spared(matrix));
    }
    spared * 10 > all
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::names::Kind;
    use crate::rules::testing::*;

    const LAST: &[Entry] = &[("ln_f.weight", &[4], Kind::Norm)];
    const QUERY: &[Entry] = &[
        ("h.0.attn.q_norm.weight", &[4], Kind::Norm),
        ("h.0.attn.k_norm.weight", &[4], Kind::Norm),
    ];

    pub(crate) fn fault() -> Case {
        let others = &NORMS[..NORMS.len() - 1];
        one(adamw(&[(0.1, &[MATRICES, EMBEDDING, HEAD, LAST]), (0.0, &[others, BIASES])]))
    }

    /// Only the gains of queries and keys decay.
    pub(crate) fn look_alike() -> Case {
        one(adamw(&[(0.1, &[MATRICES, EMBEDDING, HEAD, QUERY]), (0.0, &[NORMS, BIASES])]))
    }

    #[test]
    fn a_module_that_is_spared_as_a_whole_is_no_fault() {
        let (first, second) = (&MATRICES[..2], &MATRICES[2..]);
        let (early, late) = (&NORMS[..2], &NORMS[2..]);
        let case = one(adamw(&[(0.1, &[second, late]), (0.0, &[first, early])]));
        assert!(findings_of("S02", &case).is_empty());
    }
}
