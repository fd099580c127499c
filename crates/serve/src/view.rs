//! How an answer becomes a page, and what of it has changed since a visitor saw it.
//!
//! A page is made of parts: its header, its controls, its sections. A visitor that has it open says
//! of each part which one it has, by a hash; only the others are sent.

use std::collections::BTreeMap;

use serde::Serialize;
use wd_page::{Content, FigureBlock, Fragment, Markup, Page};

use crate::server::address_of_asset;

/// A page that is served.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// In the browser's title.
    pub(crate) title: String,
    /// The address without its query.
    pub(crate) path: String,
    /// Where it is among the pages: name and address of each above it.
    pub(crate) trail: Vec<(String, String)>,
    /// What is said aloud when it changes.
    pub(crate) spoken: String,
    /// When to look again, in milliseconds.
    pub(crate) again: u32,
    /// The parts, in order.
    parts: Vec<Part>,
    /// The figures, for their files.
    figures: BTreeMap<String, FigureBlock>,
    /// Further files that the page loads.
    pub(crate) scripts: Vec<&'static str>,
}

#[derive(Debug)]
struct Part {
    id: String,
    hash: String,
    html: String,
}

/// What has changed.
#[derive(Debug, Serialize)]
pub(crate) struct Changes<'a> {
    title: &'a str,
    spoken: &'a str,
    again: u32,
    parts: Vec<Change<'a>>,
}

#[derive(Debug, Serialize)]
struct Change<'a> {
    id: &'a str,
    hash: &'a str,
    /// Absent where the visitor has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<&'a str>,
}

/// Between two looks at what does not change by itself.
pub(crate) const SELDOM: u32 = 15_000;

impl View {
    /// A page at a path; `query` restores what it shows.
    pub(crate) fn of(page: Page, path: &str, query: &str, controls: Markup) -> Self {
        let address = |figure: &str, ending: &str| {
            // A picture of dots is made from the drawing, by the browser.
            let ending = if ending == "png" { "svg" } else { ending };
            let path = path.trim_end_matches('/');
            format!("{path}/figure/{figure}.{ending}{query}")
        };
        let Fragment { header, sections } = page.fragment(&address);
        let mut view = View {
            title: page.title.clone(),
            path: path.to_owned(),
            spoken: page.lead.clone(),
            again: SELDOM,
            ..View::default()
        };
        view.part("header", header);
        view.part("controls", controls.finish());
        for (id, html) in sections {
            view.part(&format!("section-{id}"), html);
        }
        for section in &page.sections {
            view.collect(&section.contents);
        }
        view
    }

    /// Adds a part at the end.
    pub(crate) fn part(&mut self, id: &str, html: String) {
        let hash = blake3::hash(html.as_bytes()).to_hex()[..10].to_owned();
        self.parts.push(Part { id: id.to_owned(), hash, html });
    }

    /// Moves a part up, behind the controls.
    pub(crate) fn move_after_controls(&mut self, id: &str) {
        if let Some(place) = self.parts.iter().position(|part| part.id == id) {
            let part = self.parts.remove(place);
            self.parts.insert(2.min(self.parts.len()), part);
        }
    }

    fn collect(&mut self, contents: &[Content]) {
        for content in contents {
            match content {
                Content::Figure(block) => {
                    self.figures.insert(block.figure.id().to_owned(), (**block).clone());
                }
                Content::More(_, more) => self.collect(more),
                _ => {}
            }
        }
    }

    /// A figure of the page.
    pub(crate) fn figure(&self, id: &str) -> Option<&FigureBlock> {
        self.figures.get(id)
    }

