//! What each law says.

use wd_page::{Content, Section, Shown, Table};

use crate::words::{lambda, range};
use crate::{Advice, Answer, LawAnswer};

/// Every law with its answer and reasons, a line each.
pub(super) fn on_a_terminal(advice: &Advice) -> Section {
    let mut facts = Vec::new();
    for one in &advice.laws {
        let (status, reasons) = said(one);
        facts.push((one.law.name.to_owned(), status));
        facts.extend(reasons.into_iter().map(|reason| (String::new(), reason)));
    }
    let section = Section::new("answers", "Laws", vec![Content::Facts(facts)]);
    Section { shown: Shown::Terminal, ..section }
}

/// An answer as a few words, and its reasons.
fn said(one: &LawAnswer) -> (String, Vec<String>) {
    match &one.answer {
        Answer::Applies { lambda: value, range: within, working, caveats } => {
            let status = format!("applies: λ = {} ({})", lambda(*value), range(*within));
            let source = one.law.source.to_owned();
            let reasons = [working.clone()].into_iter().chain(caveats.iter().cloned());
            (status, reasons.chain([source]).collect())
        }
        Answer::OutsideRange { why, lambda: Some(value) } => {
            let value = lambda(*value);
            (format!("outside its range, where its formula gives {value}"), why.clone())
        }
        Answer::OutsideRange { why, lambda: None } => ("outside its range".to_owned(), why.clone()),
        Answer::Needs { what } => (format!("needs --{}", what.join(", --")), Vec::new()),
        Answer::Instead { what, how } => (what.clone(), vec![how.clone()]),
    }
}

/// A table of the answers, with every reason and source behind it.
pub(super) fn in_a_file(advice: &Advice) -> Section {
    let mut table = Table::new(&["law", "answer", "λ", "range"], 2);
    let mut reasons = Vec::new();
    for LawAnswer { law, answer } in &advice.laws {
        let (status, value, range, why) = match answer {
            Answer::Applies { lambda: value, range: within, working, caveats } => (
                "applies",
                lambda(*value),
                range(*within),
                std::iter::once(working).chain(caveats).cloned().collect(),
            ),
            Answer::OutsideRange { why, lambda: value } => (
                "outside its range",
                value.map_or(String::new(), |value| format!("({})", lambda(value))),
                String::new(),
                why.clone(),
            ),
            Answer::Needs { what } => (
                "needs more",
                String::new(),
                String::new(),
                vec![format!("missing: --{}", what.join(", --"))],
            ),
            Answer::Instead { what, how } => {
                ("acts otherwise", String::new(), String::new(), vec![what.clone(), how.clone()])
            }
        };
        table.rows.push(vec![law.name.to_owned(), status.to_owned(), value, range]);
        reasons.push(Content::Heading(law.name.to_owned()));
        reasons.extend(why.into_iter().map(|reason| Content::Paragraph(format!("{reason}."))));
        reasons.push(Content::Facts(vec![
            ("Formula".to_owned(), law.formula.to_owned()),
            ("Established for".to_owned(), law.established.to_owned()),
            ("Source".to_owned(), law.source.to_owned()),
        ]));
    }
    Section::full(
        "laws",
        "What each law says",
        vec![
            Content::Table(table),
            Content::More("Why, and where each law comes from".to_owned(), reasons),
        ],
    )
    .named("Laws")
}
