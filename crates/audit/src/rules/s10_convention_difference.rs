//! S10: the decayed tensors are those of no known convention.

use super::evidence::{decays, is_flat};
use super::words::listed;
use super::{Report, Rule};
use crate::case::{Case, Parameter, Subject};
use crate::convention::{Difference, differences};
use crate::finding::{Place, Severity};
use crate::names::Kind;

pub(super) static RULE: Rule = Rule {
    id: "S10",
    name: "convention-difference",
    severity: Severity::Note,
    finds: "The set of decayed tensors is that of no well-known trainer.",
    why: "Which tensors decay is a part of a recipe that papers seldom state. nanoGPT goes by the \
        number of axes, Hugging Face by names and types that change between versions, Megatron by \
        shape and name, OLMo 2 decays nearly everything. A run that differs from all of them \
        cannot be repeated from its configuration alone.",
    seen: "The decayed set is compared with what each convention would decay, by name, shape and \
        kind. This needs a saved optimizer, and the names of its parameters.",
    mend: "If it is meant, write the set down; else take a convention as it is, for example \
        nanoGPT's:\
        \n\n    decay = [p for p in model.parameters() if p.requires_grad and p.dim() >= 2]\
        \n\nSay in the description of the run which one it is.",
    no_fault: "It is a note. A set that is exactly that of a known trainer is not reported, and \
        neither are adapters and flattened parameters, for which no convention speaks.",
    cases: &["pytorch#1402", "torchtitan#2599"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let Some(nearest) = nearest(subject) else { continue };
        let Difference { convention, spares, decays, .. } = nearest;
        let says = |verb: &str, names: &[String]| {
            (!names.is_empty()).then(|| format!("{verb} {}", listed(names)))
        };
        let parts: Vec<String> =
            [says("spare", &spares), says("decay", &decays)].into_iter().flatten().collect();
        let message = format!(
            "The decayed tensors are those of no known convention; the nearest is that of \
             {convention}, which would {}.",
            parts.join(" and ")
        );
        let fix = "Write down which tensors decay, or take the convention as it is.".to_owned();
        let names = spares.into_iter().chain(decays).collect();
        report.add(Place::file(&subject.checkpoint.path), message, fix, names);
    }
}

/// The convention that differs least, if all differ and every parameter can be compared.
fn nearest(subject: &Subject) -> Option<Difference> {
    let is_covered =
        |one: &&Parameter| !is_flat(one) && one.kind != Some(Kind::Adapter) && one.lambda.is_some();
    let covered = subject.parameters.iter().filter(is_covered).count();
    let is_whole = |one: &Difference| one.compared == covered && covered > 0;
    let all = differences(subject);
    let is_silent = !all.iter().all(is_whole)
        || all.iter().any(Difference::is_none)
        || !subject.parameters.iter().any(decays);
    let nearest = all.into_iter().min_by_key(|one| one.spares.len() + one.decays.len());
    nearest.filter(|_| !is_silent)
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::rules::testing::*;

    /// One matrix is spared, which no trainer does.
    pub(crate) fn fault() -> Case {
        let (spared, decayed) = MATRICES.split_at(1);
        one(adamw(&[(0.1, &[decayed, EMBEDDING, HEAD]), (0.0, &[spared, NORMS, BIASES])]))
    }

    /// nanoGPT's set.
    pub(crate) fn look_alike() -> Case {
        one(clean())
    }

    #[test]
    fn the_nearest_convention_and_the_difference_are_named() {
        let [finding] = &findings_of("S10", &fault())[..] else { panic!("one finding") };
        assert!(
            finding.message.ends_with("which would decay `h.0.attn.c_attn.weight`."),
            "{}",
            finding.message
        );
    }
}
