//! The report of `wd reproduce prior`: what a Gaussian prior does, over many draws.
//!
//! | file | section |
//! |---|---|
//! | `samples` | maximum likelihood and MAP as the sample grows; error over λ |
//! | `ways` | λ seen four ways |
//! | `recovery` | the σ that the evidence finds of weights drawn with a known one |
//! | `path` | one table under every λ |
//! | `cross_validation` | evidence against cross-validation, where the model is right and where it is wrong |

mod cross_validation;
mod path;
mod recovery;
mod samples;
mod ways;

use crate::prior::findings::PriorFindings;
use crate::prior::simulation::Rule;
use crate::prior::tables;
use wd_lab::wording::Ends;
use wd_page::{Content, Context, Page, Section, number};
use wd_statistics::Interval;

use wd_page::figure::Colour;

impl PriorFindings {
    /// The study as a page.
    pub fn page(&self, context: &Context) -> Page {
        page(self, context)
    }
}

fn page(findings: &PriorFindings, context: &Context) -> Page {
    let mut verdict: Vec<Content> = findings
        .verdict
        .iter()
        .skip(1)
        .chain(&context.notes)
        .cloned()
        .map(Content::Paragraph)
        .collect();
    if verdict.is_empty() {
        verdict.push(Content::Absent("Nothing was found.".to_owned()));
    }
    let mut sections = vec![
        tables::section(findings),
        Section::full("verdict", "What was found", verdict).named("Verdict"),
        samples::sizes(findings),
        samples::curve(&findings.curve),
        ways::section(&findings.ways),
        recovery::section(&findings.recovery),
        cross_validation::section(&findings.against_cross_validation),
    ];
    sections.extend(context.sections());
    Page {
        kind: "What a prior does",
        title: context.title.clone(),
        lead: findings.verdict.first().cloned().unwrap_or_default(),
        regime: "Intervals are 95 % Student intervals of a mean over draws. Draws from one table \
                 overlap: the intervals speak of this table, not of all tables."
            .to_owned(),
        facts: vec![
            ("Draws".to_owned(), findings.draws.to_string()),
            ("Rows of the table".to_owned(), findings.ways.rows.to_string()),
            ("Columns".to_owned(), findings.ways.columns.to_string()),
        ],
        sections,
    }
}

/// A rule as its readers call it.
fn name(rule: Rule) -> &'static str {
    match rule {
        Rule::MaximumLikelihood => "maximum likelihood",
        Rule::Evidence => "MAP, λ by evidence",
        Rule::LeaveOneOut => "MAP, λ by leave-one-out",
        Rule::TenFolds => "MAP, λ by 10 folds",
    }
}

fn colour(rule: Rule) -> Colour {
    match rule {
        Rule::MaximumLikelihood => Colour::Baseline,
        Rule::Evidence => Colour::Sequence(11),
        Rule::LeaveOneOut => Colour::Sequence(6),
        Rule::TenFolds => Colour::Sequence(2),
    }
}

/// `0.123 (0.1 to 0.15)`.
fn with_interval(interval: Interval, decimals: usize) -> String {
    Ends::Range.write(&interval, |value| number::fixed(value, decimals))
}
