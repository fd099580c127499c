//! Rows of a file column by column, before anything is made of them.

use std::fmt;

use super::dates::{DateOrder, Orders};

/// How a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// As numbers; a missing one is NaN.
    Number,
    /// As days since 1970-01-01; a missing one is NaN.
    Date(DateOrder),
    /// As texts, each for itself; a missing one is empty.
    Text,
    /// As codes of a dictionary; a missing one is [`MISSING`](super::dictionary::MISSING).
    Category,
}

/// A column as the first rows of the file, or its schema, show it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Why it cannot be read at all: nested, or of a type without an order.
    pub(super) unreadable: Option<String>,
    /// A value of a column of texts.
    pub(super) example: String,
    /// Whether the first rows show cells that are no numbers in a column of numbers, or no cell at
    /// all that is not empty.
    pub(super) is_doubtful: bool,
    /// Whether the first rows show nothing at all.
    pub(super) is_empty: bool,
    /// In which orders all of its texts are dates.
    pub(super) dates: Option<Orders>,
    /// A number of the first rows that begins with a 0 it does not need.
    pub(super) padded: Option<String>,
    /// Whether its texts are few and come again, as classes do.
    pub(super) has_classes: bool,
}

/// Values of one column.
#[derive(Debug)]
pub(super) enum RawColumn {
    Skipped,
    Numbers(Vec<f64>),
    Codes(Vec<u32>),
    Texts(Vec<String>),
}

impl RawColumn {
    pub(super) fn empty(kind: Option<Kind>) -> Self {
        match kind {
            None => RawColumn::Skipped,
            Some(Kind::Number | Kind::Date(_)) => RawColumn::Numbers(Vec::new()),
            Some(Kind::Text) => RawColumn::Texts(Vec::new()),
            Some(Kind::Category) => RawColumn::Codes(Vec::new()),
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            RawColumn::Skipped => {}
            RawColumn::Numbers(values) => values.clear(),
            RawColumn::Codes(codes) => codes.clear(),
            RawColumn::Texts(texts) => texts.clear(),
        }
    }
}

/// Some rows.
#[derive(Debug)]
pub(super) struct RawBlock {
    /// How many rows stood before these.
    pub(super) first: u64,
    pub(super) rows: usize,
    pub(super) columns: Vec<RawColumn>,
    /// The line of each row; empty for Parquet.
    pub(super) lines: Vec<u64>,
}

impl RawBlock {
    pub(super) fn new(kinds: &[Option<Kind>]) -> Self {
        RawBlock {
            first: 0,
            rows: 0,
            columns: kinds.iter().map(|kind| RawColumn::empty(*kind)).collect(),
            lines: Vec::new(),
        }
    }

    /// Where a row stands in the file.
    pub(super) fn place(&self, row: usize) -> Place {
        match self.lines.get(row) {
            Some(line) => Place::Line(*line),
            None => Place::Row(self.first + row as u64 + 1),
        }
    }
}

/// A place in a file, as a person looks it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Line of a CSV file, from 1, the header included.
    Line(u64),
    /// Row of a Parquet file, from 1.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(line) => write!(formatter, "line {line}"),
            Place::Row(row) => write!(formatter, "row {row}"),
        }
    }
}
