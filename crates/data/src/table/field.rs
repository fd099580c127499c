//! One field of a CSV file.

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

impl<'a> Field<'a> {
    /// Reads a field without the white space around it.
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let bytes = bytes.trim_ascii();
        if is_missing(bytes) {
            return Field::Missing;
        }
        match std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<f64>().ok()) {
            Some(value) if value.is_finite() => Field::Number(value),
            // `-nan` is no word for a missing value, but it is no number either.
            Some(value) if value.is_infinite() => Field::Infinite,
            _ => Field::Text(bytes),
        }
    }
}

/// The words that R, pandas, Polars and SQL exports write for a missing value.
pub(super) fn is_missing(bytes: &[u8]) -> bool {
    const WORDS: [&[u8]; 4] = [b"na", b"n/a", b"nan", b"null"];
    bytes.is_empty()
        || (bytes.len() <= 4 && WORDS.iter().any(|word| bytes.eq_ignore_ascii_case(word)))
}
