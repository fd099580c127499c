//! Tables of numbers, as HTML for the eye and as CSV for other programs.

use std::fmt::Write as _;

use crate::markup::Markup;

/// A table as it is read: every cell is text already rounded to what it is worth.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Table {
    /// Column names.
    pub(crate) columns: Vec<String>,
    /// Rows, each as long as `columns`.
    pub(crate) rows: Vec<Vec<String>>,
    /// Number of leading columns that are words, set flush left.
    pub(crate) words: usize,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(columns: &[&str], words: usize) -> Self {
        Self {
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            rows: Vec::new(),
            words,
        }
    }

    /// The table as HTML, in a box that scrolls sideways when the page is narrow.
    pub(crate) fn html(&self) -> String {
        let mut out = Markup::default();
        out.open("div", &[("class", "scroll"), ("tabindex", "0")]).open("table", &[]);
        out.open("thead", &[]).open("tr", &[]);
        for (index, name) in self.columns.iter().enumerate() {
            out.element("th", &[("scope", "col"), ("class", self.class(index))], name);
        }
        out.close().close_line().open("tbody", &[]);
        for row in &self.rows {
            out.open("tr", &[]);
            for (index, cell) in row.iter().enumerate() {
                if index == 0 {
                    out.element("th", &[("scope", "row"), ("class", self.class(0))], cell);
                } else if index < self.words {
                    out.element("td", &[("class", "word")], cell);
                } else {
                    // Nearly all cells: without a class the page is a good deal smaller.
                    out.element("td", &[], cell);
                }
            }
            out.close_line();
        }
        out.finish()
    }

    fn class(&self, column: usize) -> &'static str {
        if column < self.words { "word" } else { "number" }
    }
}

/// A field of a CSV file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field {
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
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Csv {
    text: String,
}

impl Csv {
    /// A file with these columns.
    pub(crate) fn new(columns: &[&str]) -> Self {
        let mut csv = Self::default();
        csv.row(&columns.iter().map(|&name| Field::from(name)).collect::<Vec<_>>());
        csv
    }

    /// Appends a row.
    pub(crate) fn row(&mut self, fields: &[Field]) {
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

    /// The file as a `data:` address, which a browser can save without a server.
    pub(crate) fn data_uri(&self) -> String {
        let mut uri = String::from("data:text/csv;charset=utf-8,");
        for character in self.text.chars() {
            // Browsers encode what is not ASCII themselves; these would end the address or be lost on the way.
            if character.is_ascii_alphanumeric()
                || "-._~,=():/".contains(character)
                || !character.is_ascii()
            {
                uri.push(character);
            } else {
                let _ = write!(uri, "%{:02X}", u32::from(character));
            }
        }
        uri
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
        assert!(
            csv.data_uri()
                .starts_with("data:text/csv;charset=utf-8,arm,loss%0A%22λ=0,%20%22%22cosine")
        );
    }

    #[test]
    fn cells_are_escaped() {
        let table = Table { columns: vec!["<a>".into()], rows: vec![vec!["&".into()]], words: 1 };
        let html = table.html();
        assert!(html.contains("&lt;a&gt;") && html.contains("&amp;"), "{html}");
    }
}
