//! The answer: λ, the same in another library, and what would settle it.

use wd_conventions::Fidelity;
use wd_page::number::{rounded, short};
use wd_page::{Content, Section};

use crate::words::{lambda, range};
use crate::{Advice, AdviceReport, Interval, TargetLambda, Verdict};

/// What the laws say together.
pub(super) fn section(report: &AdviceReport) -> Section {
    let mut contents = verdict(&report.advice);
    if let Some(target) = &report.target {
        contents.extend(in_library(target));
    }
    if let Some((configured, rule)) = report.configured {
        let configured = short(configured);
        contents.push(line(format!("The configuration has λ = {configured} ({rule}).")));
    }
    if let (Some(sweep), Some(command)) = (&report.advice.sweep, report.sweep_command()) {
        let purpose = match report.advice.verdict {
            Verdict::Recommended { .. } => "To check it",
            Verdict::Disagreement { .. } => "To settle it",
            Verdict::NotCovered { .. } => "To find out",
        };
        let there = report.target.as_ref().filter(|target| !target.sweep.is_empty());
        let (name, values) = match there {
            Some(target) => (target.name.as_str(), target.sweep.clone()),
            None => ("λ", sweep.values()),
        };
        let values: Vec<String> = values.into_iter().map(lambda).collect();
        contents.push(line(format!(
            "{purpose}, train with {name} = {}, three seeds each, and give the logs to \
             `wd report`. With a model of this program:",
            values.join(", ")
        )));
        contents.push(Content::Commands(vec![command]));
    }
    Section::new("answer", "Answer", contents)
}

fn line(words: impl Into<String>) -> Content {
    Content::Paragraph(words.into())
}

fn verdict(advice: &Advice) -> Vec<Content> {
    match &advice.verdict {
        Verdict::Recommended { lambda: value, range: common, laws } => {
            let mut lines =
                vec![line(format!("λ = {}, within {}", lambda(*value), range(*common)))];
            let mut agreed = advice.laws.iter().filter(|one| laws.contains(&one.law.id));
            if agreed.all(|one| one.law.interval == Interval::HalfStep) {
                lines.push(line(
                    "No interval is published: the range is half a step of a factor-of-two grid \
                     either side.",
                ));
            }
            lines
        }
        Verdict::Disagreement { positions, factor } => {
            let factor = short(rounded(*factor));
            let heading = format!("The laws that apply disagree, by a factor of {factor}:");
            let each = positions.iter().map(|position| {
                let said = format!("{} ({})", lambda(position.lambda), range(position.range));
                (advice.name_of(position.law), said)
            });
            vec![line(heading), Content::Facts(each.collect())]
        }
        Verdict::NotCovered { why, needs } => {
            let heading = if needs.is_empty() {
                "No law covers this run: no λ is recommended."
            } else {
                "No law covers this run with what is given: no λ is recommended."
            };
            let mut lines = vec![line(heading)];
            lines.extend(why.iter().map(line));
            if !needs.is_empty() {
                lines.push(line(format!("More could be said with --{}.", needs.join(", --"))));
            }
            lines
        }
    }
}

fn in_library(target: &TargetLambda) -> Vec<Content> {
    let mut lines = match (&target.call, target.low, target.high) {
        (Some(call), low, high) => {
            let there = low.zip(high).map_or_else(String::new, |(low, high)| {
                format!(", there within {} to {}", lambda(low), lambda(high))
            });
            let heading = format!("In {} ({}){there}:", target.library, target.fidelity.name());
            vec![line(heading), Content::Commands(vec![call.clone()])]
        }
        (None, ..) => vec![line(format!("{} has no such decay:", target.library))],
    };
    if target.fidelity != Fidelity::Exact {
        lines.extend(target.reasons.iter().map(line));
    }
    lines
}
