//! S01: one group decays everything, gains and biases included.

use wd_page::number::short;

use super::evidence::{decays, is_gain, is_spared, is_vector, parameters_of};
use super::words::{agree, labels, listed, tensors};
use super::{Report, Rule};
use crate::case::{Case, Parameter, Subject};
use crate::checkpoint::Writer;
use crate::finding::{Place, Severity};

pub(super) static RULE: Rule = Rule {
    id: "S01",
    name: "everything-decays",
    severity: Severity::Warning,
    finds: "One group holds every parameter, so that gains of normalisations and biases decay with \
        the matrices.",
    why: "The gains of a normalisation start at 1 and have work to do there. Decay pulls them to \
        0, which acts as a change of the learning rate and not as regularisation; biases are few \
        and hardly overfit. Most published recipes leave both out, and a λ that is copied from \
        such a recipe does something else here.",
    seen: "The optimizer has one group, its λ is above 0, and it holds tensors of one axis; or it \
        has several, and all gains decay while biases are spared, as a list of names does that \
        no gain has. This needs a saved optimizer, and the names or shapes of its parameters.",
    mend: "Split the parameters into two groups:\
        \n\n    decay = [p for p in model.parameters() if p.ndim >= 2]\
        \n    rest = [p for p in model.parameters() if p.ndim < 2]\
        \n    groups = [{\"params\": decay, \"weight_decay\": 0.1}, {\"params\": rest, \
        \"weight_decay\": 0.0}]\
        \n\nThe order of parameters changes with that, so begin a new run or map the state by \
        name.",
    no_fault: "OLMo 2, litgpt, torchtitan and fairseq decay everything by design: their \
        checkpoints and configurations are not reported. A model without gains and biases has \
        nothing to leave out.",
    cases: &["verl#5070", "TransformerLens#460", "fastai2#519", "mad-lab#5"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        if means_it(case, subject) {
            continue;
        }
        for (index, optimizer) in subject.checkpoint.optimizers.iter().enumerate() {
            let parameters = parameters_of(subject, index);
            let vectors = || parameters.iter().copied().filter(|one| is_vector(one));
            let has_others = parameters.iter().any(|one| !is_vector(one));
            let names = labels(vectors().filter(|one| decays(one)));
            if optimizer.groups.len() != 1 && gains_alone(&parameters, subject, report) {
                break;
            }
            if optimizer.groups.len() != 1 || names.is_empty() || !has_others {
                continue;
            }
            let lambda = optimizer.groups.iter().find_map(|group| group.lambda).unwrap_or(0.0);
            let message = format!(
                "The only group decays with λ = {}, and {} of one axis {} in it: {}.",
                short(lambda),
                tensors(&names),
                agree(&names, "lies", "lie"),
                listed(&names)
            );
            let fix = "Give gains and biases a group of their own with weight_decay = 0.";
            report.add(Place::file(&subject.checkpoint.path), message, fix.to_owned(), names);
            break;
        }
    }
}

/// Reports gains that all decay where biases are spared: a list of names that no gain has.
fn gains_alone(parameters: &[&Parameter], subject: &Subject, report: &mut Report<'_>) -> bool {
    let gains = || parameters.iter().copied().filter(|one| is_gain(one));
    let is_split = parameters.iter().any(|one| is_vector(one) && is_spared(one));
    if gains().count() < 2 || !gains().all(decays) || !is_split {
        return false;
    }
    let names = labels(gains());
    let message = format!(
        "All {} with the gains of a normalisation decay, although other tensors of one axis are \
         spared: {}.",
        tensors(&names),
        listed(&names)
    );
    let fix = "Choose the spared tensors by their number of axes and not by type or name.";
    report.add(Place::file(&subject.checkpoint.path), message, fix.to_owned(), names);
    true
}

/// Whether the trainer decays everything by its own convention.
fn means_it(case: &Case, subject: &Subject) -> bool {
    let writer = subject.checkpoint.writer;
    let by_writer =
        matches!(writer, Writer::LitGpt | Writer::Torchtitan | Writer::OlmoCore | Writer::Fairseq);
    let known = ["litgpt", "torchtitan", "olmo", "fairseq"];
    let by_dialect = subject.declared(case).iter().any(|declaration| {
        let dialect = declaration.dialect.to_lowercase();
        known.iter().any(|name| dialect.starts_with(name))
    });
    by_writer || by_dialect
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::checkpoint::Writer;
    use crate::rules::testing::*;

    pub(crate) fn fault() -> Case {
        one(adamw(&[(0.1, &[MATRICES, NORMS, BIASES, EMBEDDING, HEAD])]))
    }

    /// torchtitan, which means it.
    pub(crate) fn look_alike() -> Case {
        let mut case = fault();
        case.subjects[0].checkpoint.writer = Writer::Torchtitan;
        case
    }

    #[test]
    fn gains_that_decay_where_biases_are_spared_are_found() {
        let case = one(adamw(&[(0.1, &[MATRICES, NORMS, EMBEDDING, HEAD]), (0.0, &[BIASES])]));
        let [finding] = &findings_of("S01", &case)[..] else { panic!("one finding") };
        assert_eq!(finding.tensors.len(), NORMS.len());
    }

    #[test]
    fn the_message_names_the_first_tensors_and_counts_the_rest() {
        let [finding] = &findings_of("S01", &fault())[..] else { panic!("one finding") };
        assert_eq!(
            finding.message,
            "The only group decays with λ = 0.1, and 9 tensors of one axis lie in it: \
             `h.0.ln_1.weight`, `h.0.ln_2.weight` and 7 others."
        );
        assert_eq!(finding.tensors.len(), 9);
    }
}