    /// What a visitor lacks who has the parts `have`, `id:hash` with commas between them; nothing
    /// where it has all.
    pub(crate) fn changes(&self, have: &str) -> Option<Changes<'_>> {
        let known: Vec<(&str, &str)> =
            have.split(',').filter_map(|part| part.split_once(':')).collect();
        let has = |part: &Part| known.contains(&(part.id.as_str(), part.hash.as_str()));
        let order = self.parts.iter().map(|part| part.id.as_str());
        if self.parts.iter().all(has) && known.iter().map(|(id, _)| *id).eq(order) {
            return None;
        }
        let parts = self.parts.iter().map(|part| Change {
            id: &part.id,
            hash: &part.hash,
            html: (!has(part)).then_some(part.html.as_str()),
        });
        Some(Changes {
            title: &self.title,
            spoken: &self.spoken,
            again: self.again,
            parts: parts.collect(),
        })
    }

    /// The whole document.
    pub(crate) fn document(&self) -> String {
        let mut out = Markup::default();
        out.raw("<!DOCTYPE html>\n").open("html", &[("lang", "en")]);
        self.head(&mut out);
        out.open("body", &[]);
        self.bar(&mut out);
        let mut parts = self.parts.iter();
        if let Some(header) = parts.next() {
            part(&mut out, header);
        }
        let live = format!("{}/live", self.path.trim_end_matches('/'));
        let again = self.again.to_string();
        out.open("main", &[("id", "main"), ("data-live", &live), ("data-again", &again)]);
        for one in parts {
            part(&mut out, one);
        }
        out.close_line();
        out.element("p", &[("class", "spoken"), ("role", "status"), ("id", "spoken")], "");
        out.open("footer", &[]).open("p", &[("id", "connection")]);
        let version = env!("CARGO_PKG_VERSION");
        out.text(&format!("wd {version} serves this page. It reads and never writes."));
        out.finish()
    }

    fn head(&self, out: &mut Markup) {
        out.open("head", &[]).empty("meta", &[("charset", "utf-8")]);
        let viewport = [("name", "viewport"), ("content", "width=device-width, initial-scale=1")];
        out.empty("meta", &viewport);
        out.empty("meta", &[("name", "color-scheme"), ("content", "light dark")]);
        out.element("title", &[], &self.title);
        let sheet = |out: &mut Markup, name: &str| {
            out.empty("link", &[("rel", "stylesheet"), ("href", &address_of_asset(name))]);
        };
        sheet(out, "page.css");
        let is_module = |name: &str| !matches!(name, "page.js" | "uplot.js");
        for name in ["page.js", "live.js"].into_iter().chain(self.scripts.iter().copied()) {
            let address = address_of_asset(name);
            let kind = if is_module(name) { "module" } else { "text/javascript" };
            let attributes = [("type", kind), ("defer", ""), ("src", &address)];
            out.element("script", &attributes, "");
            if name == "uplot.js" {
                sheet(out, "uplot.css");
            }
        }
        out.close_line();
    }

    /// The bar above every page.
    fn bar(&self, out: &mut Markup) {
        out.element("a", &[("href", "#main"), ("class", "skip")], "To the contents");
        out.open("nav", &[("class", "site"), ("aria-label", "Pages")]);
        let fixed = [("Studies", "/"), ("Explore λ", "/explore"), ("Linear model", "/linear")];
        for (name, address) in fixed {
            let current = [("href", address), ("aria-current", "page")];
            let shown = if address == self.path { &current[..] } else { &current[..1] };
            out.element("a", shown, name);
        }
        for (name, address) in &self.trail {
            out.element("span", &[("aria-hidden", "true")], "/");
            out.element("a", &[("href", address), ("class", "trail")], name);
        }
        out.close_line();
    }
}

fn part(out: &mut Markup, part: &Part) {
    out.open("div", &[("data-part", &part.id), ("data-hash", &part.hash)]);
    out.raw(&part.html).close_line();
}

#[cfg(test)]
mod tests {
    use super::*;
    use wd_page::Section;

    fn view(words: &str) -> View {
        let section = |id, words: &str| {
            Section::new(id, "A section", vec![Content::Paragraph(words.to_owned())])
        };
        let page = Page {
            title: "A study".to_owned(),
            sections: vec![section("one", "the same"), section("two", words)],
            ..Page::default()
        };
        View::of(page, "/s/a", "", Markup::default())
    }

    #[test]
    fn only_what_changed_is_sent() {
        let before = view("before");
        let have: Vec<String> =
            before.parts.iter().map(|part| format!("{}:{}", part.id, part.hash)).collect();
        let have = have.join(",");
        assert!(before.changes(&have).is_none());
        let after = view("after");
        let changes = after.changes(&have).expect("the second section is another");
        let sent: Vec<&str> =
            changes.parts.iter().filter(|part| part.html.is_some()).map(|part| part.id).collect();
        assert_eq!(sent, ["section-two"]);
        assert_eq!(changes.parts.len(), 4);
    }

    #[test]
    fn hostile_words_stay_words() {
        let html = view("<script>alert(1)</script>").document();
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(!html.contains(" style="), "a strict policy refuses inline styles");
    }
}
