//! D04: λ is a default that nobody typed.

use wd_conventions::library::{KeyDefault, KeyMeaning, entries};
use wd_page::number::short;

use super::words::listed;
use super::{Report, Rule};
use crate::case::Case;
use crate::dialect::Declaration;
use crate::finding::{Place, Severity};

pub(super) static RULE: Rule = Rule {
    id: "D04",
    name: "library-default",
    severity: Severity::Note,
    finds: "The weight decay is a default of the trainer that nobody typed.",
    why: "Defaults differ by four orders of magnitude between libraries: 0 in Hugging Face's \
        Trainer, 0.01 in torch.optim.AdamW, 1e-4 in optax.adamw, 0.1 in nanoGPT. They were chosen \
        for other runs, and they change between versions. A run that is moved to another library \
        changes its decay without anybody deciding it.",
    seen: "The configuration has no key for λ, so that its trainer uses its own default. This \
        needs a configuration of a known trainer.",
    mend: "Write the number down, even if it is the default:\
        \n\n    optimizer = torch.optim.AdamW(groups, lr=6e-4, weight_decay=0.1)\
        \n\nwd advise says which λ published laws suggest for the run.",
    no_fault: "A default that is typed is a decision, and is not reported.",
    cases: &["refiners#320", "bitsandbytes#13", "DeepSpeed#5214", "grokking#4"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    let found = case.subjects.iter().flat_map(|subject| subject.declared(case));
    let mut seen: Vec<&Declaration> = Vec::new();
    for declaration in found.chain(&case.declarations) {
        let Some(lambda) = declaration.lambda.filter(|lambda| lambda.default) else { continue };
        if seen.iter().any(|other| other.file == declaration.file) {
            continue;
        }
        seen.push(declaration);
        // A null under λ's key was typed, and leaves λ to the trainer.
        let whose = match &declaration.lambda_key {
            Some(key) => format!("which it takes where `{key}` is null"),
            None => "and nobody typed it".to_owned(),
        };
        let message = format!(
            "λ = {} is the default of {}, {whose}{}.",
            short(lambda.value),
            declaration.dialect,
            also_default_of(lambda.value)
        );
        let fix = "Write λ into the configuration, so that it is a decision that can be seen.";
        let place = Place { file: declaration.file.clone(), line: None };
        report.add(place, message, fix.to_owned(), Vec::new());
    }
}

/// Which optimizers have the same default.
fn also_default_of(lambda: f64) -> String {
    let same = entries().filter(|entry| {
        let default = entry.key(KeyMeaning::WeightDecay).map(|key| key.default);
        entry.has_steps() && default == Some(KeyDefault::Number(lambda))
    });
    let names: Vec<String> = same.map(|entry| entry.name.clone()).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("; it is that of {} too", listed(&names)),
    }
}

#[cfg(test)]
pub(super) mod planted {
    use wd_decay::Declared;

    use crate::case::Case;
    use crate::rules::testing::*;

    pub(crate) fn fault() -> Case {
        let mut declaration = declared(0.1);
        declaration.lambda = Some(Declared::by_default(0.1));
        declaration.lambda_key = None;
        Case { declarations: vec![declaration], ..one(clean()) }
    }

    /// The same number, typed.
    pub(crate) fn look_alike() -> Case {
        Case { declarations: vec![declared(0.1)], ..one(clean()) }
    }

    #[test]
    fn the_libraries_with_the_same_default_are_named() {
        let mut declaration = declared(0.01);
        declaration.lambda = Some(Declared::by_default(0.01));
        let case = Case { declarations: vec![declaration], ..one(clean()) };
        let [finding] = &findings_of("D04", &case)[..] else { panic!("one finding") };
        assert!(finding.message.contains("`torch.AdamW`"), "{}", finding.message);
    }
}
