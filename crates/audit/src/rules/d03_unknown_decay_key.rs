//! D03: a group or a configuration has a key for decay that nobody reads.

use wd_page::number::short;

use super::evidence::groups;
use super::{Report, Rule};
use crate::case::Case;
use crate::checkpoint::Group;
use crate::dialect::sounds_like_decay;
use crate::finding::{Place, Severity};

/// Spellings of λ that are found in groups and that optimizers of PyTorch do not read.
const SPELLINGS: [&str; 6] =
    ["weight_decay_rate", "wd", "decay", "l2", "weightdecay", "decay_rate"];

/// Megatron's factor of λ.
const FACTOR: &str = "wd_mult";

pub(super) static RULE: Rule = Rule {
    id: "D03",
    name: "unknown-decay-key",
    severity: Severity::Warning,
    finds: "A group or a configuration sets weight decay under a key that is not read.",
    why: "PyTorch accepts any key in a parameter group without a word. Code that was written for \
        BertAdam sets weight_decay_rate; under torch.optim.AdamW that key does nothing, and the \
        group decays with the optimizer's default instead. Trainers that read YAML ignore unknown \
        keys as well, so that a slip such as weight_deacy leaves λ at the trainer's default.",
    seen: "PyTorch fills in every key that the optimizer reads. A group that has weight_decay and \
        beside it weight_decay_rate, wd, decay or l2 with another value has a key that is ignored; \
        so has a group of PyTorch's own optimizers with wd_mult = 0 and a weight_decay above 0. \
        This needs a saved optimizer. A configuration that lacks the trainer's key for λ, and has \
        one that differs from it by a letter or two, needs none.",
    mend: "Use the key that the optimizer reads:\
        \n\n    {\"params\": decayed, \"weight_decay\": 0.1}\
        \n\nTorch lists what it reads in optimizer.defaults.",
    no_fault: "BertAdam and some forks of Muon read these keys rightly: a group without \
        weight_decay is not reported, and neither is a second key with the same value.",
    cases: &["wekws#23", "mt-dnn#37"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for declaration in &case.declarations {
        let slips = declaration.misspelt.iter().filter(|slip| sounds_like_decay(&slip.meant));
        for slip in slips {
            let message = slip.words(declaration.dialect);
            let fix = format!("Write `{}`.", slip.meant);
            report.add(Place::file(&declaration.file), message, fix, Vec::new());
        }
    }
    for subject in &case.subjects {
        let ignored = groups(subject).filter_map(|(_, group)| ignored_key(group)).next();
        let Some((key, value, read)) = ignored else {
            let path = &subject.checkpoint.path;
            if let Some((factor, read)) =
                groups(subject).find_map(|(_, group)| ignored_factor(group))
            {
                let message = format!(
                    "A group sets `{FACTOR}` = {}, which PyTorch's optimizers ignore: its λ is \
                     `weight_decay` = {}.",
                    short(factor),
                    short(read)
                );
                let fix =
                    format!("Multiply `weight_decay` by `{FACTOR}` before the optimizer is made.");
                report.add(Place::file(path), message, fix, Vec::new());
            }
            continue;
        };
        let message = format!(
            "A group sets `{key}` = {}, which its optimizer ignores: it reads `weight_decay`, \
             which is {}.",
            short(value),
            short(read)
        );
        let fix = format!("Rename `{key}` to `weight_decay` in the code that makes the groups.");
        report.add(Place::file(&subject.checkpoint.path), message, fix, Vec::new());
    }
}

/// A factor of λ that is ignored, and the λ that is read. Only PyTorch's own optimizers say whether
/// they decouple; Megatron, whose key it is, multiplies before it hands λ to one of them, so that a
/// spared group has λ = 0 there.
fn ignored_factor(group: &Group) -> Option<(f64, f64)> {
    let number = |wanted: &str| super::evidence::setting(&group.settings, wanted);
    let (factor, read) = (number(FACTOR)?, number("weight_decay")?);
    (group.decoupled.is_some() && factor == 0.0 && read > 0.0).then_some((factor, read))
}

/// A key that is ignored, its value, and the value that is read.
fn ignored_key(group: &Group) -> Option<(&str, f64, f64)> {
    let number = |wanted: &str| super::evidence::setting(&group.settings, wanted);
    let read = number("weight_decay")?;
    // Adafactor has a decay_rate of its own, which is the exponent of its average.
    let is_adafactor = group.settings.iter().any(|(key, _)| key == "clip_threshold");
    group.settings.iter().find_map(|(key, value)| {
        let is_known = SPELLINGS.contains(&key.as_str()) && !(is_adafactor && key == "decay_rate");
        let value = value.number().filter(|&value| is_known && value != read)?;
        Some((key.as_str(), value, read))
    })
}

#[cfg(test)]
pub(super) mod planted {
    use crate::case::Case;
    use crate::checkpoint::Value;
    use crate::rules::testing::*;

    pub(crate) fn fault() -> Case {
        let mut subject = clean();
        let settings = &mut subject.checkpoint.optimizers[0].groups[1].settings;
        settings.push(("weight_decay_rate".to_owned(), Value::Number(0.01)));
        one(subject)
    }

    #[test]
    fn a_factor_that_pytorch_ignores_is_found_and_one_that_was_applied_is_not() {
        let with = |lambda: f64| {
            let mut subject = clean();
            let group = &mut subject.checkpoint.optimizers[0].groups[1];
            group.decoupled = Some(true);
            group.settings.retain(|(key, _)| key != "weight_decay");
            group.settings.push(("weight_decay".to_owned(), Value::Number(lambda)));
            group.settings.push(("wd_mult".to_owned(), Value::Number(0.0)));
            findings_of("D03", &one(subject)).len()
        };
        assert_eq!((with(0.1), with(0.0)), (1, 0));
    }

    #[test]
    fn a_slip_in_a_configuration_is_named_with_the_key_that_is_read() {
        let text = "per_device_train_batch_size: 8\nlearning_rate: 1e-3\nweight_deacy: 0.1\n";
        let declared = crate::dialect::read("train.yaml".as_ref(), text).unwrap();
        let case = Case { declarations: vec![declared], ..one(clean()) };
        let [finding] = &findings_of("D03", &case)[..] else { panic!("one finding") };
        assert!(finding.message.contains("did you mean `weight_decay`?"), "{}", finding.message);
    }

    /// BertAdam, whose only key this is.
    pub(crate) fn look_alike() -> Case {
        let mut subject = clean();
        for group in &mut subject.checkpoint.optimizers[0].groups {
            group.lambda_key = Some("weight_decay_rate".to_owned());
            for (key, _) in &mut group.settings {
                if key == "weight_decay" {
                    *key = "weight_decay_rate".to_owned();
                }
            }
        }
        one(subject)
    }
}
