//! The list of studies.

use std::sync::Arc;

use wd_page::{Content, Markup, Page, Section, number};

use super::Index;
use crate::query::Query;
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
        let mut out = Markup::default();
        out.open("section", &[("id", "studies")]).element("h2", &[], "All studies");
        out.open("div", &[("class", "wide scroll"), ("tabindex", "0")]);
        out.open("table", &[("data-sort", "")]).open("thead", &[]).open("tr", &[]);
        for name in ["study", "what it is"] {
            out.element("th", &[("scope", "col"), ("class", "word")], name);
        }
        out.close().close().open("tbody", &[]);
        for study in &studies {
            out.open("tr", &[]).open("th", &[("scope", "row"), ("class", "word")]);
            out.element("a", &[("href", &study.path())], &study.found().name);
            out.close().element("td", &[("class", "word")], study.found().kind.words()).close();
        }
        view.part("section-studies", out.finish());
    }
    view.again = 5000;
    Arc::new(view)
}
