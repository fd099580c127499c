//! S10: the decayed tensors are those of no known convention.

use super::convention_stand_in::Convention;
use super::evidence::{decays, is_flat};
use super::words::{labels, listed};
use super::{Report, Rule};
use crate::case::{Case, Parameter, Subject};
use crate::finding::{Place, Severity};
use crate::names::Kind;

/// The conventions, those first that are named where several come equally near.
const CONVENTIONS: [Convention; 9] = [
    Convention::NanoGpt,
    Convention::HuggingFace5,
    Convention::HuggingFace4,
    Convention::Olmo,
    Convention::Olmo2,
    Convention::Levanter,
    Convention::Megatron,
    Convention::Timm,
    Convention::Everything,
];

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
        let Some(known) = comparable(subject) else { continue };
        let nearest = CONVENTIONS
            .iter()
            .map(|&convention| (convention, differences(&known, convention)))
            .min_by_key(|(_, differences)| differences.len());
        let Some((convention, differences)) = nearest.filter(|(_, all)| !all.is_empty()) else {
            continue;
        };
        let (spared, decayed): (Vec<&Parameter>, Vec<&Parameter>) =
            differences.iter().partition(|parameter| decays(parameter));
        let names = labels(differences);
        let says = |verb: &str, parameters: Vec<&Parameter>| match parameters.is_empty() {
            true => None,
            false => Some(format!("{verb} {}", listed(&labels(parameters)))),
        };
        let parts: Vec<String> =
            [says("spare", spared), says("decay", decayed)].into_iter().flatten().collect();
        let message = format!(
            "The decayed tensors are those of no known convention; the nearest is {}, which would \
             {}.",
            convention.name(),
            parts.join(" and ")
        );
        let fix = "Write down which tensors decay, or take the convention as it is.".to_owned();
        report.add(Place::file(&subject.checkpoint.path), message, fix, names);
    }
}

/// A parameter of which conventions can speak.
struct Known<'a> {
    parameter: &'a Parameter,
    name: &'a str,
    shape: &'a [usize],
    kind: Kind,
}

/// The parameters, if all can be compared and some decay.
fn comparable(subject: &Subject) -> Option<Vec<Known<'_>>> {
    let known = |parameter| {
        let Parameter { name, shape, kind, lambda, .. } = parameter;
        let is_covered = !is_flat(parameter) && *kind != Some(Kind::Adapter) && lambda.is_some();
        let (name, shape) = (name.as_deref()?, shape.as_deref()?);
        is_covered.then_some(Known { parameter, name, shape, kind: (*kind)? })
    };
    let all: Option<Vec<Known<'_>>> = subject.parameters.iter().map(known).collect();
    all.filter(|all| all.iter().any(|one| decays(one.parameter)))
}

/// The parameters that a convention would treat otherwise.
fn differences<'a>(known: &[Known<'a>], convention: Convention) -> Vec<&'a Parameter> {
    let differs = |one: &&Known<'a>| {
        convention.decays(one.name, one.shape, one.kind) != decays(one.parameter)
    };
    known.iter().filter(differs).map(|one| one.parameter).collect()
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
