//! How the configurations of two runs differ.

use std::collections::BTreeSet;

use wd_page::{Content, Markup, Page, Section, Table, counted, number};

use crate::query::Query;
use crate::server::Made;
use crate::study::page::{Tab, tabs};
use crate::study::{Choice, LiveStudy, Runs, option};
use crate::view::{SELDOM, View};

/// Names that are offered: the others can be typed into the address.
const MOST_OFFERED: usize = 2000;

/// The page under a query: `a` and `b` name the runs.
pub(crate) fn page(study: &LiveStudy, query: &Query) -> Made {
    let choice = Choice::read(query);
    let (a, b) = (query.get("a").map(str::to_owned), query.get("b").map(str::to_owned));
    let key = format!("compare{}&{a:?}&{b:?}", choice.query().text());
    Ok(study.view(&key, |runs| make(study, runs, &choice, a, b)))
}

fn make(
    study: &LiveStudy,
    runs: &Runs,
    choice: &Choice,
    a: Option<String>,
    b: Option<String>,
) -> View {
    let first = runs.runs.first().map(|run| run.name.clone()).unwrap_or_default();
    let last = runs.runs.last().map(|run| run.name.clone()).unwrap_or_default();
    let (a, b) = (a.unwrap_or(first), b.unwrap_or(last));
    let (lead, contents) = match (runs.named(&a), runs.named(&b)) {
        (Some(one), Some(other)) => {
            differences((&a, &one.record.settings), (&b, &other.record.settings))
        }
        _ => ("One of the two runs is not there.".to_owned(), Vec::new()),
    };
    let page = Page {
        kind: "Two configurations",
        title: runs.title.clone(),
        lead,
        sections: vec![Section::full("differences", "What differs", contents)],
        ..Page::default()
    };
    let mut out = Markup::default();
    out.open("section", &[("class", "controls")]);
    tabs(&mut out, study, Tab::Compare, choice);
    out.open("form", &[("class", "wide fields"), ("method", "get"), ("data-view", "")]);
    for (field, chosen) in [("a", &a), ("b", &b)] {
        let label = if field == "a" { "one run" } else { "the other" };
        out.open("label", &[]).text(label).open("select", &[("name", field)]);
        for run in runs.runs.iter().take(MOST_OFFERED) {
            option(&mut out, &run.name, &run.name, run.name == *chosen);
        }
        out.close().close();
    }
    out.element("button", &[("type", "submit"), ("class", "apply")], "Show");
    out.close().close();
    let query = choice.query().with("a", &a).with("b", &b).text();
    let mut view = View::of(page, &format!("{}/compare", study.path()), &query, out);
    view.trail = vec![(runs.title.clone(), study.path())];
    view.again = SELDOM;
    view
}

type Named<'a> = (&'a str, &'a wd_lab::configuration::Flat);

fn differences((a, of_a): Named<'_>, (b, of_b): Named<'_>) -> (String, Vec<Content>) {
    let keys: BTreeSet<&String> = of_a.keys().chain(of_b.keys()).collect();
    let columns = ["setting", a, b];
    let (mut other, mut equal) = (Table::new(&columns, 3), Table::new(&["setting", "both"], 2));
    for key in keys {
        let value = |of: &wd_lab::configuration::Flat| {
            of.get(key).cloned().unwrap_or_else(|| "default".to_owned())
        };
        match (value(of_a), value(of_b)) {
            (one, same) if one == same => equal.rows.push(vec![key.clone(), one]),
            (one, another) => other.rows.push(vec![key.clone(), one, another]),
        }
    }
    let lead = match other.rows.as_slice() {
        [] => "The two configurations are the same.".to_owned(),
        [one] => format!("The two runs differ in {} alone.", one[0]),
        several => {
            let names: Vec<&str> = several.iter().take(4).map(|row| row[0].as_str()).collect();
            let more = if several.len() > 4 { ", …" } else { "" };
            format!(
                "The two runs differ in {}: {}{more}.",
                counted(number::count(several.len() as u64), "setting"),
                names.join(", ")
            )
        }
    };
    let mut contents = Vec::new();
    if !other.rows.is_empty() {
        contents.push(Content::Table(other));
    }
    if !equal.rows.is_empty() {
        let summary = format!(
            "{} that both have",
            counted(number::count(equal.rows.len() as u64), "setting")
        );
        contents.push(Content::More(summary, vec![Content::Table(equal)]));
    }
    (lead, contents)
}
