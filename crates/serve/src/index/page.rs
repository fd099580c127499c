//! The list of studies.

use std::sync::Arc;

use rayon::prelude::*;
use wd_lab::progress::State;
use wd_page::{Content, Markup, Page, Section, number};

use super::Index;
use crate::query::Query;
use crate::study::LiveStudy;
use crate::view::View;

/// The page.
pub(crate) fn page(index: &Index, _query: &Query) -> Arc<View> {
    let studies = index.studies();
    let folders: Vec<String> =
        index.roots().paths.iter().map(|(named, _)| named.display().to_string()).collect();
    let folders = folders.join(", ");
    let lead = match studies.len() {
        0 => format!("There is nothing below {folders} yet."),
        1 => format!("One study below {folders}."),
        count => format!("{} studies below {folders}.", number::count(count as u64)),
    };
    let mut contents = Vec::new();
    if studies.is_empty() {
        contents.push(Content::Paragraph(
            "A study appears here as soon as it is begun: no need to load this page again."
                .to_owned(),
        ));
        contents.push(Content::Commands(vec![format!(
            "wd sweep studies/first.toml decay.lambda=0,0.1,0.3 run.seed=0..2 --out {}/sweep",
            index.roots().paths.first().map_or_else(
                || "runs".to_owned(),
                |(named, _)| { wd_page::words::quoted(&named.display().to_string()) }
            )
        )]));
    }
    let page = Page {
        kind: "wd serve",
        title: "Studies".to_owned(),
        lead,
        sections: vec![Section::full("begin", "How to begin", contents)],
        ..Page::default()
    };
    let page = if studies.is_empty() { page } else { Page { sections: Vec::new(), ..page } };
    let mut view = View::of(page, "/", "", Markup::default());
    if !studies.is_empty() {
        view.part("section-studies", table(&studies));
    }
    view.again = 5000;
    Arc::new(view)
}

/// Every study, with how its runs stand.
fn table(studies: &[Arc<LiveStudy>]) -> String {
    let glances: Vec<_> = studies.par_iter().map(|study| study.glance()).collect();
    let mut out = Markup::default();
    out.open("section", &[("id", "studies")]).element("h2", &[], "All studies");
    out.open("div", &[("class", "wide scroll"), ("tabindex", "0")]);
    out.open("table", &[]).open("thead", &[]).open("tr", &[]);
    for name in ["study", "what it is", "how its runs stand"] {
        out.element("th", &[("scope", "col"), ("class", "word")], name);
    }
    out.element("th", &[("scope", "col")], "runs").close().close().open("tbody", &[]);
    for (study, glance) in studies.iter().zip(glances) {
        let counts = glance.unwrap_or_default();
        let told = counts.iter().map(|(state, count)| format!("{count} {}", state.word()));
        let is_running = counts.iter().any(|(state, _)| *state == State::Running);
        let runs: usize = counts.iter().map(|(_, count)| count).sum();
        out.open("tr", &[]).open("th", &[("scope", "row"), ("class", "word")]);
        out.element("a", &[("href", &study.path())], &study.found().name);
        out.close().element("td", &[("class", "word")], study.found().kind.words());
        let class = if is_running { "word state running" } else { "word" };
        out.element("td", &[("class", class)], &told.collect::<Vec<_>>().join(", "));
        let runs = if runs == 0 { number::MISSING.to_owned() } else { number::count(runs as u64) };
        out.element("td", &[], &runs).close();
    }
    out.finish()
}
