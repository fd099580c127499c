//! Cells that do not fit the numbers or dates of their column: counted and quoted.

use super::error::TableOption;
use super::raw::Place;
use super::spelling::Spellings;
use crate::counted::counted;

/// What is wrong with an infinite cell.
pub(super) const INFINITE: &str =
    "holds an infinite number; if that stands for a missing value, declare it with `missing`";

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
    /// Those that are numbers in another spelling.
    spellings: Spellings,
}

impl Odd {
    /// Counts a cell; without a place where it is not known any more.
    pub(super) fn add(&mut self, text: &[u8], times: u64, place: Option<Place>) {
        self.count += times;
        let label = shown(text);
        self.spellings.see(text, times, &label);
        match self.quoted.iter().position(|(known, _, _)| *known == label) {
            Some(index) => self.quoted[index].1 += times,
            None if self.quoted.len() < QUOTED => self.quoted.push((label, times, place)),
            None => self.has_more = true,
        }
    }

    /// What is wrong with a column of `cells` that are not empty, and what mends it.
    pub(super) fn problem(&self, cells: u64, what: &str) -> (String, &'static [TableOption]) {
        if let Some(found) = self.spellings.problem(self.count, cells) {
            return found;
        }
        let of = some_of(self.count, cells);
        let are_none = match self.count {
            1 => format!("is no {}", what.strip_suffix('s').unwrap_or(what)),
            _ => format!("are no {what}"),
        };
        let problem = format!(
            "{of} {are_none}: {}; declare what stands for a missing value with `missing`, or \
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

/// How many of a column's cells, in words.
pub(super) fn some_of(count: u64, cells: u64) -> String {
    match count == cells && cells > 1 {
        true => "its cells".to_owned(),
        false => format!("{count} of its {}", counted(cells, "cell")),
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
