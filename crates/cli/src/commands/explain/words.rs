//! An explanation as a terminal shows it.

use wd_decay::Explanation;
use wd_decay::explanation::Line;

use crate::text;

/// Columns that lines are broken at.
const WIDTH: usize = 100;
/// Columns of a fact's name.
const NAME: usize = 21;

const BOLD: &str = "\u{1b}[1m";
const YELLOW: &str = "\u{1b}[33m";
const PLAIN: &str = "\u{1b}[0m";

/// The whole explanation, with colours where the reader is a terminal.
pub(super) fn written(explanation: &Explanation, colour: bool) -> String {
    let styled = |style: &str, words: &str| {
        if colour { format!("{style}{words}{PLAIN}") } else { words.to_owned() }
    };
    let mut out = String::new();
    for (index, section) in explanation.sections().iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        out.push_str(&styled(BOLD, section.heading));
        out.push('\n');
        for line in &section.lines {
            match line {
                Line::Text(words) => push(&mut out, "  ", words, 2),
                Line::Formula(formula) => push(&mut out, "    ", formula, 6),
                Line::Fact(name, value) => {
                    let pad = NAME.saturating_sub(name.chars().count());
                    let name = format!("  {name}{} ", " ".repeat(pad));
                    push(&mut out, &name, value, 3 + NAME);
                }
                Line::Warning { reason, fix } => {
                    push(&mut out, &format!("  {} ", styled(YELLOW, "!")), reason, 4);
                    push(&mut out, "    → ", fix, 6);
                }
            }
        }
    }
    out
}

/// Adds a paragraph: its first line behind `lead`, the others behind `indent` spaces.
fn push(out: &mut String, lead: &str, words: &str, indent: usize) {
    let indentation = " ".repeat(indent);
    for (index, line) in text::broken(words, WIDTH - indent).iter().enumerate() {
        out.push_str(if index == 0 { lead } else { &indentation });
        out.push_str(line);
        out.push('\n');
    }
}
