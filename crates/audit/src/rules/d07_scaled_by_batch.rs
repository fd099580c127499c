//! D07: the trainer scaled λ before it reached the optimizer.

use wd_page::number::short;

use super::evidence::{is_same, lambdas};
use super::{Report, Rule};
use crate::case::Case;
use crate::finding::{Place, Severity};

pub(super) static RULE: Rule = Rule {
    id: "D07",
    name: "scaled-by-batch",
    severity: Severity::Note,
    finds: "The trainer scales the weight decay of the configuration, and the optimizer holds the \
        scaled one.",
    why: "Ultralytics multiplies λ by batch · accumulate / nbs without a word, so that another \
        batch is another λ. A λ that is copied from such a configuration into another trainer is \
        off by that factor.",
    seen: "λ of the configuration, scaled as its trainer does it, is that of a group, and the \
        number in the configuration is not. This needs a configuration of a known trainer and a \
        saved optimizer.",
    mend: "Report the λ of the optimizer beside the one of the configuration:\
        \n\n    print({group[\"weight_decay\"] for group in optimizer.param_groups})\
        \n\nCopy that one to other trainers.",
    no_fault: "Scaling is what that trainer does, so this is a note. Where the scale is 1 nothing \
        is reported, and where no scaling explains the number it is D01.",
    cases: &["yolov5#6757"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let held = lambdas(subject);
        let scaled = subject.declared(case).iter().find_map(|declaration| {
            let (written, applied) = (declaration.lambda?.value, declaration.applied_lambda?);
            let is_scaled =
                !is_same(written, applied) && held.iter().any(|&lambda| is_same(lambda, applied));
            is_scaled.then_some((declaration, written, applied))
        });
        let Some((declaration, written, applied)) = scaled else { continue };
        let how = declaration.scaling.as_deref().map_or(String::new(), |how| format!(" ({how})"));
        let message = format!(
            "The optimizer holds λ = {}, which {} makes of the {} in the configuration{how}.",
            short(applied),
            declaration.dialect,
            short(written)
        );
        let fix = format!("Compare and copy λ = {}, not the number as written.", short(applied));
        let place = Place { file: declaration.file.clone(), line: declaration.line };
        report.add(place, message, fix, Vec::new());
    }
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::rules::testing::*;

    pub(crate) fn fault() -> Case {
        let mut declaration = declared(5e-4);
        declaration.dialect = "ultralytics";
        declaration.applied_lambda = Some(1e-3);
        declaration.scaling = Some("batch 128 · accumulate 1 / nbs 64".to_owned());
        let mut subject = clean();
        set_lambda(&mut subject, 0, 1e-3);
        Case { declarations: vec![declaration], ..one(subject) }
    }

    /// The same trainer at its nominal batch.
    pub(crate) fn look_alike() -> Case {
        let mut case = fault();
        case.declarations[0].applied_lambda = Some(5e-4);
        set_lambda(&mut case.subjects[0], 0, 5e-4);
        case
    }
}
