//! The page of a fit whose λ the data have chosen.
//!
//! | file | section |
//! |---|---|
//! | `terminal` | what answers the question in a few lines |
//! | `choice` | evidence and errors over λ; what each criterion chooses, and what it costs by the others |
//! | `weights` | coefficients along the path; the prior over the histogram of fitted weights; the table |
//! | `calibration` | how often intervals and probabilities are right |
//! | `observations` | predictions beside what came, and what is left of it |
//! | `conventions` | the same fit in other libraries |
//! | `table` | what the columns of the table became |
//! | `headline` | which λ, in one line |
//! | `curve` | points and panels over λ |

mod calibration;
mod choice;
mod conventions;
mod curve;
mod headline;
mod observations;
mod table;
mod terminal;
mod weights;

use wd_page::number::{amount, count, measured, short};
use wd_page::{Context, Page, Section};

use crate::Intercept;
use crate::fit::{Analysis, Family, Sums, TableSummary};

impl Analysis {
    /// The fit as a page. What is not known (no covariance, no criterion but the evidence) is left
    /// out with a sentence.
    ///
    /// The title and the setting are the fit's own unless the context has some.
    pub fn page(&self, context: &Context) -> Page {
        page_of_targets(std::slice::from_ref(self), context)
    }
}

impl Sums {
    /// What was summed, as a page.
    pub fn page(&self) -> Page {
        Page {
            kind: "Sums of a table",
            title: self.table.file_names(),
            lead: table::size(&self.table),
            sections: vec![table::section(&self.table, true)],
            ..Page::default()
        }
    }
}

/// Fits of several targets to one table as a page; only a single target has figures.
pub fn page_of_targets(analyses: &[Analysis], context: &Context) -> Page {
    let Some(first) = analyses.first() else {
        return Page::default();
    };
    let is_single = analyses.len() == 1;
    let context = with_own(first, context);
    let has_intercept = first.intercept != Intercept::Absent;
    let mut sections = vec![table::section(&first.table, has_intercept)];
    for analysis in analyses {
        sections.extend(terminal::sections(analysis, !is_single));
        if is_single {
            let mut notes = context.notes.clone();
            notes.extend(analysis.notes.iter().cloned());
            notes.extend(analysis.table.remarks(has_intercept));
            notes.push(analysis.table.used());
            sections.push(choice::section(analysis, &notes));
            sections.push(weights::section(analysis));
            sections.push(calibration::section(analysis));
            sections.extend(observations::section(analysis));
            sections.push(conventions::section(analysis));
        }
    }
    sections.extend::<Vec<Section>>(context.sections());
    let headlines = analyses.iter().map(|analysis| format!("{}.", headline::headline(analysis)));
    Page {
        kind: "λ from the data",
        title: context.title,
        lead: headlines.collect::<Vec<_>>().join(" "),
        regime: regime(first.family),
        facts: if is_single { facts(first) } else { Vec::new() },
        sections,
    }
}

/// The context with the title and the setting that the fit itself gives.
fn with_own(analysis: &Analysis, context: &Context) -> Context {
    let table: &TableSummary = &analysis.table;
    let mut context = context.clone();
    if context.title.is_empty() {
        context.title = format!("{}, explained by {}", analysis.target, table.file_names());
    }
    if context.setting.is_empty() {
        let (of_table, of_design) = (table.design.features.len(), table.design.width());
        context.setting = vec![
            ("Table".to_owned(), table.name()),
            ("Rows".to_owned(), count(table.findings.rows)),
            ("Columns".to_owned(), format!("{of_table} of the table, {of_design} of the design")),
        ];
    }
    context
}

/// Short facts under the title.
fn facts(analysis: &Analysis) -> Vec<(String, String)> {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let gamma = short(analysis.effective_parameters);
    let mut facts = vec![
        fact("Rows", amount(analysis.rows)),
        fact("Columns", count(analysis.columns.len() as u64)),
        fact("Effective parameters", format!("{gamma} of {}", analysis.rank)),
        fact("Log evidence", format!("{} nats", measured(analysis.log_evidence))),
    ];
    if analysis.groups.is_empty() {
        facts.push(fact("Prior σ", short(1.0 / analysis.alpha.sqrt())));
    }
    if analysis.family == Family::Gaussian {
        facts.push(fact("Noise", short(1.0 / analysis.beta.sqrt())));
    }
    facts.extend(terminal::quality(analysis));
    facts
}

/// Of which model and data the choice holds.
fn regime(family: Family) -> String {
    match family {
        Family::Gaussian => {
            "λ weighs ‖w‖² beside the summed squared error, on columns as they enter the model: \
             divided by their standard deviation unless told otherwise. It is the ratio of noise \
             variance to prior variance."
                .to_owned()
        }
        family => format!(
            "λ weighs ½‖w‖² beside the summed negative log likelihood of the {} family: it is the \
             precision of the prior. The evidence is Laplace's approximation.",
            family.name()
        ),
    }
}
