//! F05: the shrinks of several windows follow another rule than λη.

use wd_page::number::short;

use super::evidence::has_lambda_schedule;
use super::{Report, Rule};
use crate::case::Case;
use crate::finding::{Place, Severity};

/// How many times better than the declared rule another one must fit.
const BETTER: f64 = 10.0;
/// The residual up to which a rule is said to fit.
const FITS: f64 = 0.02;

pub(super) static RULE: Rule = Rule {
    id: "F05",
    name: "other-rule",
    severity: Severity::Warning,
    finds: "The decay follows another rule than λ times the learning rate.",
    why: "Some optimizers take a fixed λ off in each step (fixed_decay of pytorch_optimizer), some \
        λη². The number in the groups is then multiplied by something else than its readers think, \
        and a change of the schedule changes the decay in another way, or not at all.",
    seen: "The shrinks of rows without gradient over two or more windows are proportional to the \
        steps, to Σ η² or to Σ √η, with a residual a tenth of that of Σ η at most. This needs \
        three checkpoints and rates that vary.",
    mend: "Name the rule beside λ, or choose the switch that couples λ and the rate:\
        \n\n    AdamP(params, lr=lr, weight_decay=wd, fixed_decay=False)\
        \n\nwd convert gives the λ of one rule in another.",
    no_fault: "A λ that follows a schedule of its own looks like another rule, and is not \
        reported; under a constant rate all rules are one.",
    cases: &[],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    let Some(subject) = case.subjects.last() else { return };
    let declarations = subject.declared(case);
    let means_it = declarations.iter().any(|declaration| declaration.is_independent_of_rate);
    if has_lambda_schedule(subject, declarations) || means_it {
        return;
    }
    let rules = &case.proof.rules;
    let usual = rules.iter().find(|fit| fit.rule == "Σ η");
    let best = rules
        .iter()
        .filter(|fit| fit.residual.is_finite())
        .min_by(|one, other| one.residual.total_cmp(&other.residual));
    let (Some(usual), Some(best)) = (usual, best) else { return };
    if best.rule == usual.rule || best.residual > FITS || usual.residual < BETTER * best.residual {
        return;
    }
    let message = format!(
        "The shrinks of several windows follow {} (largest relative residual {}) and not Σ η ({}).",
        match best.rule {
            "steps" => "the number of steps",
            rule => rule,
        },
        short(best.residual),
        short(usual.residual)
    );
    let fix = "Say beside λ what it is multiplied with, or couple it to the rate.".to_owned();
    report.add(Place::file(&subject.checkpoint.path), message, fix, Vec::new());
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::estimate::RuleFit;
    use crate::rules::testing::*;

    fn fits(eta: f64, steps: f64) -> Case {
        let mut case = two(clean(), clean());
        case.proof.rules = vec![
            RuleFit { rule: "Σ η", residual: eta },
            RuleFit { rule: "steps", residual: steps },
            RuleFit { rule: "Σ η²", residual: 1.2 },
            RuleFit { rule: "Σ √η", residual: 0.49 },
        ];
        case
    }

    pub(crate) fn fault() -> Case {
        fits(1.6, 3.2e-5)
    }

    /// The rule of AdamW, with the residuals that were measured.
    pub(crate) fn look_alike() -> Case {
        fits(3.2e-5, 1.6)
    }

    #[test]
    fn a_schedule_of_lambda_looks_like_another_rule() {
        let mut declaration = declared(0.1);
        declaration.final_lambda = Some(0.0);
        let case = Case { declarations: vec![declaration], ..fault() };
        assert!(findings_of("F05", &case).is_empty());
    }
}
