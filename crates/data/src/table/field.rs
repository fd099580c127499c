//! One field of a CSV file.

use super::reading::{DecimalMark, Reading};
use super::spelling::is_same;

/// What stands in a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Field<'a> {
    /// A finite number.
    Number(f64),
    /// Nothing, or one of the words for it.
    Missing,
    /// A number that is infinite, by its name or by its size.
    Infinite,
    /// Anything else.
    Text(&'a [u8]),
}

/// How the cells of a table are told apart.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    decimal: DecimalMark,
    thousands: Option<char>,
    missing: Vec<String>,
    missing_numbers: Vec<f64>,
    /// What is taken off numbers, the longest first.
    strip: Vec<String>,
    /// Whether numbers are as Rust writes them, and nothing but the usual words is missing.
    is_plain: bool,
}

impl Cells {
    pub(super) fn new(reading: &Reading) -> Self {
        let mut cells = Cells {
            decimal: reading.decimal,
            thousands: reading.thousands,
            missing: reading.missing.iter().map(|word| word.trim().to_owned()).collect(),
            missing_numbers: Vec::new(),
            strip: reading.strip.iter().map(|word| word.trim().to_owned()).collect(),
            is_plain: false,
        };
        cells.strip.retain(|word| !word.is_empty());
        cells.strip.sort_by_key(|word| std::cmp::Reverse(word.len()));
        cells.missing_numbers = cells
            .missing
            .iter()
            .filter_map(|word| word.parse().ok().or_else(|| cells.number(word)))
            .collect();
        cells.is_plain = cells.decimal == DecimalMark::Point
            && cells.thousands.is_none()
            && cells.strip.is_empty()
            && cells.missing.is_empty();
        cells
    }

    /// Reads a field without the white space around it.
    pub(super) fn read<'a>(&self, bytes: &'a [u8]) -> Field<'a> {
        let bytes = trimmed(bytes);
        if is_missing(bytes) {
            return Field::Missing;
        }
        let text = std::str::from_utf8(bytes).ok();
        let number = match self.is_plain {
            true => text.and_then(plain_number),
            false => {
                if text.is_some_and(|text| self.missing.iter().any(|word| word == text)) {
                    return Field::Missing;
                }
                text.and_then(|text| self.number(text))
            }
        };
        match number {
            Some(value) if self.is_code(value) => Field::Missing,
            Some(value) if value.is_finite() => Field::Number(value),
            // `-nan` is no word for a missing value, but it is no number either.
            Some(value) if value.is_infinite() => Field::Infinite,
            _ => Field::Text(bytes),
        }
    }

    /// Whether a number stands for a missing value.
    pub(super) fn is_code(&self, value: f64) -> bool {
        self.missing_numbers.contains(&value)
    }

    /// Whether a text stands for a missing value, read as a category.
    pub(super) fn is_missing(&self, text: &[u8]) -> bool {
        is_missing(text) || (!self.missing.is_empty() && matches!(self.read(text), Field::Missing))
    }

    /// A number in this notation.
    fn number(&self, text: &str) -> Option<f64> {
        match self.strip.is_empty() {
            true => number(text, self.decimal, self.thousands),
            false => number(&self.stripped(text), self.decimal, self.thousands),
        }
    }

    /// A text without what is taken off its ends; a sign of the number may stand before it.
    fn stripped(&self, text: &str) -> String {
        let unsigned = text.trim_start_matches(['+', '-', '−']);
        let sign = &text[..text.len() - unsigned.len()];
        let mut rest = unsigned.trim();
        while let Some(shorter) = self.strip.iter().find_map(|word| {
            rest.strip_prefix(word.as_str()).or_else(|| rest.strip_suffix(word.as_str()))
        }) {
            rest = shorter.trim();
        }
        format!("{sign}{rest}")
    }
}

/// A field without the white space around it, blanks that do not break among it.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.trim_ascii();
    let is_plain = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii);
    if is_plain(bytes.first()) && is_plain(bytes.last()) {
        return bytes;
    }
    std::str::from_utf8(bytes).map_or(bytes, |text| text.trim().as_bytes())
}

/// A number as Rust writes it, or with a typographic minus.
fn plain_number(text: &str) -> Option<f64> {
    let as_it_is = text.parse().ok();
    as_it_is.or_else(|| match text.contains('−') {
        true => text.replace('−', "-").parse().ok(),
        false => None,
    })
}

/// A number with these marks.
pub(super) fn number(text: &str, decimal: DecimalMark, thousands: Option<char>) -> Option<f64> {
    let mark = match decimal {
        DecimalMark::Point => '.',
        DecimalMark::Comma => ',',
    };
    let end = text.find([mark, 'e', 'E']).unwrap_or(text.len());
    let (whole, rest) = text.split_at(end);
    let mut plain = match thousands {
        Some(separator) if separator != mark && whole.chars().any(|c| is_same(c, separator)) => {
            grouped(whole, |letter| is_same(letter, separator))?
        }
        _ if decimal == DecimalMark::Comma && whole.contains('.') => return None,
        _ => whole.to_owned(),
    };
    match rest.strip_prefix(mark) {
        Some(decimals) => {
            plain.push('.');
            plain.push_str(decimals);
        }
        None => plain.push_str(rest),
    }
    plain_number(&plain)
}

