//! T02: τ is far from what published laws found best.

use wd_advise::laws::power_lines;
use wd_advise::{PlannedRun, Range};
use wd_decay::{Run, Unit};
use wd_page::number::{count, share, short};

use super::{Report, Rule};
use crate::case::{Case, Subject};
use crate::dialect::Declaration;
use crate::finding::{Place, Severity};

/// How far λ may be from a law's range: the laws are fits, and losses are flat around their best.
const SLACK: f64 = 2.0;

pub(super) static RULE: Rule = Rule {
    id: "T02",
    name: "off-law",
    severity: Severity::Note,
    finds: "The averaging timescale of a run over text is far from the one that was found best.",
    why: "AdamW's weights are an average over the last τ = 1/(ηλ) steps. In one pass over text the \
        best share of the run for that falls with tokens a parameter (Bergsma et al. 2025). A λ \
        that was copied from a run of another length or batch is off by that factor.",
    seen: "Rate, λ, batch, sequence, steps and model size are put into the law as wd advise knows \
        it, and λ is more than a factor of two outside its range. This needs a configuration with \
        all of these: of nanoGPT, torchtitan, OLMo, OLMo-core, litgpt, Megatron-LM, Composer or \
        wd.",
    mend: "Ask for the λ of your run:\
        \n\n    wd advise --params 124M --tokens 2.5B --batch 0.5M --lr 6e-4\
        \n\nIf another λ was found best by a search, trust the search.",
    no_fault: "The law holds where it was established, for AdamW from scratch in one pass: outside \
        of that range nothing is reported. A configuration does not say how often its text was \
        repeated: repeated text wants a larger λ.",
    cases: &["llama#958", "AgentTuning#54"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    let Some(subject) = case.subjects.last() else { return };
    for declaration in subject.declared(case) {
        let Some((lambda, run)) = planned(declaration, subject) else { continue };
        let law = power_lines::LAW;
        let answer = (law.answer)(&run).applies();
        let (Some((best, range)), Some(steps), Some(rate)) = (
            answer.filter(|&(_, range)| is_off(lambda, range)),
            run.steps(),
            run.peak_learning_rate,
        ) else {
            continue;
        };
        let timescale = |lambda: f64| share(1.0 / (rate * lambda * steps));
        let message = format!(
            "λ = {} makes τ = 1/(ηλ) {} of the {} steps, where {} has {} (λ = {}, between {} and \
             {}).",
            short(lambda),
            timescale(lambda),
            count(steps as u64),
            law.name,
            timescale(best),
            short(best),
            short(range.low),
            short(range.high)
        );
        let fix =
            format!("Try λ = {}, or search around it.", wd_page::number::significant(best, 2));
        let place = Place { file: declaration.file.clone(), line: declaration.line };
        report.add(place, message, fix, Vec::new());
        return;
    }
}

fn is_off(lambda: f64, range: Range) -> bool {
    lambda < range.low / SLACK || lambda > range.high * SLACK
}

/// λ, and the run as the laws see it.
fn planned(declaration: &Declaration, subject: &Subject) -> Option<(f64, PlannedRun)> {
    let lambda = declaration.applied_lambda.or(declaration.lambda.map(|one| one.value))?;
    let is_covered = lambda > 0.0
        && declaration.decoupled == Some(true)
        && !declaration.is_independent_of_rate
        && declaration.final_lambda.is_none();
    let steps = declaration.steps.or(declaration.schedule.map(|schedule| schedule.steps))?;
    let batch = declaration.batch?;
    let batch = batch * declaration.sequence?;
    let total = batch * steps as f64;
    let run = Run {
        unit: Unit::Token,
        peak_learning_rate: declaration.rate,
        schedule: declaration.schedule,
        batch: Some(batch),
        total: Some(total),
        parameters: parameters(subject),
        ..Run::default()
    };
    let mut planned = PlannedRun::new(&run).ok()?;
    planned.optimizer = declaration.optimizer.unwrap_or_default();
    let planned = planned.checked().ok()?;
    is_covered.then_some((lambda, planned))
}

/// Parameters of the model, tied ones once.
fn parameters(subject: &Subject) -> Option<u64> {
    let sizes = subject.parameters.iter().map(|one| {
        let shape = one.shape.as_ref()?;
        shape.iter().try_fold(1_u64, |product, &size| product.checked_mul(size as u64))
    });
    let total = sizes.sum::<Option<u64>>()?;
    (total > 0).then_some(total)
}

#[cfg(test)]
pub(super) mod planted {
    use wd_decay::{Declared, OptimizerKind, Schedule, ScheduleKind};

    use crate::case::Case;
    use crate::names::Kind;
    use crate::rules::testing::*;

    /// GPT-2 with 124 million parameters on 3.28 billion tokens, for which Power Lines has
    /// λ = 0.17.
    fn gpt2(lambda: f64) -> Case {
        let mut declaration = declared(lambda);
        declaration.decoupled = Some(true);
        declaration.optimizer = Some(OptimizerKind::Adamw);
        declaration.rate = Some(Declared::stated(6e-4));
        declaration.batch = Some(64.0);
        declaration.sequence = Some(1024.0);
        declaration.steps = Some(50_000);
        declaration.schedule = Schedule::new(ScheduleKind::Cosine, 400, 50_000, 0.1, 0).ok();
        let mut subject = clean();
        set_lambda(&mut subject, 0, lambda);
        let mut large = subject.parameters[0].clone();
        large.name = Some("mlp.weight".to_owned());
        large.kind = Some(Kind::Matrix);
        large.shape = Some(vec![124_000_000, 1]);
        subject.parameters.push(large);
        Case { declarations: vec![declaration], ..one(subject) }
    }

    pub(crate) fn fault() -> Case {
        gpt2(0.01)
    }

    /// nanoGPT's 0.1, within a factor of two of the law.
    pub(crate) fn look_alike() -> Case {
        gpt2(0.1)
    }

    #[test]
    fn the_law_is_that_of_the_advice() {
        let [finding] = &findings_of("T02", &fault())[..] else { panic!("one finding") };
        assert_eq!(finding.fix, "Try λ = 0.17, or search around it.");
    }
}
