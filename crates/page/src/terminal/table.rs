//! A table in columns; words stand left, numbers right.

use textwrap::core::display_width;

use super::{Terminal, printable};
use crate::Table;

/// Between two columns, and before the first.
const GAP: &str = "  ";
/// The narrowest that a column of words is cut to.
const NARROWEST: usize = 12;

/// The first rows of a table. Where it is too wide its first column gives way to the numbers; in a
/// table of words alone the last one gives way.
pub(super) fn table(table: &Table, terminal: &Terminal) -> String {
    let rows: Vec<Vec<String>> = std::iter::once(&table.columns)
        .chain(table.rows.iter().take(terminal.rows))
        .map(|row| row.iter().map(|cell| printable(cell)).collect())
        .collect();
    let mut widths: Vec<usize> = (0..table.columns.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| display_width(cell)).max().unwrap_or(0)
        })
        .collect();
    let column = if table.words == widths.len() { widths.len().saturating_sub(1) } else { 0 };
    let all: usize = widths.iter().map(|width| width + GAP.len()).sum();
    if let Some(yielding) = widths.get_mut(column) {
        let others = all - *yielding;
        *yielding = (*yielding).min(terminal.width.saturating_sub(others).max(NARROWEST));
    }
    let mut out = String::new();
    for row in &rows {
        let wrapped = row.get(column).map_or_else(Vec::new, |cell| lines(cell, widths[column]));
        for line_number in 0..wrapped.len().max(1) {
            let shown = |number: usize, cell: &String| match (number == column, line_number) {
                (true, _) => wrapped.get(line_number).cloned().unwrap_or_default(),
                (false, 0) => cell.clone(),
                (false, _) => String::new(),
            };
            let mut line = String::new();
            for (number, cell) in row.iter().enumerate() {
                let cell = shown(number, cell);
                let pad = " ".repeat(widths[number].saturating_sub(display_width(&cell)));
                line.push_str(GAP);
                match number < table.words {
                    true => line.extend([cell, pad]),
                    false => line.extend([pad, cell]),
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

/// A cell in lines of this width: words go on in the next line, and of a single word that is too
/// long a part is shown.
fn lines(cell: &str, width: usize) -> Vec<String> {
    if display_width(cell) <= width {
        return vec![cell.to_owned()];
    }
    let options = textwrap::Options::new(width).break_words(false);
    textwrap::wrap(cell, options).iter().map(|line| cut(line, width)).collect()
}

/// The beginning of a text, with an ellipsis where something was cut. Names of tensors and paths
/// differ at their ends, so that of a single word with dots or slashes the end is kept.
fn cut(text: &str, width: usize) -> String {
    if display_width(text) <= width {
        return text.to_owned();
    }
    let is_name = text.contains(['.', '/']) && !text.contains(char::is_whitespace);
    match is_name {
        true => {
            let end: String = beginning(text.chars().rev(), width).chars().rev().collect();
            format!("…{end}")
        }
        false => beginning(text.chars(), width) + "…",
    }
}

/// The first letters, to one column less than `width`.
fn beginning(letters: impl Iterator<Item = char>, width: usize) -> String {
    let mut kept = String::new();
    for letter in letters {
        kept.push(letter);
        if display_width(&kept) >= width {
            kept.pop();
            break;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_the_first_gives_way() {
        let mut rows = Table::new(&["x", "n"], 1);
        rows.rows = vec![
            vec!["a".to_owned(), "1".to_owned()],
            vec!["a long name of something".to_owned(), "10".to_owned()],
        ];
        assert_eq!(
            table(&rows, &Terminal::plain()),
            "  x                          n\n  a                          1\n  a long name of \
             something  10\n"
        );
        let narrow = table(&rows, &Terminal { width: 20, ..Terminal::plain() });
        let expected =
            "  x                n\n  a                1\n  a long name of  10\n  something\n";
        assert_eq!(narrow, expected);
    }

    #[test]
    fn a_name_keeps_its_end() {
        let mut rows = Table::new(&["tensor", "λ"], 1);
        rows.rows = vec![vec!["transformer.h.11.attn.c_attn.weight".to_owned(), "0.1".to_owned()]];
        let narrow = table(&rows, &Terminal { width: 28, ..Terminal::plain() });
        assert_eq!(narrow, "  tensor                   λ\n  …1.attn.c_attn.weight  0.1\n");
    }

    #[test]
    fn a_table_of_words_goes_on_in_the_next_line_at_its_end() {
        let mut words = Table::new(&["to", "because"], 2);
        words.rows = vec![vec!["optax.adamw".to_owned(), "both decay by one rule".to_owned()]];
        let narrow = table(&words, &Terminal { width: 30, ..Terminal::plain() });
        let expected =
            "  to           because\n  optax.adamw  both decay by\n               one rule\n";
        assert_eq!(narrow, expected);
    }
}
