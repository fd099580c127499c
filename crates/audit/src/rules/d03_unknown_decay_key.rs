//! D03: a group has a key for decay that its optimizer ignores.

use wd_page::number::short;

use super::evidence::groups;
use super::{Report, Rule};
use crate::case::Case;
use crate::checkpoint::Group;
use crate::finding::{Place, Severity};

/// Spellings of λ that are found in groups and that optimizers of PyTorch do not read.
const SPELLINGS: [&str; 6] =
    ["weight_decay_rate", "wd", "decay", "l2", "weightdecay", "decay_rate"];

pub(super) static RULE: Rule = Rule {
    id: "D03",
    name: "unknown-decay-key",
    severity: Severity::Warning,
    finds: "A group sets weight decay under a key that its optimizer does not read.",
    why: "PyTorch accepts any key in a parameter group without a word. Code that was written for \
        BertAdam sets weight_decay_rate; under torch.optim.AdamW that key does nothing, and the \
        group decays with the optimizer's default instead.",
    seen: "PyTorch fills in every key that the optimizer reads. A group that has weight_decay and \
        beside it weight_decay_rate, wd, decay or l2 with another value has a key that is ignored. \
        This needs a saved optimizer.",
    mend: "Use the key that the optimizer reads:\
        \n\n    {\"params\": decayed, \"weight_decay\": 0.1}\
        \n\nTorch lists what it reads in optimizer.defaults.",
    no_fault: "BertAdam and some forks of Muon read these keys rightly: a group without \
        weight_decay is not reported, and neither is a second key with the same value.",
    cases: &["wekws#23", "mt-dnn#37"],
    check,
};

fn check(case: &Case, report: &mut Report<'_>) {
    for subject in &case.subjects {
        let ignored = groups(subject).filter_map(|(_, group)| ignored_key(group)).next();
        let Some((key, value, read)) = ignored else { continue };
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
