//! R01: a resumed run does not have the λ or the rate that it was given.

use wd_page::number::short;

use super::evidence::{groups, has_lambda_schedule, is_same, lambdas};
use super::words::values;
use super::{Report, Rule};
use crate::case::{Case, Subject};
use crate::checkpoint::Writer;
use crate::dialect::Declaration;
use crate::finding::{Place, Severity};

pub(super) static RULE: Rule = Rule {
    id: "R01",
    name: "resume-overrode",
    severity: Severity::Error,
    finds: "A resumed run was given a weight decay or a learning rate, and its optimizer has \
        another.",
    why: "Loading an optimizer restores its groups with everything in them: a λ that was changed \
        for the second part of a run is silently the old one again. Some trainers do the opposite, \
        and put the constructor's λ over that of the checkpoint. Either way the second part is not \
        the run that was meant.",
    seen: "Of two checkpoints the later one has a λ or a starting rate that differs from the \
        configuration of the resumed run: the earlier checkpoint's, or a third one. This needs \
        both optimizers and that configuration.",
    mend: "Set what you mean after loading, and look at it:\
        \n\n    optimizer.load_state_dict(state[\"optimizer\"])\
        \n    for group in optimizer.param_groups:\
        \n        if group[\"weight_decay\"] > 0:\
        \n            group[\"weight_decay\"] = config.weight_decay\
        \n\nMegatron has --override-opt_param-scheduler for the values of its schedule.",
    no_fault: "OLMo-core keeps the starting rate of the checkpoint on purpose (fixed_fields), and \
        λ may follow a schedule: neither is reported. Where the earlier checkpoint already differs \
        from its own configuration it is D01.",
    cases: &["Megatron-LM#5212", "Megatron-LM#5213", "timm#2792", "ModernBERT#123"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for index in 1..case.subjects.len() {
        let Some(subject) = case.subjects.get(index) else { continue };
        let found = overridden(case, index).or_else(|| overridden_rate(case, index));
        let Some(Overridden { message, fix }) = found else { continue };
        report.add(Place::file(&subject.checkpoint.path), message, fix, Vec::new());
    }
}

/// What a resume did not take over, in words.
pub(super) struct Overridden {
    message: String,
    fix: String,
}

/// λ of a later checkpoint that is not the one it was given.
pub(super) fn overridden(case: &Case, index: usize) -> Option<Overridden> {
    let (before, after, declarations) = resumed(case, index)?;
    let (old, new) = (positive(before), positive(after));
    let wanted: Vec<f64> = declarations.iter().filter_map(stated).collect();
    let lambda = *wanted.first()?;
    let is_held = wanted.iter().any(|&one| new.iter().any(|&other| is_same(one, other)));
    let is_silent = is_held
        || new.is_empty()
        || has_lambda_schedule(after, declarations)
        || differed_before(case, before);
    let restored = new.iter().all(|&one| old.iter().any(|&other| is_same(one, other)));
    let whose = if restored { "as the checkpoint before it has" } else { "which neither gave" };
    (!is_silent).then(|| Overridden {
        message: format!(
            "The configuration of the resumed run gives λ = {}, and its optimizer decays with {}, \
             {whose}.",
            short(lambda),
            values(&new)
        ),
        fix: format!(
            "Set weight_decay = {} in the groups after loading them; if nothing was resumed, this \
             is not the configuration of the run.",
            short(lambda)
        ),
    })
}

/// The starting rate of a later checkpoint, where it is the earlier one's and not the one given.
fn overridden_rate(case: &Case, index: usize) -> Option<Overridden> {
    let (before, after, declarations) = resumed(case, index)?;
    let starts = |subject: &Subject| -> Vec<f64> {
        groups(subject).filter_map(|(_, group)| group.initial_rate).collect()
    };
    let (old, new) = (starts(before), starts(after));
    let keeps_on_purpose = after.checkpoint.writer == Writer::OlmoCore
        || groups(after)
            .any(|(_, group)| group.settings.iter().any(|(key, _)| key == "fixed_fields"));
    let wanted = declarations.iter().find_map(|one| one.rate.filter(|rate| !rate.default))?.value;
    let first = *new.first()?;
    let is_restored = new.iter().zip(&old).all(|(new, old)| is_same(*new, *old))
        && new.len() == old.len()
        && !new.iter().any(|&rate| is_same(rate, wanted));
    // Where the earlier run was given another rate too, groups have multiples of it.
    let explained = before
        .declarations
        .iter()
        .any(|one| one.rate.is_some_and(|rate| !old.iter().any(|&old| is_same(old, rate.value))));
    (is_restored && !keeps_on_purpose && !explained).then(|| Overridden {
        message: format!(
            "The resumed run was given a peak rate of {}, and its optimizer starts from {}, as the \
             checkpoint before it has.",
            short(wanted),
            short(first)
        ),
        fix: format!("Set lr and initial_lr = {} in the groups after loading them.", short(wanted)),
    })
}

/// Two neighbours and the configuration of the later one.
fn resumed(case: &Case, index: usize) -> Option<(&Subject, &Subject, &[Declaration])> {
    let before = case.subjects.get(index.checked_sub(1)?)?;
    let after = case.subjects.get(index)?;
    let is_last = index + 1 == case.subjects.len();
    let declarations = if is_last { after.declared(case) } else { &after.declarations };
    Some((before, after, declarations))
}

/// Whether the earlier checkpoint had another λ than its own configuration already.
fn differed_before(case: &Case, before: &Subject) -> bool {
    let held = positive(before);
    let is_other = |lambda: f64| !held.iter().any(|&held| is_same(held, lambda));
    // A configuration that is given belongs to the resumed run alone.
    let own = match case.declarations.is_empty() || !before.declarations.is_empty() {
        true => &before.declarations[..],
        false => &[],
    };
    let mut stated = own.iter().filter_map(stated).peekable();
    stated.peek().is_some() && stated.all(is_other)
}

fn stated(declaration: &Declaration) -> Option<f64> {
    let lambda = declaration.lambda.filter(|lambda| !lambda.default)?;
    Some(declaration.applied_lambda.unwrap_or(lambda.value))
}

fn positive(subject: &Subject) -> Vec<f64> {
    lambdas(subject).into_iter().filter(|&lambda| lambda > 0.0).collect()
}

#[cfg(test)]
pub(super) mod planted {
    use wd_decay::Declared;

    use crate::case::Case;
    use crate::rules::testing::*;

    /// The run was resumed with λ = 0.03 and has the old 0.1.
    pub(crate) fn fault() -> Case {
        Case { declarations: vec![declared(0.03)], ..two(clean(), clean()) }
    }

    /// The run was resumed with λ = 0.03 and has it.
    pub(crate) fn look_alike() -> Case {
        let mut later = clean();
        set_lambda(&mut later, 0, 0.03);
        Case { declarations: vec![declared(0.03)], ..two(clean(), later) }
    }

    #[test]
    fn the_constructors_lambda_is_found_too() {
        let mut later = clean();
        set_lambda(&mut later, 0, 0.01);
        let case = Case { declarations: vec![declared(0.1)], ..two(clean(), later) };
        let [finding] = &findings_of("R01", &case)[..] else { panic!("one finding") };
        assert_eq!(
            finding.message,
            "The configuration of the resumed run gives λ = 0.1, and its optimizer decays with \
             0.01, which neither gave."
        );
        assert!(findings_of("D01", &case).is_empty());
    }

    #[test]
    fn a_rate_that_was_restored_is_found() {
        let mut declaration = declared(0.1);
        declaration.rate = Some(Declared::stated(3e-4));
        let case = Case { declarations: vec![declaration], ..two(clean(), clean()) };
        assert_eq!(findings_of("R01", &case).len(), 1);
    }

    #[test]
    fn a_configuration_that_never_held_is_declared_mismatch() {
        let (mut first, mut second) = (clean(), clean());
        first.declarations = vec![declared(0.01)];
        second.declarations = vec![declared(0.01)];
        let case = two(first, second);
        assert!(findings_of("R01", &case).is_empty());
        assert_eq!(findings_of("D01", &case).len(), 1, "the last one stands for both");
    }
}
