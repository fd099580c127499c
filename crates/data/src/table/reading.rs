//! How a table is read: how it is written, and what its cells mean.

use serde::{Deserialize, Serialize};

/// How a table is read. A model keeps it, so that other rows are read in the same way.
///
/// | field | default | meaning |
/// |---|---|---|
/// | `delimiter` | found | the character between the fields of a CSV; a blank stands for any run of blanks and tabs |
/// | `header` | true | the first line names the columns; without names they are `column1`, `column2`, … |
/// | `decimal` | point | what stands before the decimals of a number |
/// | `thousands` | none | what stands between groups of three digits |
/// | `strip` | none | texts that are taken off the ends of cells before they are read as numbers: `$`, `%`, `kg` |
/// | `missing` | none | what stands for a missing value, beside an empty cell, `NA`, `N/A`, `NaN` and `null` |
/// | `comment` | none | a line that begins with it is no row |
/// | `encoding` | UTF-8 | how letters are written; a byte-order mark of UTF-16 is seen without being told |
/// | `drop_missing_rows` | false | a row with an empty cell is left out and counted; otherwise it is an error |
/// | `unseen` | refused | what becomes of a level that the design does not know |
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reading {
    /// The character between fields; absent: the most frequent of `,` `;` tab and `|` in the first
    /// line, or blanks where there is none of them.
    pub delimiter: Option<u8>,
    /// Whether the first line names the columns.
    pub header: bool,
    /// What stands before decimals.
    pub decimal: DecimalMark,
    /// What stands between groups of three digits; a blank stands for non-breaking and thin ones
    /// too, an apostrophe for the typographic one.
    pub thousands: Option<char>,
    /// Texts such as signs of currencies and units, which are taken off the ends of cells before
    /// these are read as numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub strip: Vec<String>,
    /// Texts and numbers that stand for a missing value.
    pub missing: Vec<String>,
    /// The character that begins a comment line.
    pub comment: Option<u8>,
    /// How letters are written.
    pub encoding: TextEncoding,
    /// Whether rows with an empty cell are left out.
    pub drop_missing_rows: bool,
    /// What becomes of an unknown level; absent: it is refused.
    pub unseen: Option<Unseen>,
}

impl Default for Reading {
    fn default() -> Self {
        Reading {
            delimiter: None,
            header: true,
            decimal: DecimalMark::Point,
            thousands: None,
            strip: Vec::new(),
            missing: Vec::new(),
            comment: None,
            encoding: TextEncoding::Utf8,
            drop_missing_rows: false,
            unseen: None,
        }
    }
}

/// What stands before the decimals of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecimalMark {
    /// 1.5
    #[default]
    Point,
    /// 1,5
    Comma,
}

/// How letters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextEncoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// ISO 8859-1, with the letters of Windows-1252 in the place of control characters.
    Latin1,
    /// UTF-16 of either order of bytes; the lower byte comes first where no mark says so.
    Utf16,
}

/// What becomes of a row with a level that the design does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unseen {
    /// It is an error.
    #[default]
    Refuse,
    /// The level counts as the baseline of its column.
    Baseline,
    /// The row is left out, as if the cell were empty.
    Missing,
}

impl Reading {
    /// What becomes of an unknown level.
    pub(super) fn unseen(&self) -> Unseen {
        self.unseen.unwrap_or_default()
    }
}
