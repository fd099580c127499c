//! A page as HTML: one file that opens offline, in light and dark.
//!
//! Everything is inline: the style sheet, the drawings, the numbers (as tables and as `data:`
//! downloads) and a script for the theme and for copies of commands. A page with figures has what
//! these need too: a cursor that reads values, zoom, the axis's transform, series to leave out,
//! files. Without the script nothing is missing but these.

mod figure;
mod fragment;
mod table;

pub use fragment::{Fragment, served_style_sheet};

use figure::Files;

use crate::figure::{DARK, FIGURE, LIGHT};
use crate::markup::Markup;
use crate::words::capitalised;
use crate::{Claim, Content, Page, Section, Shown};

const STYLE: &str = include_str!("style.css");
/// What pages with figures need beside it.
const FIGURES_STYLE: &str = include_str!("figures.css");

/// The parts of a script in one scope of their own.
macro_rules! script {
    ($($file:literal),*) => {
        concat!(
            "(function () {\n'use strict';\n",
            $(include_str!($file),)*
            "enhance(document);\nwindow.wd = { enhance };\n})();\n"
        )
    };
}
const PLAIN_SCRIPT: &str = script!("script/page.js");
const WHOLE_SCRIPT: &str = script!(
    "script/page.js",
    "script/scale.js",
    "script/drawing.js",
    "script/view.js",
    "script/cursor.js",
    "script/files.js"
);

/// The script of a page that may show figures.
///
/// It serves elements that come later too; `wd.enhance(element)` adds buttons to those, and an
/// event `wd-changed` says that they are in the place of older ones.
pub fn script() -> String {
    compact(WHOLE_SCRIPT)
}

