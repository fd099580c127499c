//! What the first rows of a file show of a column of texts.

use super::dates::Orders;
use super::field::{Cells, Field};
use super::odd::shown;
use super::raw::{Column, Kind};
use super::spelling::Spelling;

/// Types are inferred from this many rows at most.
pub(super) const INFERRED_ROWS: usize = 4096;
/// Classes have no more different texts than these.
const MOST_CLASSES: usize = 20;

/// What the first rows show of a column.
pub(super) struct Sniffed {
    numbers: u64,
    /// Numbers in another spelling than the one that is declared.
    spelt: u64,
    texts: u64,
    /// Different texts, as long as there are few.
    different: Vec<Vec<u8>>,
    orders: Orders,
    example: String,
    /// A number that begins with a needless 0.
    padded: Option<String>,
}

impl Sniffed {
    pub(super) fn new() -> Self {
        Sniffed {
            numbers: 0,
            spelt: 0,
            texts: 0,
            different: Vec::new(),
            orders: Orders::new(),
            example: String::new(),
            padded: None,
        }
    }

    pub(super) fn see(&mut self, cells: &Cells, field: &[u8]) {
        match cells.read(field) {
            Field::Number(_) | Field::Infinite => {
                self.numbers += 1;
                let digits = field.trim_ascii();
                if self.padded.is_none() && is_padded(digits) {
                    self.padded = Some(shown(digits));
                }
            }
            Field::Missing => {}
            Field::Text(text) => {
                match Spelling::read(text) {
                    Some(_) => self.spelt += 1,
                    None => self.texts += 1,
                }
                if self.different.len() <= MOST_CLASSES
                    && !self.different.iter().any(|known| known == text)
                {
                    self.different.push(text.to_vec());
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
        let like_numbers = self.numbers + self.spelt;
        let is_empty = like_numbers + self.texts == 0;
        let is_numeric = is_empty || like_numbers > self.texts;
        let is_date = like_numbers == 0 && self.texts > 0 && self.orders.is_date();
        let (different, texts) = (self.different.len(), self.texts + self.spelt);
        Column {
            name,
            kind: if is_numeric { Kind::Number } else { Kind::Category },
            unreadable: None,
            is_doubtful: is_numeric && (is_empty || self.spelt + self.texts > 0),
            is_empty,
            example: self.example,
            dates: is_date.then_some(self.orders),
            padded: self.padded.filter(|_| is_numeric),
            has_classes: different <= 3
                || (different <= MOST_CLASSES && different as u64 * 2 <= texts),
        }
    }
}

/// Whether digits begin with a 0 that a number does not need: they are most likely a name, such as
/// a post code.
fn is_padded(digits: &[u8]) -> bool {
    digits.len() > 1 && digits[0] == b'0' && digits.iter().all(u8::is_ascii_digit)
}
