//! The page of an explanation: what follows from one setting, in words and curves.

mod curves;

pub use curves::explanation_figure;

use wd_decay::explanation::{Line, Section as Part};
use wd_decay::{Explanation, counted};

use crate::number;
use crate::page::{Content, Page, Section, capitalised};

/// An explanation as one self-contained HTML page; `command` is what makes it again.
///
/// # Example
/// ```
/// use wd_decay::{Explanation, Setting, Subject};
///
/// let setting = Setting::read(&["torch.AdamW", "weight_decay=0.1", "lr=1e-3", "schedule=cosine", "steps=1000"])?;
/// let explanation = Explanation::of(&Subject::from(&setting))?;
/// let page = wd_report::explanation_page(&explanation, "wd explain torch.AdamW …");
/// assert!(page.contains("κ = Σ s"));
/// # Ok::<(), wd_decay::DecayError>(())
/// ```
pub fn explanation_page(explanation: &Explanation, command: &str) -> String {
    let mut sections: Vec<Section> = explanation.sections().iter().map(section).collect();
    if let Some(curves) = curves::section(explanation) {
        // Behind the step: what it comes to over the run.
        sections.insert(1, curves);
    }
    sections.push(Section {
        id: "commands",
        name: "Remake it",
        heading: "Remake this page".to_owned(),
        contents: vec![Content::Commands(vec![command.to_owned()])],
    });
    Page {
        kind: "What this weight decay means",
        title: title(explanation),
        lead: lead(explanation),
        regime: explanation.run.schedule.map_or_else(String::new, |schedule| {
            format!("Learning rate: {}.", schedule.describe())
        }),
        facts: facts(explanation),
        sections,
    }
    .html()
}

fn title(explanation: &Explanation) -> String {
    format!("{}, λ = {}", explanation.name, number::short(explanation.lambda.value))
}

/// The one sentence that matters most.
fn lead(explanation: &Explanation) -> String {
    let timescale = explanation.timescale;
    let warnings = match explanation.warnings.len() {
        0 => String::new(),
        1 => " One thing to beware of.".to_owned(),
        several => format!(" {several} things to beware of."),
    };
    let sentence = match (timescale.initial_share, timescale.tau_fraction) {
        (Some(share), Some(tau)) if tau < 1.0 => format!(
            "It leaves {} of the initial weights, and remembers {} of the run.",
            number::percent(share),
            number::percent(tau)
        ),
        (Some(share), _) => {
            let taken = match 1.0 - share {
                0.001.. => number::percent(1.0 - share),
                _ => "less than 0.1 %".to_owned(),
            };
            format!("It takes {taken} off the initial weights, and remembers the whole run.")
        }
        _ => match timescale.tau_steps {
            Some(steps) => {
                format!("It remembers {}.", counted(number::count(steps.round() as u64), "step"))
            }
            None => String::new(),
        },
    };
    format!("{sentence}{warnings}").trim().to_owned()
}

fn facts(explanation: &Explanation) -> Vec<(String, String)> {
    let run = &explanation.run;
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            facts.push((name.to_owned(), value));
        }
    };
    fact("Peak LR", run.peak_learning_rate.map(|rate| number::short(rate.value)));
    fact("Steps", run.steps.map(number::count));
    fact("Parameters", run.parameters.map(number::count));
    fact("κ", explanation.timescale.kappa.map(number::short));
    fact("Tokens a parameter", explanation.tokens_per_parameter.map(number::short));
    facts
}

fn section(part: &Part) -> Section {
    let mut contents = Vec::new();
    for line in &part.lines {
        match line {
            Line::Text(text) => contents.push(Content::Paragraph(text.clone())),
            Line::Formula(formula) => match contents.last_mut() {
                Some(Content::Commands(lines)) => lines.push(formula.clone()),
                _ => contents.push(Content::Commands(vec![formula.clone()])),
            },
            Line::Fact(name, value) => match contents.last_mut() {
                Some(Content::Facts(facts)) => facts.push(((*name).to_owned(), value.clone())),
                _ => contents.push(Content::Facts(vec![((*name).to_owned(), value.clone())])),
            },
            // Two paragraphs: a table would set each on one line, however long.
            Line::Warning { reason, fix } => {
                contents.push(Content::Heading(capitalised(reason)));
                contents.push(Content::Paragraph(format!("{}.", capitalised(fix))));
            }
        }
    }
    Section { id: part.id, name: part.heading, heading: part.heading.to_owned(), contents }
}
