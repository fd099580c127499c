//! The page of a study: every section, in the order in which they are read.
//!
//! | file | section |
//! |---|---|
//! | `response` | final loss over λ, paired |
//! | `verdict` | what was found, and what is not significant |
//! | `near` | which λ are as good as the best, and what would settle the rest |
//! | `training` | training loss over the run, paired difference to λ = 0 |
//! | `gap` | validation against training loss |
//! | `constant` | final loss under a constant learning rate |
//! | `late`, `norms` | gradients, updates, weights; the norm recursion |
//! | `rate_grid` | final loss over λ and peak learning rate |
//! | `settings` | every arm as a line through its settings, where more than two differ |
//! | `arms` | every arm in a table |
//! | `against` | every arm against one that somebody chose |
//! | `recording` | what the names of another program were taken for, and how its runs are paired |
//! | `progress` | how far the runs are, and what is seen of those that still run |
//! | `summary` | the short form for a terminal |
//! | `context` | how to make the study again, and what its trials have in common |

mod against;
mod arms;
mod arrangement;
mod constant;
mod context;
mod curves;
mod gap;
mod late;
mod near;
mod norms;
pub(crate) mod progress;
mod rate_grid;
mod recording;
mod response;
mod settings;
mod summary;
mod training;
mod verdict;

use wd_page::figure::Point;
use wd_page::{Content, Context, Csv, Field, Page, Section, counted};
use wd_statistics::Interval;

use crate::Analysis;
use arrangement::Group;

pub use against::against;
pub use context::{context, settling};

/// A mean with its interval as a point of a figure.
pub fn mean_point(x: f64, interval: Interval) -> Point {
    Point::with_interval(x, interval.mean, interval.low, interval.high)
}

/// The id of a figure that is drawn once for each of several settings.
fn numbered(id: &str, index: usize) -> String {
    if index == 0 { id.to_owned() } else { format!("{id}-{index}") }
}

/// A row of a CSV file: what it is about, then a mean with its interval.
fn csv_row(csv: &mut Csv, about: &[Field], interval: &Interval) {
    let Interval { mean, low, high, n, .. } = *interval;
    csv.row(&[about, &[mean.into(), low.into(), high.into(), n.into()]].concat());
}

/// What the settings behind the first show, for those who ask; each is numbered from 1.
fn other_settings(
    what: &str,
    groups: &[&Group],
    contents: impl Fn(&Group, usize) -> Vec<Content>,
) -> Option<Content> {
    let shown = groups.iter().enumerate().flat_map(|(index, group)| {
        let heading = Content::Heading(group.name.clone());
        std::iter::once(heading).chain(contents(group, index + 1))
    });
    let summary = format!("{what} for {}", counted(groups.len(), "other setting"));
    (!groups.is_empty()).then(|| Content::More(summary, shown.collect()))
}

impl Analysis {
    /// The study as a page. A section for which the study has no data says so in one sentence; any
    /// analysis gives a page, whatever it lacks.
    ///
    /// # Example
    /// ```
    /// use wd_lab::{ActsAs, Analysis, Verdict};
    /// use wd_page::Context;
    ///
    /// let verdict = Verdict {
    ///     headline: "Nothing was trained.".to_owned(),
    ///     regime: String::new(),
    ///     acts_as: ActsAs::Undecided,
    ///     gap_margin: 0.01,
    ///     lines: Vec::new(),
    ///     baseline: None,
    ///     more_seeds: None,
    /// };
    /// let analysis = Analysis {
    ///     arms: Vec::new(),
    ///     comparisons: Vec::new(),
    ///     verdict,
    ///     near_best: Vec::new(),
    ///     targets: Vec::new(),
    ///     recording: None,
    /// };
    /// let page = analysis.page(&Context { title: "An empty study".to_owned(), ..Default::default() });
    /// assert!(page.html().contains("Nothing was trained."));
    /// ```
    pub fn page(&self, context: &Context) -> Page {
        let study = arrangement::Study::new(self);
        // What was seen, then what follows from it.
        let mut sections = vec![summary::section(self, context)];
        sections.extend(response::section(&study));
        sections.extend([
            verdict::section(&study, context),
            near::section(&study),
            training::section(&study),
            gap::section(&study),
            constant::section(&study),
            late::section(&study),
            rate_grid::section(&study),
        ]);
        sections.extend(settings::section(&study));
        sections.push(arms::section(&study));
        // What another program does not record is no gap of its study.
        if self.recording.is_some() {
            let is_absent = |section: &Section| {
                section.contents.iter().all(|content| matches!(content, Content::Absent(_)))
            };
            sections.retain(|section| !is_absent(section));
            sections.push(recording::section(self));
        }
        sections.extend(context.sections());
        Page {
            kind: "What weight decay did",
            title: context.title.clone(),
            lead: self.verdict.headline.clone(),
            regime: self.verdict.regime.clone(),
            facts: arms::facts(self),
            sections,
        }
    }
}
