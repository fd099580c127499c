//! T03: a step of decay takes off too much.

use wd_page::number::{percent, short};

use super::evidence::{groups, is_shrink_itself, peak_rate};
use super::{Report, Rule};
use crate::case::{Case, Subject};
use crate::dialect::Declaration;
use crate::finding::{Place, Severity};

/// λ from which a shrink that is λ itself takes most of the weights in a thousand steps; Composer
/// warns at the same value.
const LARGE_SHRINK: f64 = 1e-3;

pub(super) static RULE: Rule = Rule {
    id: "T03",
    name: "overshoot",
    severity: Severity::Error,
    finds: "A step of decay takes off the whole weight, or λ is the shrink of a step itself and \
        was chosen as if it were multiplied by the rate.",
    why: "Composer's Decoupled optimizers take λ · η/η_max off the weights and not λ · η. The 0.1 \
        that suits torch.optim.AdamW then takes a tenth off every weight in every step. Under any \
        optimizer ηλ ≥ 1 throws the weights beyond 0.",
    seen: "The largest known rate times λ is 1 or more, or λ is 0.001 or more under an optimizer \
        whose shrink is λ itself. This needs a saved optimizer or a configuration.",
    mend: "Multiply the λ of AdamW by the peak of the rate when moving to such an optimizer:\
        \n\n    DecoupledAdamW(groups, lr=6e-4, weight_decay=0.1 * 6e-4)\
        \n\nwd convert does that between any two of the libraries it knows.",
    no_fault: "0.1 under torch.optim.AdamW is multiplied by the rate and is no overshoot; neither \
        is 1e-5 under DecoupledAdamW.",
    cases: &[],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let declarations = subject.declared(case);
        let found = saved(subject, declarations);
        let Some((message, fix)) = found else { continue };
        report.add(Place::file(&subject.checkpoint.path), message, fix, Vec::new());
        return;
    }
    let beside = case.subjects.iter().flat_map(|subject| subject.declared(case));
    for declaration in beside.chain(&case.declarations) {
        let lambda = declaration.applied_lambda.or(declaration.lambda.map(|one| one.value));
        let rate = declaration.rate.map(|rate| rate.value);
        let is_shrink = declaration.is_independent_of_rate;
        let Some((message, fix)) = judge(lambda, rate, is_shrink) else { continue };
        let place = Place { file: declaration.file.clone(), line: declaration.line };
        report.add(place, message, fix, Vec::new());
        return;
    }
}

fn saved(subject: &Subject, declarations: &[Declaration]) -> Option<(String, String)> {
    groups(subject).find_map(|(optimizer, group)| {
        let rate = peak_rate(subject, group, declarations);
        judge(group.lambda, rate, is_shrink_itself(optimizer, declarations))
    })
}

/// What is wrong with λ at a rate, and how to mend it.
fn judge(lambda: Option<f64>, rate: Option<f64>, is_shrink: bool) -> Option<(String, String)> {
    let lambda = lambda?;
    if is_shrink {
        let left = (1.0 - lambda).max(0.0).powi(100);
        let message = format!(
            "λ = {} is the shrink of a step itself: after 100 steps at the peak {} is left of a \
             weight without gradient.",
            short(lambda),
            percent(left)
        );
        let fix = match rate {
            Some(rate) => format!(
                "Multiply by the rate, as AdamW does: λ = {} · {} = {}.",
                short(lambda),
                short(rate),
                short(lambda * rate)
            ),
            None => "Multiply λ by the peak of the rate.".to_owned(),
        };
        return (lambda >= LARGE_SHRINK).then_some((message, fix));
    }
    let rate = rate?;
    (rate * lambda >= 1.0).then(|| {
        let message = format!(
            "ηλ = {} · {} = {}: a step takes off the whole weight, or more.",
            short(rate),
            short(lambda),
            short(rate * lambda)
        );
        (message, "Lower λ until ηλ is far below 1.".to_owned())
    })
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::rules::testing::*;

    /// AdamW's 0.1 under Composer.
    pub(crate) fn fault() -> Case {
        let mut subject = clean();
        subject.checkpoint.optimizers[0].name = Some("DecoupledAdamW".to_owned());
        one(subject)
    }

    /// Composer's own 1e-5.
    pub(crate) fn look_alike() -> Case {
        let mut case = fault();
        set_lambda(&mut case.subjects[0], 0, 1e-5);
        case
    }

    #[test]
    fn a_step_that_takes_everything_is_found() {
        let mut subject = clean();
        subject.checkpoint.optimizers[0].groups[0].rate = Some(10.0);
        assert_eq!(findings_of("T03", &one(subject)).len(), 1);
    }
}
