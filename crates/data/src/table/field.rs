//! One field of a CSV file.

use super::reading::{DecimalMark, Reading};

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
            is_plain: false,
        };
        cells.missing_numbers = cells
            .missing
            .iter()
            .filter_map(|word| word.parse().ok().or_else(|| cells.number(word)))
            .collect();
        cells.is_plain = cells.decimal == DecimalMark::Point
            && cells.thousands.is_none()
            && cells.missing.is_empty();
        cells
    }

    /// Reads a field without the white space around it.
    pub(super) fn read<'a>(&self, bytes: &'a [u8]) -> Field<'a> {
        let bytes = bytes.trim_ascii();
        if is_missing(bytes) {
            return Field::Missing;
        }
        let text = std::str::from_utf8(bytes).ok();
        let number = match self.is_plain {
            true => text.and_then(|text| text.parse::<f64>().ok()),
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
        let mark = match self.decimal {
            DecimalMark::Point => '.',
            DecimalMark::Comma => ',',
        };
        let end = text.find([mark, 'e', 'E']).unwrap_or(text.len());
        let (whole, rest) = text.split_at(end);
        let mut plain = match self.thousands {
            Some(separator)
                if separator != mark && whole.chars().any(|c| is_same(c, separator)) =>
            {
                grouped(whole, |letter| is_same(letter, separator))?
            }
            _ if self.decimal == DecimalMark::Comma && whole.contains('.') => return None,
            _ => whole.to_owned(),
        };
        match rest.strip_prefix(mark) {
            Some(decimals) => {
                plain.push('.');
                plain.push_str(decimals);
            }
            None => plain.push_str(rest),
        }
        plain.parse().ok()
    }
}

/// Whether a letter is the separator; a blank stands for non-breaking ones too.
fn is_same(letter: char, separator: char) -> bool {
    letter == separator || (separator == ' ' && matches!(letter, '\u{a0}' | '\u{202f}'))
}

/// The digits of groups of three, with their sign; nothing where the groups are others.
fn grouped(whole: &str, is_separator: impl Fn(char) -> bool) -> Option<String> {
    let digits = whole.trim_start_matches(['+', '-']);
    let sign = &whole[..whole.len() - digits.len()];
    let groups: Vec<&str> = digits.split(is_separator).collect();
    let (first, others) = groups.split_first()?;
    let is_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let fits = (1..=3).contains(&first.len())
        && is_digits(first)
        && others.iter().all(|group| group.len() == 3 && is_digits(group))
        && sign.len() <= 1;
    fits.then(|| format!("{sign}{}", groups.concat()))
}

/// A number that has a comma where this table's numbers have none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct CommaNumber {
    /// Read with the comma before its decimals.
    pub(super) as_decimal: Option<f64>,
    /// Read with commas between its thousands.
    pub(super) as_thousands: Option<f64>,
}

impl CommaNumber {
    /// Of a text that is a number in one of these ways.
    pub(super) fn read(text: &[u8]) -> Option<CommaNumber> {
        let text = std::str::from_utf8(text).ok()?;
        if !text.contains(',') {
            return None;
        }
        let with = |decimal: DecimalMark, thousands: Option<char>| {
            let reading = Reading { decimal, thousands, ..Reading::default() };
            Cells::new(&reading).number(text).filter(|value| value.is_finite())
        };
        let found = CommaNumber {
            as_decimal: with(DecimalMark::Comma, None),
            as_thousands: with(DecimalMark::Point, Some(',')),
        };
        (found.as_decimal.is_some() || found.as_thousands.is_some()).then_some(found)
    }
}

/// The words that R, pandas, Polars and SQL exports write for a missing value.
pub(super) fn is_missing(bytes: &[u8]) -> bool {
    const WORDS: [&[u8]; 4] = [b"na", b"n/a", b"nan", b"null"];
    bytes.is_empty()
        || (bytes.len() <= 4 && WORDS.iter().any(|word| bytes.eq_ignore_ascii_case(word)))
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
    fn a_comma_is_read_in_both_ways() {
        let of = |text: &str| CommaNumber::read(text.as_bytes());
        let both = of("7,980").expect("a number");
        assert_eq!((both.as_decimal, both.as_thousands), (Some(7.98), Some(7980.0)));
        assert_eq!(of("1,5").and_then(|found| found.as_thousands), None);
        assert_eq!(of("1,234,567").and_then(|found| found.as_decimal), None);
        assert_eq!(of("a,b"), None);
        assert_eq!(of("12"), None);
    }
}
