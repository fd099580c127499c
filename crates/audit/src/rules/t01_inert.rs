//! T01: over the whole run the decay takes off next to nothing.

use wd_page::number::{count, short, significant};

use super::evidence::{groups, is_shrink_itself, peak_rate};
use super::words::taken;
use super::{Report, Rule};
use crate::case::{Case, Subject, is_decoupled};
use crate::dialect::Declaration;
use crate::finding::{Place, Severity};

/// κ below which a decay is called inert: it takes less than a twentieth off weights that no
/// gradient moves. The same as in `wd explain`.
const INERT: f64 = 0.05;

pub(super) static RULE: Rule = Rule {
    id: "T01",
    name: "inert",
    severity: Severity::Note,
    finds: "Over the whole run the weight decay takes less than a twentieth off any weight.",
    why: "What a run does to a weight without gradient is e^−κ, with κ = λ Σ η over all steps. In \
        a short run at a small rate κ is near 0, and every λ that people type gives the same \
        model. A search over λ then measures its own noise, and a λ in the recipe is decoration.",
    seen: "κ = λ Σ η from the rate and the schedule of a configuration, or at most the largest \
        known rate times the steps of the checkpoint. This needs λ, a rate and a number of steps.",
    mend: "Leave λ out of the search, or choose one that acts: λ = 1/Σ η gives κ = 1.\
        \n\n    weight_decay = 1 / sum(lr_at(step) for step in range(steps))\
        \n\nIf a fine-tuned model should stay near its start, decay towards the start instead.",
    no_fault: "It is a note. λ = 0 is not called inert, and neither is a checkpoint from the first \
        part of a run whose configuration says how long it is.",
    cases: &["unsloth#5747"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    let mut files = Vec::new();
    for (index, subject) in case.subjects.iter().enumerate() {
        let is_last = index + 1 == case.subjects.len();
        let declarations = subject.declared(case);
        let declared = declarations.iter().find_map(|one| Some((one, declared_shrink(one)?)));
        let place = match declared {
            Some((declaration, _)) => {
                Place { file: declaration.file.clone(), line: declaration.line }
            }
            None => Place::file(&subject.checkpoint.path),
        };
        let shrink = declared.map(|(_, shrink)| shrink);
        // Of several checkpoints the last one has seen the most of the run.
        let shrink = shrink.or_else(|| saved_shrink(subject, declarations).filter(|_| is_last));
        if let Some(shrink) = shrink.filter(|shrink| shrink.kappa < INERT)
            && !files.contains(&place.file)
        {
            files.push(place.file.clone());
            add(report, place, &shrink);
        }
    }
    if case.subjects.is_empty() {
        for declaration in &case.declarations {
            if let Some(shrink) = declared_shrink(declaration).filter(|one| one.kappa < INERT) {
                let place = Place { file: declaration.file.clone(), line: declaration.line };
                add(report, place, &shrink);
            }
        }
    }
}

/// κ of a run.
struct Shrink {
    lambda: f64,
    kappa: f64,
    steps: f64,
    /// Whether κ is an upper bound.
    is_bound: bool,
    /// Whether the steps are those of a checkpoint, after which the run may have gone on.
    is_so_far: bool,
}

fn add(report: &mut Report<'_>, place: Place, shrink: &Shrink) {
    let Shrink { lambda, kappa, steps, is_bound, is_so_far } = shrink;
    let message = format!(
        "{} {} steps λ = {} adds up to {} κ = {}, which takes {} off a weight without gradient.",
        if *is_so_far { "In its first" } else { "Over" },
        count(*steps as u64),
        short(*lambda),
        if *is_bound { "at most" } else { "about" },
        significant(*kappa, 3),
        taken(1.0 - (-kappa).exp())
    );
    let fix = match (lambda / kappa).is_finite() {
        true if *is_so_far => format!(
            "If the run ended here, leave λ out of the search; λ = {} would give κ = 1.",
            significant(lambda / kappa, 2)
        ),
        true => format!(
            "Leave λ out of the search; λ = {} would give κ = 1.",
            significant(lambda / kappa, 2)
        ),
        false => "Leave λ out of the search; no λ changes that at this rate.".to_owned(),
    };
    report.add(place, message, fix, Vec::new());
}

/// κ as a configuration declares it.
fn declared_shrink(declaration: &Declaration) -> Option<Shrink> {
    let lambda = declaration.applied_lambda.or(declaration.lambda.map(|one| one.value))?;
    let is_decoupled = declaration.decoupled == Some(true);
    if lambda <= 0.0 || !(is_decoupled || declaration.is_independent_of_rate) {
        return None;
    }
    let rate = match declaration.is_independent_of_rate {
        true => 1.0,
        false => declaration.largest_rate.or(declaration.rate.map(|rate| rate.value))?,
    };
    let steps = declaration.schedule.map(|schedule| schedule.steps).or(declaration.steps)?;
    let sum = declaration.schedule.map_or(steps as f64, |schedule| schedule.sum());
    let is_bound = declaration.schedule.is_none() || declaration.largest_rate.is_some();
    Some(Shrink {
        lambda,
        kappa: lambda * rate * sum,
        steps: steps as f64,
        is_bound,
        is_so_far: false,
    })
}

/// The most that κ can be by the optimizer's own step count and rates.
fn saved_shrink(subject: &Subject, declarations: &[Declaration]) -> Option<Shrink> {
    let steps = subject.checkpoint.step().filter(|&steps| steps > 0.0)?;
    // The run may go on for longer than this checkpoint knows.
    if declarations.iter().any(|one| one.steps.is_some_and(|all| all as f64 > steps)) {
        return None;
    }
    let mut most: Option<Shrink> = None;
    for (optimizer, group) in groups(subject) {
        let lambda = group.lambda.filter(|&lambda| lambda > 0.0);
        let Some(lambda) = lambda else { continue };
        if is_decoupled(optimizer, group, declarations) != Some(true)
            || is_shrink_itself(optimizer, declarations)
        {
            return None;
        }
        let kappa = lambda * peak_rate(subject, group, declarations)? * steps;
        if most.as_ref().is_none_or(|other| kappa > other.kappa) {
            most = Some(Shrink { lambda, kappa, steps, is_bound: true, is_so_far: true });
        }
    }
    most
}

#[cfg(test)]
pub(super) mod planted {
    use wd_decay::{Declared, Schedule, ScheduleKind};

    use crate::case::Case;
    use crate::rules::testing::*;

    /// 1000 steps of a cosine from 2e-5 under λ = 0.1: κ = 0.001.
    pub(crate) fn fault() -> Case {
        let mut declaration = declared(0.1);
        declaration.decoupled = Some(true);
        declaration.rate = Some(Declared::stated(2e-5));
        declaration.schedule = Schedule::new(ScheduleKind::Cosine, 0, 1000, 0.0, 0).ok();
        Case { declarations: vec![declaration], ..one(clean()) }
    }

    /// The same run, an early checkpoint of a long one.
    pub(crate) fn look_alike() -> Case {
        let mut case = fault();
        case.declarations[0].rate = Some(Declared::stated(1e-3));
        case.declarations[0].schedule =
            Schedule::new(ScheduleKind::Cosine, 100, 100_000, 0.1, 0).ok();
        case.declarations[0].steps = Some(100_000);
        for state in &mut case.subjects[0].checkpoint.optimizers[0].states {
            state.step = Some(50.0);
        }
        case
    }

    #[test]
    fn tensors_with_a_larger_rate_of_their_own_count() {
        let mut case = fault();
        case.declarations[0].largest_rate = Some(2e-2);
        assert!(findings_of("T01", &case).is_empty());
    }

    #[test]
    fn kappa_is_that_of_the_schedule() {
        // Σ of a cosine to zero over n steps is (n + 1)/2: κ = 0.1 · 2e-5 · 500.5.
        let [finding] = &findings_of("T01", &fault())[..] else { panic!("one finding") };
        assert_eq!(
            finding.message,
            "Over 1,000 steps λ = 0.1 adds up to about κ = 0.001, which takes 0.1 % off a weight \
             without gradient."
        );
        assert_eq!(finding.fix, "Leave λ out of the search; λ = 100 would give κ = 1.");
    }
}
