//! The report of a study: every section, in the order in which they are read.
//!
//! | file | section |
//! |---|---|
//! | [`verdict`] | what was found, and what is not significant |
//! | [`training`] | training loss over the run, paired difference to λ = 0 |
//! | [`gap`] | validation against training loss |
//! | [`constant`] | final loss under a constant learning rate |
//! | [`late`], [`norms`] | gradients, updates, weights; the norm recursion |
//! | [`rate_grid`] | final loss over λ and peak learning rate |
//! | [`arms`] | every arm in a table; the setting; the commands |
//! | [`summary`] | the verdict for a terminal |

mod arms;
mod arrangement;
mod constant;
mod curves;
mod gap;
mod late;
mod norms;
mod rate_grid;
mod summary;
mod training;
mod verdict;
mod words;

pub(crate) use arms::setting as setting_sections;
pub use summary::study_summary;
pub(crate) use summary::{claims, joined, wrapped};
pub(crate) use verdict::claims_list;

use wd_lab::Analysis;

use crate::page::Page;

/// What a report says about a study besides its numbers. Every text is shown as it is, never as markup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportContext {
    /// Title of the page.
    pub title: String,
    /// The commands that make the report again, one line each.
    pub commands: Vec<String>,
    /// The setting as names and values: corpus, tokenizer, split, model, optimizer, machine.
    pub setting: Vec<(String, String)>,
    /// Remarks shown under the verdict, a paragraph each.
    pub notes: Vec<String>,
}

/// The report of a study as one self-contained HTML page.
///
/// The page opens without a network and without scripts. A section for which the study has no data says so in one
/// sentence; any [`Analysis`] gives a report, whatever it lacks.
///
/// # Example
/// ```
/// use wd_lab::{ActsAs, Analysis, Verdict};
/// use wd_report::{ReportContext, study_report};
///
/// let verdict = Verdict {
///     headline: "Nothing was trained.".to_owned(),
///     regime: String::new(),
///     acts_as: ActsAs::Undecided,
///     gap_margin: 0.01,
///     lines: Vec::new(),
/// };
/// let analysis = Analysis { arms: Vec::new(), comparisons: Vec::new(), verdict };
/// let page = study_report(&analysis, &ReportContext { title: "An empty study".to_owned(), ..Default::default() });
/// assert!(page.starts_with("<!DOCTYPE html>") && page.contains("Nothing was trained."));
/// ```
pub fn study_report(analysis: &Analysis, context: &ReportContext) -> String {
    let study = arrangement::Study::new(analysis);
    let mut sections = vec![
        verdict::section(&study, &context.notes),
        training::section(&study),
        gap::section(&study),
        constant::section(&study),
        late::section(&study),
        rate_grid::section(&study),
        arms::section(&study),
    ];
    sections.extend(arms::setting(context));
    Page {
        kind: "What weight decay did",
        title: context.title.clone(),
        lead: analysis.verdict.headline.clone(),
        regime: analysis.verdict.regime.clone(),
        facts: arms::facts(analysis),
        sections,
    }
    .html()
}
