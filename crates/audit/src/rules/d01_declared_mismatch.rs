//! D01: the configuration declares one λ and the optimizer holds another.

use wd_page::number::short;

use super::evidence::{has_lambda_schedule, is_same, lambdas};
use super::r01_resume_overrode::overridden;
use super::words::{configuration, values};
use super::{Report, Rule};
use crate::case::{Case, Subject};
use crate::dialect::Declaration;
use crate::finding::{Place, Severity};

pub(super) static RULE: Rule = Rule {
    id: "D01",
    name: "declared-mismatch",
    severity: Severity::Error,
    finds: "The configuration declares one weight decay, and no group of the optimizer has it.",
    why: "What is published, compared and copied is the number in the configuration. What trained \
        the model is the number in the optimizer's groups. Where they differ, nobody who reads the \
        configuration can repeat the run, and a search over λ has searched over nothing.",
    seen: "λ of the configuration, scaled as its trainer scales it, is compared with λ of every \
        group that holds parameters, multipliers such as wd_mult included. This needs a \
        configuration and a saved optimizer.",
    mend: "Find out which of the two was meant, and hand it over explicitly:\
        \n\n    print([(group[\"weight_decay\"], len(group[\"params\"])) for group in \
        optimizer.param_groups])\
        \n\nThe usual causes are a key that the trainer does not read, an optimizer that is built \
        before the configuration is merged, and a paper that was not updated.",
    no_fault: "λ may follow a schedule of its own, groups may have a λ that the configuration \
        gives them by name, and some trainers scale λ: none of these is reported. The defaults of \
        an optimizer are not what its groups hold, and a λ that nobody typed is no declaration.",
    cases: &["FoundationStereo#200", "pythia#132", "PointNeXt#69"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for (index, subject) in case.subjects.iter().enumerate() {
        // A configuration that is given beside several checkpoints is that of the resumed run.
        let declarations = match index + 1 == case.subjects.len() {
            true => subject.declared(case),
            false => &subject.declarations,
        };
        let held = lambdas(subject);
        let is_silent = held.is_empty()
            || held.iter().all(|&lambda| lambda == 0.0)
            || has_lambda_schedule(subject, declarations)
            || overridden(case, index).is_some();
        if is_silent {
            continue;
        }
        let wrong: Vec<(&Declaration, f64)> =
            declarations.iter().filter_map(|one| Some((one, stated(one)?))).collect();
        // Of several files that lie beside a checkpoint, one is read by the trainer.
        let agrees = |&(one, lambda): &(&Declaration, f64)| is_held(subject, one, lambda);
        if let Some(&(declaration, lambda)) = wrong.first()
            && !wrong.iter().any(agrees)
        {
            // Of several checkpoints under one configuration the last one stands for all.
            let repeats = case.subjects[index + 1..].iter().any(|later| {
                later.declared(case).iter().any(|one| one.file == declaration.file)
                    && lambdas(later) == held
            });
            if repeats {
                continue;
            }
            let place = Place { file: declaration.file.clone(), line: declaration.line };
            report.add(place, message(declaration, lambda, subject, &held), fix(lambda), vec![]);
        }
    }
}

/// λ that the optimizer should hold, where somebody stated it.
fn stated(declaration: &Declaration) -> Option<f64> {
    let lambda = declaration.lambda.filter(|lambda| !lambda.default)?;
    Some(declaration.applied_lambda.unwrap_or(lambda.value))
}

fn is_held(subject: &Subject, declaration: &Declaration, lambda: f64) -> bool {
    let held = super::evidence::groups(subject).any(|(_, group)| {
        let multiplier = super::evidence::setting(&group.settings, "wd_mult");
        group.lambda.is_some_and(|held| {
            is_same(held, lambda) || multiplier.is_some_and(|factor| is_same(held, lambda * factor))
        })
    });
    // Groups that have λ of their own leave nothing to the common one.
    let own = &declaration.groups;
    let all_own = !own.is_empty()
        && lambdas(subject).iter().all(|&held| own.iter().any(|(_, own)| is_same(*own, held)));
    held || all_own
}

fn message(declaration: &Declaration, lambda: f64, subject: &Subject, held: &[f64]) -> String {
    let key = declaration.lambda_key.as_deref().unwrap_or("weight_decay");
    let scaled = match &declaration.scaling {
        Some(scaling) => format!(" ({scaling})"),
        None => String::new(),
    };
    let path = subject.checkpoint.path.display();
    format!(
        "{} declares `{key}` = {}{scaled}, and the groups of the optimizer in \
         {path} have λ = {}.",
        configuration(declaration),
        short(lambda),
        values(held)
    )
}

fn fix(lambda: f64) -> String {
    format!(
        "Give the optimizer λ = {} if the configuration is right, or write the λ that was used \
         into the configuration.",
        short(lambda)
    )
}

#[cfg(test)]
pub(super) mod planted {
    use wd_decay::Declared;

    use crate::case::Case;
    use crate::rules::testing::{clean, declared, one};

    pub(crate) fn fault() -> Case {
        Case { declarations: vec![declared(0.01)], ..one(clean()) }
    }

    /// The optimizer's default is 0, its groups hold λ, and nobody typed the default.
    pub(crate) fn look_alike() -> Case {
        let mut declaration = declared(0.0);
        declaration.lambda = Some(Declared::by_default(0.0));
        Case { declarations: vec![declaration], ..one(clean()) }
    }

    #[test]
    fn scaled_lambda_multipliers_and_schedules_agree() {
        use crate::checkpoint::Value;
        use crate::rules::testing::{findings_of, set_lambda};

        let mut scaled = declared(0.05);
        scaled.applied_lambda = Some(0.1);
        let scaled = Case { declarations: vec![scaled], ..one(clean()) };
        assert!(findings_of("D01", &scaled).is_empty());

        let mut subject = clean();
        set_lambda(&mut subject, 0, 0.05);
        let settings = &mut subject.checkpoint.optimizers[0].groups[0].settings;
        settings.push(("wd_mult".to_owned(), Value::Number(0.5)));
        let multiplied = Case { declarations: vec![declared(0.1)], ..one(subject) };
        assert!(findings_of("D01", &multiplied).is_empty());

        let mut moving = declared(0.01);
        moving.final_lambda = Some(0.2);
        let moving = Case { declarations: vec![moving], ..one(clean()) };
        assert!(findings_of("D01", &moving).is_empty());
    }

    #[test]
    fn the_message_has_both_numbers_and_the_line() {
        use crate::rules::testing::findings_of;

        let [finding] = &findings_of("D01", &fault())[..] else { panic!("one finding") };
        assert_eq!(
            finding.message,
            "The nanoGPT configuration declares `weight_decay` = 0.01, and the groups of the \
             optimizer in run/ckpt.pt have λ = 0.1 and 0."
        );
        assert_eq!(finding.place.line, Some(3));
    }
}
