//! Tables of numbers for the eye, and the same as CSV for other programs.

use std::fmt::Write as _;

use serde::Serialize;

/// A table as it is read: every cell is text already rounded to what it is worth.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Table {
    /// Column names.
    pub columns: Vec<String>,
    /// Rows, each as long as `columns`.
    pub rows: Vec<Vec<String>>,
    /// Number of leading columns that are words, set flush left.
    pub words: usize,
}

impl Table {
    /// An empty table.
    pub fn new(columns: &[&str], words: usize) -> Self {
        Self {
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            rows: Vec::new(),
            words,
        }
    }
}

/// A field of a CSV file.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// Words, quoted where they need it.
    Words(String),
    /// A number; empty when it is not finite.
    Number(f64),
}

impl From<&str> for Field {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl From<f64> for Field {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Field {
    fn from(number: usize) -> Self {
        Self::Number(number as f64)
    }
}

/// The numbers behind a figure, unrounded.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Csv {
    text: String,
}

impl Csv {
    /// A file with these columns.
    pub fn new(columns: &[&str]) -> Self {
        let mut csv = Self::default();
        csv.row(&columns.iter().map(|&name| Field::from(name)).collect::<Vec<_>>());
        csv
    }

    /// Appends a row.
    pub fn row(&mut self, fields: &[Field]) {
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            match field {
                Field::Words(words) => self.words(words),
                Field::Number(number) if number.is_finite() => {
                    // Seven significant digits: more than any statistic here is worth.
                    let rounded: f64 = format!("{number:.6e}").parse().unwrap_or(*number);
                    let _ = write!(self.text, "{rounded}");
                }
                Field::Number(_) => {}
            }
        }
        self.text.push('\n');
    }

    fn words(&mut self, words: &str) {
        // A cell that starts like a formula would be run by a spreadsheet.
        let guard = if words.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
        if words.contains([',', '"', '\n', '\r']) || !guard.is_empty() {
            let _ = write!(self.text, "\"{guard}{}\"", words.replace('"', "\"\""));
        } else {
            self.text.push_str(words);
        }
    }

    /// The file's text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_quotes_what_needs_it_and_leaves_missing_numbers_empty() {
        let mut csv = Csv::new(&["arm", "loss"]);
        csv.row(&["λ=0, \"cosine\"".into(), 3.456_789_012_3.into()]);
        csv.row(&["=1+1".into(), f64::NAN.into()]);
        assert_eq!(csv.text, "arm,loss\n\"λ=0, \"\"cosine\"\"\",3.456789\n\"'=1+1\",\n");
    }
}
