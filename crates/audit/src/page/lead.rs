//! The answer in one sentence, and the few numbers beside it.

use wd_page::number::{count, counted, measured, short};

use crate::Audit;
use crate::estimate::{Estimate, Verdict};
use crate::finding::Severity;

/// The verdict, then how many findings there are.
pub(super) fn lead(audit: &Audit) -> String {
    let verdict = verdict(audit);
    // What the optimizer declares is the measure of a proof; a configuration may say otherwise.
    let differs = audit.findings.iter().any(|one| ["D01", "D02", "R01"].contains(&one.rule));
    let has_proof = audit.proof.verdict != Verdict::CannotTell;
    let configuration = match differs && has_proof {
        true => " The configuration declares another λ than the optimizer.",
        false => "",
    };
    format!("{verdict}{configuration} {}", findings(audit)).trim().to_owned()
}

/// What the files say of whether λ was applied.
pub(super) fn verdict(audit: &Audit) -> String {
    match &audit.proof.verdict {
        Verdict::AppliedAsDeclared { declared: 0.0, estimate } => {
            format!("No weight decay was declared, and none was applied: λ = {}.", range(estimate))
        }
        Verdict::AppliedAsDeclared { declared, estimate } => format!(
            "Weight decay was applied as declared: λ = {}, declared {}.",
            range(estimate),
            short(*declared)
        ),
        Verdict::NotApplied { declared: Some(declared), estimate } => format!(
            "Weight decay was not applied: λ = {}, declared {}.",
            range(estimate),
            short(*declared)
        ),
        Verdict::NotApplied { declared: None, estimate } => {
            format!("No weight decay was applied: λ = {}.", range(estimate))
        }
        Verdict::AppliedOtherwise { declared: Some(declared), estimate } => format!(
            "Weight decay was applied otherwise than declared: λ = {}, declared {}.",
            range(estimate),
            short(*declared)
        ),
        Verdict::AppliedOtherwise { declared: None, estimate } => {
            format!("Weight decay was applied: λ = {}, and none is declared here.", range(estimate))
        }
        Verdict::Applied { shrink } => format!(
            "Weight decay was applied: κ = Σ ηλ = {} between the two checkpoints. λ itself needs \
             the learning rates (--rates).",
            range(shrink)
        ),
        Verdict::CannotTell => declared(audit),
    }
}

/// Without a proof: what the files declare.
fn declared(audit: &Audit) -> String {
    let groups = super::main_file(audit).into_iter().flat_map(|file| &file.optimizers);
    let mut lambdas: Vec<f64> =
        groups.flat_map(|optimizer| &optimizer.groups).filter_map(|group| group.lambda).collect();
    lambdas.sort_by(f64::total_cmp);
    lambdas.dedup();
    let values: Vec<String> = lambdas.iter().map(|&lambda| short(lambda)).collect();
    match values.as_slice() {
        [] => match audit.declarations.iter().find_map(|declaration| declaration.lambda) {
            Some(lambda) => format!(
                "The configuration declares λ = {}; whether it was applied cannot be told without \
                 checkpoints.",
                short(lambda.value)
            ),
            None => unread(audit)
                .unwrap_or_else(|| "These files say nothing of weight decay.".to_owned()),
        },
        [one] if lambdas == [0.0] => format!("No group declares weight decay: λ = {one}."),
        [one] => {
            format!("The optimizer declares λ = {one}; that it was applied is not proved here.")
        }
        [rest @ .., last] => format!(
            "The optimizer declares λ = {} and {last}; that it was applied is not proved here.",
            rest.join(", ")
        ),
    }
}

/// That a configuration has λ in a form that is not read.
fn unread(audit: &Audit) -> Option<String> {
    let declaration = audit.declarations.iter().find(|one| one.unread_lambda.is_some())?;
    Some(format!(
        "The configuration has `{}`, and λ cannot be read from it: it is {}.",
        declaration.lambda_key.as_deref().unwrap_or("weight_decay"),
        declaration.unread_lambda.as_deref().unwrap_or_default()
    ))
}

/// How many findings of each severity there are.
fn findings(audit: &Audit) -> String {
    let of = |severity, noun| match audit.count(severity) {
        0 => None,
        number => Some(counted(number as u64, noun)),
    };
    let kinds = [
        of(Severity::Error, "error"),
        of(Severity::Warning, "warning"),
        of(Severity::Note, "note"),
    ];
    let kinds: Vec<String> = kinds.into_iter().flatten().collect();
    match kinds.as_slice() {
        [] => "The rules found nothing.".to_owned(),
        [rest @ .., last] if !rest.is_empty() => {
            format!("The rules found {} and {last}.", rest.join(", "))
        }
        _ => format!("The rules found {}.", kinds.concat()),
    }
}

/// An estimate with its interval, to as many digits as it is worth.
pub(super) fn range(estimate: &Estimate) -> String {
    let Estimate { value, low, high } = *estimate;
    if low == high {
        return short(value);
    }
    let width = (high - low) / 2.0;
    // Long rows of zeros are hard to count.
    if value == 0.0 || (width < 1e-6 && value.abs() < 1e-6) {
        return format!("{} [{}, {}]", measured(value), measured(low), measured(high));
    }
    // Two digits of the uncertainty.
    let decimals = (1.0 - width.log10().floor()).clamp(0.0, 12.0) as usize;
    let [value, low, high] = [value, low, high].map(|it| wd_page::number::fixed(it, decimals));
    // An interval narrower than what is printed says nothing more than the value.
    match low == high {
        true => value,
        false => format!("{value} [{low}, {high}]"),
    }
}

/// Between which steps the verdict holds.
pub(super) fn regime(audit: &Audit) -> String {
    match (audit.proof.files.as_slice(), audit.proof.steps) {
        ([first, .., last], Some(steps)) => format!(
            "{} {} to {}, {} apart.",
            match audit.proof.files.len() {
                2 => "From".to_owned(),
                several => format!("Over {several} checkpoints, from"),
            },
            super::name(first),
            super::name(last),
            counted(steps as u64, "step")
        ),
        ([first, .., last], None) => {
            format!("From {} to {}.", super::name(first), super::name(last))
        }
        _ => String::new(),
    }
}

pub(super) fn facts(audit: &Audit) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let Some(file) = super::main_file(audit) else { return facts };
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    if file.elements > 0 {
        fact("Elements", count(file.elements));
    }
    if let Some(step) = file.step {
        fact("Step", count(step as u64));
    }
    let decayed: usize = file.optimizers.iter().map(|optimizer| optimizer.decayed_tensors).sum();
    let all: usize = file.optimizers.iter().flat_map(|one| &one.groups).map(|g| g.tensors).sum();
    if all > 0 {
        fact("Tensors that decay", format!("{decayed} of {all}"));
    }
    fact("Errors", audit.count(Severity::Error).to_string());
    fact("Warnings", audit.count(Severity::Warning).to_string());
    facts
}