/// A script without what only its authors read: lines that are comments, and indentation.
fn compact(script: &str) -> String {
    let lines = script.lines().map(str::trim_start);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

impl Page {
    /// The page as a complete HTML document, also well-formed XML.
    pub fn html(&self) -> String {
        let mut out = Markup::default();
        out.raw("<!DOCTYPE html>\n").open("html", &[("lang", "en")]);
        let has_figures = self.in_file().any(|section| has_figures(&section.contents));
        self.head(&mut out, has_figures);
        out.open("body", &[]);
        page_header(&mut out, self);
        out.open("main", &[]);
        let mut number = Number::default();
        for part in self.in_file() {
            section(&mut out, part, &mut number, &Files::Within);
        }
        out.close_line();
        out.open("footer", &[]);
        out.element(
            "p",
            &[],
            &format!(
                "Written by wd {}. This file is complete in itself and loads nothing.",
                env!("CARGO_PKG_VERSION")
            ),
        );
        out.close_line();
        let script = compact(if has_figures { WHOLE_SCRIPT } else { PLAIN_SCRIPT });
        out.open("script", &[]).raw("//<![CDATA[\n").raw(&script).raw("\n//]]>").close_line();
        out.close().close_line();
        out.finish()
    }

    /// The sections that a file shows.
    fn in_file(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter().filter(|section| section.shown != Shown::Terminal)
    }

    fn head(&self, out: &mut Markup, has_figures: bool) {
        out.open("head", &[]).empty("meta", &[("charset", "utf-8")]);
        out.empty(
            "meta",
            &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")],
        );
        out.empty("meta", &[("name", "color-scheme"), ("content", "light dark")]);
        out.element("title", &[], &self.title);
        out.open("style", &[]).raw(&style_sheet(has_figures)).close_line();
        out.close_line();
    }
}

/// What stands above the sections.
fn page_header(out: &mut Markup, page: &Page) {
    out.open("header", &[]);
    out.element("p", &[("class", "kind")], page.kind);
    out.element("h1", &[], &page.title);
    if !page.lead.is_empty() {
        out.prose("p", &[("class", "lead")], &bound(&page.lead));
    }
    if !page.regime.is_empty() {
        out.prose("p", &[("class", "regime")], &capitalised(&bound(&page.regime)));
    }
    if !page.facts.is_empty() {
        out.open("dl", &[("class", "byline")]);
        for (name, value) in &page.facts {
            out.open("div", &[]).element("dt", &[], name).element("dd", &[], value).close();
        }
        out.close();
    }
    out.open("nav", &[("aria-label", "Contents")]);
    for section in page.in_file() {
        out.element("a", &[("href", &format!("#{}", section.id))], section.name);
    }
    out.close();
    out.close_line();
}

/// One section with its heading.
fn section(out: &mut Markup, section: &Section, number: &mut Number, files: &Files<'_>) {
    out.open("section", &[("id", section.id)]);
    out.element("h2", &[], &section.heading);
    write_contents(out, &section.contents, number, files, false);
    out.close_line();
}

/// Whether a figure is among the contents.
fn has_figures(contents: &[Content]) -> bool {
    contents.iter().any(|content| match content {
        Content::Figure(_) => true,
        Content::More(_, more) => has_figures(more),
        _ => false,
    })
}

fn style_sheet(has_figures: bool) -> String {
    let figures = if has_figures { [FIGURES_STYLE, FIGURE] } else { [""; 2] }.concat();
    format!(
        ":root{{color-scheme:light;{LIGHT}}}\n@media \
         (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{DARK}}}}}\n:root[data-theme=dark]{{color-scheme:dark;{DARK}}}\n{STYLE}{figures}"
    )
}

/// The number of a figure. Figures that are shown when asked for carry that of the last one before
/// them and a letter.
#[derive(Debug, Default)]
struct Number {
    main: usize,
    more: u8,
}

impl Number {
    fn next(&mut self, in_more: bool) -> String {
        if !in_more {
            *self = Self { main: self.main + 1, more: 0 };
            return self.main.to_string();
        }
        self.more = self.more.saturating_add(1);
        match self.more {
            more @ 1..=25 => format!("{}{}", self.main, char::from(b'a' + more)),
            more => format!("{}-{more}", self.main),
        }
    }
}

/// Keeps together at line ends what is read as one: a number and its unit, a value and its
/// interval.
fn bound(text: &str) -> String {
    text.replace(" %", "\u{a0}%")
        .replace(" ± ", "\u{a0}±\u{a0}")
        .replace("λ = ", "λ\u{a0}=\u{a0}")
        .replace("κ = ", "κ\u{a0}=\u{a0}")
        .replace("p = ", "p\u{a0}=\u{a0}")
        .replace("t-interval", "t\u{2011}interval")
        .replace("t-test", "t\u{2011}test")
}

fn write_contents(
    out: &mut Markup,
    contents: &[Content],
    number: &mut Number,
    files: &Files<'_>,
    in_more: bool,
) {
    for content in contents {
        match content {
            Content::Paragraph(text) => out.prose("p", &[], &bound(text)),
            Content::Absent(reason) => out.prose("p", &[("class", "absent")], &bound(reason)),
            Content::Heading(text) => out.prose("h3", &[], text),
            Content::Answer(before, answer) => {
                out.open("p", &[("class", "answer")]).text(before);
                out.element("b", &[], answer).text(".").close()
            }
            Content::Claims(list) => claims(out, list),
            Content::Warning { reason, fix } => {
                out.prose("h3", &[], &capitalised(reason));
                // A clause, or a sentence that ends itself.
                let fix = capitalised(fix.trim_end_matches('.'));
                out.prose("p", &[], &bound(&format!("{fix}.")))
            }
            Content::Figure(block) => {
                let name = number.next(in_more);
                out.raw(&figure::figure(block, &name, files))
            }
            Content::Table(rows) => {
                out.open("div", &[("class", "wide")]).raw(&table::table(rows)).close()
            }
            Content::Commands(lines) | Content::Formulas(lines) => {
                // Long lines scroll, with the keyboard too.
                out.open("pre", &[("tabindex", "0")])
                    .element("code", &[], &lines.join("\n"))
                    .close()
            }
            Content::Facts(facts) => {
                out.open("dl", &[("class", "facts")]);
                for (name, value) in facts {
                    out.prose("dt", &[], name).prose("dd", &[], value);
                }
                out.close()
            }
            Content::More(summary, more) => {
                out.open("details", &[("class", "more")]).element("summary", &[], summary);
                write_contents(out, more, number, files, true);
                out.close()
            }
        };
        out.raw("\n");
    }
}

/// Each claim with its mark, and what was found when asked for.
fn claims<'a>(out: &'a mut Markup, claims: &[Claim]) -> &'a mut Markup {
    out.open("ul", &[("class", "verdict")]);
    for line in claims {
        let status = line.supported.name();
        out.open("li", &[]);
        out.element("span", &[("class", &format!("mark {status}"))], status);
        out.prose("p", &[("class", "claim")], &bound(&line.claim));
        out.open("details", &[("class", "finding")]).element("summary", &[], "Why");
        out.prose("p", &[], &bound(&line.finding));
        out.close_line();
        out.close_line();
    }
    out.close()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_embedded_as_it_is() {
        for script in [compact(PLAIN_SCRIPT), script()] {
            for end in ["</", "]]>", "<!--"] {
                assert!(!script.contains(end), "{end} ends a script, or the section that holds it");
            }
            // A line that is dropped as a comment would be missed within a text of several lines.
            assert!(!script.contains('`'));
        }
    }

    #[test]
    fn a_page_of_words_carries_nothing_for_figures() {
        let page = Page { title: "Words".to_owned(), ..Page::default() }.html();
        assert!(!page.contains("readout") && !page.contains(".panel"), "{page}");
    }
}
