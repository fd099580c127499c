//! D02: the configuration declares decay and every group has λ = 0.

use wd_page::number::short;

use super::evidence::{has_lambda_schedule, lambdas};
use super::words::configuration;
use super::{Report, Rule};
use crate::case::Case;
use crate::finding::{Place, Severity};

pub(super) static RULE: Rule = Rule {
    id: "D02",
    name: "declared-but-zero",
    severity: Severity::Error,
    finds: "The configuration declares weight decay, and every group of the optimizer has λ = 0.",
    why: "The run was trained without any decay while its configuration says otherwise. Results \
        that are put down to weight decay have another cause, and a setting that never reached the \
        optimizer will not reach it the next time either.",
    seen: "The configuration states a λ above 0, and all groups that hold parameters have λ = 0. \
        This needs a configuration and a saved optimizer.",
    mend: "Follow λ from the configuration to the constructor. Often one branch of the code that \
        builds the optimizer forgets it, for one optimizer of many:\
        \n\n    optimizer = AdamW8bit(groups, lr=config.lr, weight_decay=config.weight_decay)\
        \n\nAfterwards save a checkpoint and run the audit on it once more.",
    no_fault: "Some groups with λ = 0 beside one that decays are the usual split and are not \
        reported; neither is a λ that is a default of the trainer, or one on a schedule that \
        begins or ends at 0.",
    cases: &["transformers#18946", "HeavyBall#71", "llama-cookbook#197"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let held = lambdas(subject);
        let declarations = subject.declared(case);
        let is_zero = !held.is_empty() && held.iter().all(|&lambda| lambda == 0.0);
        if !is_zero || has_lambda_schedule(subject, declarations) {
            continue;
        }
        let stated = declarations.iter().find_map(|declaration| {
            let lambda = declaration.lambda.filter(|one| !one.default && one.value > 0.0)?;
            let applied = declaration.applied_lambda.unwrap_or(lambda.value);
            (applied > 0.0).then_some((declaration, applied))
        });
        let Some((declaration, lambda)) = stated else { continue };
        let message = format!(
            "{} declares λ = {}, and every group of the optimizer in {} has λ = 0.",
            configuration(declaration),
            short(lambda),
            subject.checkpoint.path.display()
        );
        let fix = format!(
            "Hand weight_decay = {} to the optimizer that is really built, and check its groups.",
            short(lambda)
        );
        let place = Place { file: declaration.file.clone(), line: declaration.line };
        report.add(place, message, fix, Vec::new());
    }
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::rules::testing::*;

    pub(crate) fn fault() -> Case {
        let subject = adamw(&[(0.0, &[MATRICES, EMBEDDING, HEAD]), (0.0, &[NORMS, BIASES])]);
        Case { declarations: vec![declared(0.1)], ..one(subject) }
    }

    /// One group has λ = 0, the other one decays.
    pub(crate) fn look_alike() -> Case {
        Case { declarations: vec![declared(0.1)], ..one(clean()) }
    }
}
