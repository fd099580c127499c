//! Cells that do not fit the numbers or dates of their column: counted and quoted.

use super::error::TableOption;
use super::field::CommaNumber;
use super::raw::Place;
use crate::counted::counted;

/// Different texts that are quoted.
const QUOTED: usize = 4;
/// Letters of a cell or a name that a message shows.
const SHOWN_LETTERS: usize = 60;

/// Cells of a column that are no numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Odd {
    /// How many.
    pub(super) count: u64,
    /// The first different ones, with how often and where each stands.
    quoted: Vec<(String, u64, Option<Place>)>,
    /// Whether there are more than are quoted.
    has_more: bool,
    /// Cells that are numbers with decimal commas, and those with commas between thousands.
    decimals: u64,
    thousands: u64,
    example: Option<(String, CommaNumber)>,
}

impl Odd {
    /// Counts a cell; without a place where it is not known any more.
    pub(super) fn add(&mut self, text: &[u8], times: u64, place: Option<Place>) {
        self.count += times;
        let label = shown(text);
        match self.quoted.iter().position(|(known, _, _)| *known == label) {
            Some(index) => self.quoted[index].1 += times,
            None if self.quoted.len() < QUOTED => self.quoted.push((label, times, place)),
            None => self.has_more = true,
        }
        if let Some(number) = CommaNumber::read(text) {
            self.decimals += if number.as_decimal.is_some() { times } else { 0 };
            self.thousands += if number.as_thousands.is_some() { times } else { 0 };
            self.example.get_or_insert_with(|| (shown(text), number));
        }
    }

    /// What is wrong with a column of `cells` that are not empty, and what mends it.
    pub(super) fn problem(&self, cells: u64, what: &str) -> (String, &'static [TableOption]) {
        let of = match self.count == cells {
            true => "its cells".to_owned(),
            false => format!("{} of its {}", self.count, counted(cells, "cell")),
        };
        if let Some((example, number)) = &self.example {
            let is_decimal = self.decimals == self.count;
            let is_thousands = self.thousands == self.count;
            match (is_decimal, is_thousands, number) {
                (true, true, CommaNumber { as_decimal: Some(low), as_thousands: Some(high) }) => {
                    let problem = format!(
                        "{of} have commas, such as `{example}`: that is {high} with `thousands`, \
                         and {low} with `decimal`; say which"
                    );
                    return (problem, &[TableOption::Thousands, TableOption::Decimal]);
                }
                (true, _, _) => {
                    let problem = format!(
                        "{of} are numbers with decimal commas, such as `{example}`; say so with \
                         `decimal`"
                    );
                    return (problem, &[TableOption::Decimal]);
                }
                (_, true, _) => {
                    let problem = format!(
                        "{of} are numbers with commas between thousands, such as `{example}`; say \
                         so with `thousands`"
                    );
                    return (problem, &[TableOption::Thousands]);
                }
                _ => {}
            }
        }
        let problem = format!(
            "{of} are no {what}: {}; declare what stands for a missing value with `missing`, or \
             say with `categorical` that the column holds categories",
            self.quotes()
        );
        (problem, &[TableOption::Missing, TableOption::Categorical])
    }

    /// Texts with how often and where they stand.
    fn quotes(&self) -> String {
        let quotes = self.quoted.iter().map(|(text, count, place)| {
            let times = if *count > 1 { format!("{count} times") } else { String::new() };
            let at = match place {
                Some(place) if *count > 1 => format!("first on {place}"),
                Some(place) => format!("on {place}"),
                None => String::new(),
            };
            let words: Vec<String> = [times, at].into_iter().filter(|w| !w.is_empty()).collect();
            match words.is_empty() {
                true => format!("`{text}`"),
                false => format!("`{text}` ({})", words.join(", ")),
            }
        });
        let mut quotes: Vec<String> = quotes.collect();
        if self.has_more {
            quotes.push("and others".to_owned());
        }
        quotes.join(", ")
    }
}

/// The beginning of a text, for a message.
pub(super) fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * SHOWN_LETTERS)]);
    match text.char_indices().nth(SHOWN_LETTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
