//! The page of a study: the arms first, the verdict as it stands, live.

use wd_lab::page::against;
use wd_page::{Content, Markup, Section};

use super::LiveStudy;
use super::choice::{Choice, option};
use super::findings::{Findings, findings};
use super::runs::Runs;
use crate::query::{Query, segment};
use crate::server::Made;
use crate::view::{SELDOM, View};

/// Between two looks at a study that runs, in milliseconds.
const OFTEN: u32 = 1000;

/// The page under a query.
pub(crate) fn page(study: &LiveStudy, query: &Query) -> Made {
    let choice = Choice::read(query);
    let key = format!("study{}", choice.query().text());
    Ok(study.view(&key, |runs| make(study, runs, &choice)))
}

fn make(study: &LiveStudy, runs: &Runs, choice: &Choice) -> View {
    let Findings { mut page, analysis, .. } = findings(runs, choice);
    if let Some(label) = &choice.baseline {
        let wanted = runs.runs.iter().filter(|run| choice.wants(run));
        let records: Vec<_> = wanted.map(|run| &run.record).collect();
        let absent = |words: String| {
            Section::full("against", "Against the chosen baseline", vec![Content::Absent(words)])
        };
        let section = match against(&records, label) {
            Ok(Some(section)) => section,
            Ok(None) => absent(format!("There is no arm {label} among these runs.")),
            Err(error) => absent(error.to_string()),
        };
        page.sections.insert(0, section);
    }
    let labels: Vec<&str> =
        analysis.iter().flat_map(|found| &found.arms).map(|arm| arm.label.as_str()).collect();
    let controls = controls(study, runs, choice, &labels);
    let mut view = View::of(page, &study.path(), &choice.query().text(), controls);
    view.again = if runs.is_under_way() { OFTEN } else { SELDOM / 3 };
    view
}

/// The links to the other pages of the study, and what can be chosen.
fn controls(study: &LiveStudy, runs: &Runs, choice: &Choice, labels: &[&str]) -> Markup {
    let mut out = Markup::default();
    out.open("section", &[("class", "controls")]);
    tabs(&mut out, study, Tab::Study, choice);
    out.open("form", &[("class", "wide fields"), ("method", "get"), ("data-view", "")]);
    choice.fields(&mut out, runs);
    if labels.len() > 1 {
        out.open("label", &[]).text("baseline");
        out.open("select", &[("name", "baseline")]);
        option(&mut out, "", "λ = 0 at equal settings", choice.baseline.is_none());
        for label in labels {
            option(&mut out, label, label, choice.baseline.as_deref() == Some(label));
        }
        out.close().close();
    }
    out.element("button", &[("type", "submit"), ("class", "apply")], "Show");
    out.close().close();
    out
}

/// A page of a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Study,
    Runs,
    Compare,
    /// A page below these.
    None,
}

/// The links between the pages of a study.
pub(crate) fn tabs(out: &mut Markup, study: &LiveStudy, shown: Tab, choice: &Choice) {
    let path = study.path();
    out.open("nav", &[("class", "wide tabs"), ("aria-label", "This study")]);
    let all = [
        (Tab::Study, "Arms and verdict", path.clone()),
        (Tab::Runs, "Runs", format!("{path}/runs")),
        (Tab::Compare, "Two runs compared", format!("{path}/compare")),
    ];
    for (tab, name, address) in all {
        let address = format!("{address}{}", choice.query().text());
        let current = [("href", address.as_str()), ("aria-current", "page")];
        out.element("a", if tab == shown { &current[..] } else { &current[..1] }, name);
    }
    out.close();
}

/// The address of a run's page.
pub(crate) fn run_address(study: &LiveStudy, run: &str) -> String {
    format!("{}/run/{}", study.path(), segment(run))
}
