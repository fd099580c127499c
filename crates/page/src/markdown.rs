//! A page as Markdown, with its figures as files of their own: for a book, or a forge that shows
//! Markdown.

use std::fmt::Write as _;

use crate::words::{Span, capitalised, printable, spans};
use crate::{Claim, Content, FigureBlock, Page, Shown, Table};

/// A page as Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markdown {
    /// The text.
    pub text: String,
    /// Name and content of every SVG file that the text shows, in its order.
    pub figures: Vec<(String, String)>,
}

/// Width of a figure in pixels: that of a book's column.
const WIDTH: f64 = 760.0;

impl Page {
    /// The page as Markdown: what a file shows, without the list of contents. The names of its
    /// figures begin with `stem`, and they are to stand beside it.
    ///
    /// ```
    /// use wd_page::{Content, Page, Section};
    ///
    /// let page = Page {
    ///     title: "λ = 0.1".to_owned(),
    ///     lead: "It leaves 19 %.".to_owned(),
    ///     sections: vec![Section::new("run", "The run", vec![Content::fact("κ", "1.65")])],
    ///     ..Page::default()
    /// };
    /// let text = page.markdown("page").text;
    /// assert_eq!(text, "# λ = 0.1\n\nIt leaves 19 %.\n\n## The run\n\n- **κ**: 1.65\n");
    /// ```
    pub fn markdown(&self, stem: &str) -> Markdown {
        let mut out = Writer { stem, blocks: Vec::new(), figures: Vec::new() };
        out.blocks.push(format!("# {}", escaped(&self.title)));
        for sentence in [self.lead.clone(), capitalised(&self.regime)] {
            if !sentence.is_empty() {
                out.blocks.push(escaped(&sentence));
            }
        }
        out.facts(&self.facts);
        for section in self.sections.iter().filter(|section| section.shown != Shown::Terminal) {
            out.blocks.push(format!("## {}", escaped(&section.heading)));
            out.contents(&section.contents);
        }
        Markdown { text: format!("{}\n", out.blocks.join("\n\n")), figures: out.figures }
    }
}

struct Writer<'a> {
    stem: &'a str,
    /// Paragraphs, headings, lists, tables: a blank line between each two.
    blocks: Vec<String>,
    figures: Vec<(String, String)>,
}

impl Writer<'_> {
    fn contents(&mut self, contents: &[Content]) {
        for content in contents {
            match content {
                Content::Paragraph(words) | Content::Absent(words) => {
                    self.blocks.push(escaped(words));
                }
                Content::Heading(words) => self.blocks.push(format!("### {}", escaped(words))),
                Content::Answer(before, answer) => {
                    self.blocks.push(format!("{}**{}**.", escaped(before), escaped(answer)));
                }
                Content::Claims(claims) => self.claims(claims),
                Content::Formulas(lines) => self.code("text", lines),
                Content::Commands(lines) => self.code("sh", lines),
                Content::Facts(facts) => self.facts(facts),
                Content::Warning { reason, fix } => {
                    let reason = capitalised(reason);
                    self.blocks.push(format!("**{}**: {}", escaped(&reason), escaped(fix)));
                }
                Content::Figure(block) => self.figure(block),
                Content::Table(rows) => self.blocks.push(table(rows)),
                Content::More(summary, more) => {
                    self.blocks.push(format!("#### {}", escaped(summary)));
                    self.contents(more);
                }
            }
        }
    }

    fn facts(&mut self, facts: &[(String, String)]) {
        let lines: Vec<String> = facts
            .iter()
            .map(|(name, value)| format!("- **{}**: {}", escaped(name), escaped(value)))
            .collect();
        if !lines.is_empty() {
            self.blocks.push(lines.join("\n"));
        }
    }

    fn claims(&mut self, claims: &[Claim]) {
        let lines: Vec<String> = claims
            .iter()
            .map(|line| {
                let (claim, finding) = (escaped(&line.claim), escaped(&line.finding));
                format!("- **{}** ({}): {finding}", claim, line.supported.name())
            })
            .collect();
        self.blocks.push(lines.join("\n"));
    }

    fn code(&mut self, language: &str, lines: &[String]) {
        let lines: Vec<String> = lines.iter().map(|line| printable(line)).collect();
        self.blocks.push(format!("```{language}\n{}\n```", lines.join("\n")));
    }

    fn figure(&mut self, block: &FigureBlock) {
        let file = format!("{}-{}.svg", self.stem, block.figure.id());
        self.blocks.push(format!("![{}]({file})", escaped(block.name.trim_end_matches('.'))));
        self.blocks.push(format!("*{}* {}", escaped(&block.name), escaped(&block.caption)));
        self.figures.push((file, block.figure.file(WIDTH)));
    }
}

/// A table with a rule under its head; numbers flush right.
fn table(table: &Table) -> String {
    let row = |cells: &[String]| {
        let cells: Vec<String> =
            cells.iter().map(|cell| escaped(cell).replace('|', "\\|")).collect();
        format!("| {} |", cells.join(" | "))
    };
    let mut out = row(&table.columns);
    out.push_str("\n|");
    for column in 0..table.columns.len() {
        let _ = write!(out, "{}", if column < table.words { "---|" } else { "--:|" });
    }
    for cells in &table.rows {
        out.push('\n');
        out.push_str(&row(cells));
    }
    out
}

/// Text as it is: what Markdown or HTML would take for markup is escaped. What stands between
/// backticks is code in Markdown too.
fn escaped(text: &str) -> String {
    let text = printable(text);
    let mut out = String::with_capacity(text.len());
    for span in spans(&text) {
        match span {
            Span::Words(words) => escape_into(&mut out, words),
            Span::Code(code) => {
                let _ = write!(out, "`{code}`");
            }
        }
    }
    out
}

fn escape_into(out: &mut String, words: &str) {
    for character in words.chars() {
        match character {
            '\\' | '*' | '`' | '[' | ']' => {
                out.push('\\');
                out.push(character);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            _ => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Section;
    use crate::figure::{Horizontal, Panel, PanelFigure};

    #[test]
    fn text_is_no_markup_and_figures_stand_beside_it() {
        let mut rows = Table::new(&["a", "n"], 1);
        rows.rows.push(vec!["p(D | λ) *".to_owned(), "1".to_owned()]);
        let panel = Panel::new("y", 90.0);
        let figure = PanelFigure::along("one", Horizontal::linear("step"), vec![panel]);
        let block = FigureBlock::of_panels(figure, "A figure.", "Look.", |x| x.to_string());
        let contents = vec![
            Content::Paragraph("<b> [1, 2](x) `a < [b]`".to_owned()),
            Content::Table(rows),
            Content::Commands(vec!["wd explain x".to_owned()]),
            block.into(),
        ];
        let page = Page {
            title: "T".to_owned(),
            sections: vec![
                Section::new("s", "S", contents),
                Section::terminal(vec![Content::Paragraph("short".to_owned())]),
            ],
            ..Page::default()
        };
        let found = page.markdown("page");
        insta::assert_snapshot!(found.text, @r"
        # T

        ## S

        &lt;b&gt; \[1, 2\](x) `a < [b]`

        | a | n |
        |---|--:|
        | p(D \| λ) \* | 1 |

        ```sh
        wd explain x
        ```

        ![A figure](page-one.svg)

        *A figure.* Look.
        ");
        assert_eq!(found.figures.len(), 1);
        assert!(found.figures[0].1.starts_with("<svg"), "{}", found.figures[0].0);
    }
}
