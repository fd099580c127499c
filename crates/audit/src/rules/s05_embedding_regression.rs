//! S05: embeddings decay in one checkpoint and not in the next.

use std::collections::HashMap;

use wd_page::number::short;

use super::evidence::decays;
use super::words::{agree, at_step, labels, listed};
use super::{Report, Rule};
use crate::case::{Case, Parameter, Subject};
use crate::finding::{Place, Severity};
use crate::names::Kind;

pub(super) static RULE: Rule = Rule {
    id: "S05",
    name: "embedding-regression",
    severity: Severity::Warning,
    finds: "The embeddings decay in one checkpoint and not in the other one.",
    why: "Embeddings are a large part of a small model, and whether they decay moves from one \
        group to the other when the code that splits parameters is rewritten. Two runs under the \
        same configuration are then different runs, and a resumed one changes its rule on the way.",
    seen: "λ of the embeddings by name is above 0 in one checkpoint and 0 in the one after it, or \
        the other way round, while other tensors decay in both. This needs two saved optimizers, \
        and the names of their parameters.",
    mend: "Say for the embeddings by name what is meant, and test it:\
        \n\n    assert decays(\"embedding.word_embeddings.weight\")\
        \n\nCompare the decayed names of both versions before a run is resumed under the new one.",
    no_fault: "Where everything stops decaying, or begins to, it is a change of λ and not one of \
        the embeddings. A change that was intended can be ignored by name.",
    cases: &["Megatron-LM#3945", "Megatron-LM#4012"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for pair in case.subjects.windows(2) {
        let [first, second] = pair else { continue };
        let others_decay = |subject: &Subject| {
            subject.parameters.iter().any(|one| !is_embedding(one) && decays(one))
        };
        if !others_decay(first) || !others_decay(second) {
            continue;
        }
        let before: HashMap<&str, f64> = first
            .parameters
            .iter()
            .filter_map(|one| Some((one.name.as_deref()?, one.lambda?)))
            .collect();
        let moved = |one: &&Parameter| {
            let name = one.name.as_deref();
            let old = name.and_then(|name| before.get(name)).copied();
            is_embedding(one)
                && matches!((old, one.lambda), (Some(old), Some(new)) if (old > 0.0) != (new > 0.0))
        };
        let changed: Vec<&Parameter> = second.parameters.iter().filter(moved).collect();
        let Some(lambda) = changed.first().and_then(|one| one.lambda) else { continue };
        let old = changed.first().and_then(|one| before.get(one.name.as_deref()?)).copied();
        let names = labels(changed);
        let message = format!(
            "λ of {} {} {} at {} and {} at {}.",
            listed(&names),
            agree(&names, "is", "are"),
            short(old.unwrap_or(f64::NAN)),
            at_step(first.checkpoint.step()),
            short(lambda),
            at_step(second.checkpoint.step())
        );
        let fix = "Say by name whether embeddings decay, so that no test of types decides it.";
        report.add(Place::file(&second.checkpoint.path), message, fix.to_owned(), names);
    }
}

fn is_embedding(parameter: &Parameter) -> bool {
    matches!(parameter.kind, Some(Kind::Embedding | Kind::Position))
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::rules::testing::*;

    pub(crate) fn fault() -> Case {
        let later = adamw(&[(0.1, &[MATRICES, HEAD]), (0.0, &[EMBEDDING, NORMS, BIASES])]);
        two(clean(), later)
    }

    /// Nothing decays any more, embeddings included.
    pub(crate) fn look_alike() -> Case {
        let mut later = clean();
        set_lambda(&mut later, 0, 0.0);
        two(clean(), later)
    }

    #[test]
    fn the_message_has_both_steps() {
        let [finding] = &findings_of("S05", &fault())[..] else { panic!("one finding") };
        assert_eq!(finding.message, "λ of `wte.weight` is 0.1 at step 1,000 and 0 at step 1,100.");
    }
}
