//! A page on a terminal: what answers the question, in lines that fit.

mod table;

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;

use crate::number::count;
use crate::words::{capitalised, printable};
use crate::{Claim, Content, Page, Shown, Supported};

/// Columns of a fact's name.
const NAME: usize = 21;
/// Columns of a claim's mark, brackets included.
const MARK: usize = 15;

/// How a page is written on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Columns that a line may take.
    pub width: usize,
    /// Whether bold and coloured words are wanted.
    pub colour: bool,
    /// Rows of a table that are shown; the page as a file and as JSON has all of them.
    pub rows: usize,
    /// Whether what was found stands under each claim; the page as a file has it always.
    pub reasons: bool,
}

impl Terminal {
    /// A hundred columns without colour, as for a pipe; of claims what they say and whether it holds.
    pub const fn plain() -> Self {
        Terminal { width: 100, colour: false, rows: 20, reasons: false }
    }

    fn styled(&self, style: Style, words: &str) -> String {
        if self.colour { format!("{style}{words}{style:#}") } else { words.to_owned() }
    }
}

impl Page {
    /// The page as lines of text: lead, regime, and the sections that a terminal shows. Figures are
    /// left out.
    pub fn terminal(&self, terminal: &Terminal) -> String {
        let mut out = Writer { terminal, text: String::new() };
        for sentence in [self.lead.clone(), capitalised(&self.regime)] {
            if !sentence.is_empty() {
                out.paragraph("", &sentence, "");
            }
        }
        for section in self.sections.iter().filter(|section| section.shown != Shown::File) {
            if !out.text.is_empty() {
                out.text.push('\n');
            }
            if !section.heading.is_empty() {
                out.heading(&section.heading);
            }
            out.contents(&section.contents);
        }
        out.text
    }
}

struct Writer<'a> {
    terminal: &'a Terminal,
    text: String,
}

impl Writer<'_> {
    fn heading(&mut self, heading: &str) {
        let bold = Style::new().bold();
        let heading = self.terminal.styled(bold, &printable(heading));
        let _ = writeln!(self.text, "{heading}");
    }

    /// A paragraph: its first line behind `first`, the others behind `others`, which may hold
    /// styles.
    fn paragraph(&mut self, first: &str, words: &str, others: &str) {
        let indent = display_width(others);
        let width = self.terminal.width.saturating_sub(indent).max(20);
        for (index, line) in textwrap::wrap(&printable(words), width).iter().enumerate() {
            self.text.push_str(if index == 0 { first } else { others });
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    fn contents(&mut self, contents: &[Content]) {
        for content in contents {
            match content {
                Content::Paragraph(words) | Content::Absent(words) => {
                    self.paragraph("  ", words, "  ");
                }
                Content::Heading(words) => self.paragraph("  ", words, "  "),
                Content::Answer(before, answer) => {
                    self.paragraph("  ", &format!("{before}{answer}."), "  ");
                }
                Content::Claims(claims) => claims.iter().for_each(|claim| self.claim(claim)),
                // A line that is to be pasted stays whole.
                Content::Commands(lines) => lines.iter().for_each(|line| {
                    let _ = writeln!(self.text, "    {}", printable(line));
                }),
                Content::Formulas(lines) => {
                    for line in lines {
                        self.paragraph("    ", line, "      ");
                    }
                }
                Content::Facts(facts) => facts.iter().for_each(|(name, value)| {
                    let pad = NAME.saturating_sub(display_width(name));
                    let first = format!("  {}{} ", printable(name), " ".repeat(pad));
                    self.paragraph(&first, value, &" ".repeat(NAME + 3));
                }),
                Content::Warning { reason, fix } => {
                    let yellow = AnsiColor::Yellow.on_default();
                    let mark = format!("  {} ", self.terminal.styled(yellow, "!"));
                    self.paragraph(&mark, reason, "    ");
                    self.paragraph("    → ", fix, "      ");
                }
                Content::Table(rows) => {
                    let shown = table::table(rows, self.terminal);
                    self.text.push_str(&shown);
                    if let more @ 1.. = rows.rows.len().saturating_sub(self.terminal.rows) {
                        let _ = writeln!(self.text, "  … and {} more rows", count(more as u64));
                    }
                }
                Content::Figure(_) | Content::More(..) => {}
            }
        }
    }

    fn claim(&mut self, claim: &Claim) {
        let mark = format!("[{}]", claim.supported.name());
        let pad = " ".repeat(MARK.saturating_sub(mark.len()));
        let colour = match claim.supported {
            Supported::Supported => AnsiColor::Green,
            Supported::Contradicted => AnsiColor::Red,
            Supported::Undecided => AnsiColor::Yellow,
        };
        let first = format!("{}{pad}", self.terminal.styled(colour.on_default(), &mark));
        let indent = " ".repeat(MARK);
        self.paragraph(&first, &claim.claim, &indent);
        if self.terminal.reasons {
            self.paragraph(&indent, &claim.finding, &indent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Section, Table};

    fn page(contents: Vec<Content>) -> Page {
        Page { sections: vec![Section::new("one", "One", contents)], ..Page::default() }
    }

    #[test]
    fn lines_fit_and_hold_no_control_characters() {
        let words = "a word and another ".repeat(20);
        let page = page(vec![
            Content::Paragraph(words.clone()),
            Content::fact("a\u{1b}[2J", words.clone()),
            Content::Warning { reason: words.clone(), fix: words.clone() },
            Content::Claims(vec![Claim {
                claim: words.clone(),
                finding: words,
                supported: Supported::Undecided,
            }]),
        ]);
        let narrow = Terminal { width: 60, reasons: true, ..Terminal::plain() };
        let text = page.terminal(&narrow);
        assert!(text.lines().all(|line| display_width(line) <= 60), "{text}");
        assert!(!text.contains('\u{1b}'));
        let colourful = page.terminal(&Terminal { colour: true, ..narrow });
        assert_eq!(anstyle_free(&colourful), text);
    }

    fn anstyle_free(text: &str) -> String {
        let mut parts = text.split("\u{1b}[");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |out, part| out + part.split_once('m').map_or("", |(_, rest)| rest))
    }

    #[test]
    fn reasons_stand_under_a_claim_when_asked_for() {
        let page = page(vec![Content::Claims(vec![Claim {
            claim: "It holds".to_owned(),
            finding: "By this.".to_owned(),
            supported: Supported::Supported,
        }])]);
        assert_eq!(page.terminal(&Terminal::plain()), "One\n[supported]    It holds\n");
        let whole = page.terminal(&Terminal { reasons: true, ..Terminal::plain() });
        assert_eq!(whole, "One\n[supported]    It holds\n               By this.\n");
    }

    #[test]
    fn what_only_a_file_shows_is_left_out() {
        let mut page = page(vec![
            Content::Paragraph("Shown.".to_owned()),
            Content::More("why".to_owned(), vec![Content::Paragraph("Hidden.".to_owned())]),
        ]);
        page.sections.push(Section::full("two", "Two", vec![Content::fact("a", "b")]));
        assert_eq!(page.terminal(&Terminal::plain()), "One\n  Shown.\n");
    }

    #[test]
    fn a_long_table_says_how_much_is_left_out() {
        let mut rows = Table::new(&["x", "n"], 1);
        rows.rows = (0..30).map(|row| vec![format!("row {row}"), row.to_string()]).collect();
        let text =
            page(vec![Content::Table(rows)]).terminal(&Terminal { rows: 2, ..Terminal::plain() });
        insta::assert_snapshot!(text, @r"
        One
          x      n
          row 0  0
          row 1  1
          … and 28 more rows
        ");
    }
}
