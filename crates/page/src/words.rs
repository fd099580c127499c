//! Numbers with what they count, and sentences.

use std::fmt::Display;

/// A count as it is shown, with its noun: `1 step`, `1,000 steps`.
///
/// The noun follows what is *shown*, so that a number which rounds to 1 has one thing, too.
///
/// ```
/// use wd_page::counted;
/// assert_eq!(counted(1, "step"), "1 step");
/// assert_eq!(counted("1,000", "batch"), "1,000 batches");
/// assert_eq!(counted(0.36, "epoch"), "0.36 epochs");
/// ```
pub fn counted(shown: impl Display, noun: &str) -> String {
    let shown = shown.to_string();
    let ending = match shown.as_str() {
        "1" => "",
        _ if noun.ends_with('s') || noun.ends_with("tch") => "es",
        _ => "s",
    };
    format!("{shown} {noun}{ending}")
}

/// The text with a capital at its beginning; a symbol stays itself, since Λ is not λ.
pub fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| match first {
        'λ' | 'α' | 'β' | 'γ' | 'η' | 'κ' | 'σ' | 'τ' => text.to_owned(),
        _ => first.to_uppercase().chain(characters).collect(),
    })
}

/// A word as a shell reads it back.
///
/// ```
/// assert_eq!(wd_page::words::quoted("runs/first"), "runs/first");
/// assert_eq!(wd_page::words::quoted("it's"), r"'it'\''s'");
/// ```
pub fn quoted(word: &str) -> String {
    let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c));
    if is_plain && !word.is_empty() {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Foreign text on one line, without what a terminal would obey: control characters and marks of
/// writing direction become spaces, as many as they have bytes, so that places in it stay.
///
/// ```
/// assert_eq!(wd_page::words::printable("a\u{1b}[2J\nb"), "a [2J b");
/// ```
pub fn printable(text: &str) -> String {
    replaced(text, |letter| letter.is_control() || is_directional(letter))
}

/// As [`printable`], of a text of several lines.
pub fn printable_lines(text: &str) -> String {
    let is_harmful =
        |letter: char| (letter.is_control() && letter != '\n') || is_directional(letter);
    replaced(text, is_harmful)
}

fn replaced(text: &str, is_harmful: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match is_harmful(letter) {
            true => out.extend(std::iter::repeat_n(' ', letter.len_utf8())),
            false => out.push(letter),
        }
    }
    out
}

/// Words, and what is typed as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span<'a> {
    /// Words.
    Words(&'a str),
    /// What stands between two backticks.
    Code(&'a str),
}

/// The parts of a text. A backtick without a partner on its line is a letter like others.
pub(crate) fn spans(text: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    // Up to `words` everything is told; the next pair is looked for from `from` on.
    let (mut words, mut from) = (0, 0);
    while let Some(open) = text[from..].find('`').map(|place| from + place) {
        let behind = open + 1;
        let close = text[behind..].find(['`', '\n']).map(|place| behind + place);
        let Some(close) = close.filter(|&close| close > behind && text[close..].starts_with('`'))
        else {
            from = behind;
            continue;
        };
        spans.extend((words < open).then(|| Span::Words(&text[words..open])));
        spans.push(Span::Code(&text[behind..close]));
        (words, from) = (close + 1, close + 1);
    }
    spans.extend((words < text.len()).then(|| Span::Words(&text[words..])));
    spans
}

/// Marks that turn the order of the letters around them (Unicode Standard Annex 9, table 4), and
/// the separators that some programs take for ends of lines.
fn is_directional(letter: char) -> bool {
    matches!(
        letter,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// A text as the cell of a file that a spreadsheet may open: one that it would take for a formula
/// gets an apostrophe in front, which spreadsheets know for text.
///
/// ```
/// use wd_page::words::cell;
/// assert_eq!((cell("=1+1").as_str(), cell("-1.5").as_str(), cell("a").as_str()), ("'=1+1", "-1.5", "a"));
/// ```
pub fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    match is_formula && text.parse::<f64>().is_err() {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code() {
        use Span::{Code, Words};
        assert_eq!(spans("run `wd plan` now"), [Words("run "), Code("wd plan"), Words(" now")]);
        assert_eq!(spans("`a``b`"), [Code("a"), Code("b")]);
        assert_eq!(spans("a lone ` and ``"), [Words("a lone "), Code(" and "), Words("`")]);
        assert_eq!(spans("`over\n`two` lines"), [Words("`over\n"), Code("two"), Words(" lines")]);
        assert_eq!(spans(""), []);
    }

    proptest! {
        #[test]
        fn no_letter_is_lost(text in "[a`\\né ]{0,20}") {
            let written = spans(&text).into_iter().map(|span| match span {
                Span::Words(words) => words.to_owned(),
                Span::Code(code) => format!("`{code}`"),
            });
            prop_assert_eq!(written.collect::<String>(), text);
        }
    }
}