/// The digits of groups of three, with their sign; nothing where the groups are others.
fn grouped(whole: &str, is_separator: impl Fn(char) -> bool) -> Option<String> {
    let digits = whole.trim_start_matches(['+', '-', '−']);
    let sign = &whole[..whole.len() - digits.len()];
    let groups: Vec<&str> = digits.split(is_separator).collect();
    let (first, others) = groups.split_first()?;
    let is_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let fits = (1..=3).contains(&first.len())
        && is_digits(first)
        && others.iter().all(|group| group.len() == 3 && is_digits(group))
        && sign.chars().count() <= 1;
    fits.then(|| format!("{sign}{}", groups.concat()))
}

/// The words that R, pandas, Polars and SQL exports write for a missing value, in any case: they
/// need not be declared, as an empty cell need not.
pub const MISSING_WORDS: [&str; 4] = ["NA", "N/A", "NaN", "null"];

/// Whether a text stands for a missing value without being declared.
pub(super) fn is_missing(bytes: &[u8]) -> bool {
    let is_word = |word: &str| bytes.eq_ignore_ascii_case(word.as_bytes());
    bytes.is_empty() || (bytes.len() <= 4 && MISSING_WORDS.iter().any(|word| is_word(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_declared() {
        let with =
            |decimal, thousands| Cells::new(&Reading { decimal, thousands, ..Reading::default() });
        let european = with(DecimalMark::Comma, Some('.'));
        let comma = with(DecimalMark::Comma, None);
        let english = with(DecimalMark::Point, Some(','));
        let blank = with(DecimalMark::Comma, Some(' '));
        for (cells, text, expected) in [
            (&european, "1.234.567,5", Some(1_234_567.5)),
            (&european, "-1.234", Some(-1234.0)),
            (&european, "1.23", None),
            (&comma, "1,5", Some(1.5)),
            (&comma, "-4,5e1", Some(-45.0)),
            (&comma, "1.5", None),
            (&comma, "1,5,2", None),
            (&english, "7,980", Some(7980.0)),
            (&english, "7,980.25", Some(7980.25)),
            (&english, "7,98", None),
            (&english, "12", Some(12.0)),
            (&english, "1234.5", Some(1234.5)),
            (&blank, "1 234,5", Some(1234.5)),
            (&blank, "1\u{a0}234", Some(1234.0)),
        ] {
            let expected = match expected {
                Some(value) => Field::Number(value),
                None => Field::Text(text.as_bytes()),
            };
            assert_eq!(cells.read(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn codes_are_missing_however_they_are_written() {
        let missing = ["?", "-200", "n.d."].map(str::to_owned).to_vec();
        let cells = Cells::new(&Reading { missing, ..Reading::default() });
        for text in ["?", "-200", "-200.0", "-2e2", "n.d.", "", "NA"] {
            assert_eq!(cells.read(text.as_bytes()), Field::Missing, "{text}");
            assert!(cells.is_missing(text.as_bytes()), "{text}");
        }
        assert_eq!(cells.read(b"200"), Field::Number(200.0));
        assert!(!cells.is_missing(b"Elm"));
    }

    #[test]
    fn a_typographic_minus_and_blanks_that_do_not_break_are_read() {
        let cells = Cells::new(&Reading::default());
        for (text, expected) in [
            ("−0.652", Field::Number(-0.652)),
            ("\u{a0}1.5\u{202f}", Field::Number(1.5)),
            ("\u{a0}", Field::Missing),
            ("1−2", Field::Text("1−2".as_bytes())),
        ] {
            assert_eq!(cells.read(text.as_bytes()), expected, "{text:?}");
        }
        let german =
            Reading { decimal: DecimalMark::Comma, thousands: Some('.'), ..Reading::default() };
        assert_eq!(Cells::new(&german).read("−1.234,5".as_bytes()), Field::Number(-1234.5));
    }

    #[test]
    fn signs_and_units_are_taken_off_numbers_alone() {
        let strip = ["$", "US$", "%", "€", "kg"].map(str::to_owned).to_vec();
        let reading = Reading { strip, thousands: Some(','), ..Reading::default() };
        let cells = Cells::new(&reading);
        for (text, expected) in [
            ("$1,312.03", 1312.03),
            ("-US$ 5", -5.0),
            ("$-5", -5.0),
            ("12.5\u{a0}%", 12.5),
            ("€ 1,000 kg", 1000.0),
            ("7", 7.0),
        ] {
            assert_eq!(cells.read(text.as_bytes()), Field::Number(expected), "{text}");
        }
        for text in ["kg", "$", "5 km", "a$5"] {
            assert_eq!(cells.read(text.as_bytes()), Field::Text(text.as_bytes()), "{text}");
        }
    }
}
