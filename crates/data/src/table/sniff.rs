//! What the first rows of a file show of a column of texts.

use super::dates::Orders;
use super::field::{CommaNumber, Field};
use super::odd::shown;
use super::raw::{Column, Kind};

/// Types are inferred from this many rows at most.
pub(super) const INFERRED_ROWS: usize = 4096;

/// What the first rows show of a column.
pub(super) struct Sniffed {
    numbers: u64,
    /// Numbers but for a comma.
    with_commas: u64,
    texts: u64,
    orders: Orders,
    example: String,
}

impl Sniffed {
    pub(super) fn new() -> Self {
        Sniffed {
            numbers: 0,
            with_commas: 0,
            texts: 0,
            orders: Orders::new(),
            example: String::new(),
        }
    }

    pub(super) fn see(&mut self, field: Field<'_>) {
        match field {
            Field::Number(_) | Field::Infinite => self.numbers += 1,
            Field::Missing => {}
            Field::Text(text) => {
                match CommaNumber::read(text) {
                    Some(_) => self.with_commas += 1,
                    None => self.texts += 1,
                }
                if self.orders.is_date() {
                    self.orders.see(text);
                }
                if self.example.is_empty() {
                    self.example = shown(text);
                }
            }
        }
    }

    /// A column is of numbers where most of its cells are, so that a few others in it are errors
    /// and not a hundred levels.
    pub(super) fn column(self, name: String) -> Column {
        let like_numbers = self.numbers + self.with_commas;
        let is_empty = like_numbers + self.texts == 0;
        let is_numeric = is_empty || like_numbers > self.texts;
        let is_date = like_numbers == 0 && self.texts > 0 && self.orders.is_date();
        Column {
            name,
            kind: if is_numeric { Kind::Number } else { Kind::Category },
            unreadable: None,
            is_doubtful: is_numeric && (is_empty || self.with_commas + self.texts > 0),
            is_empty,
            example: self.example,
            dates: is_date.then_some(self.orders),
        }
    }
}
