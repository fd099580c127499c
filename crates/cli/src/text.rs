//! Numbers and tables as a person reads them.

use wd_page::number;

/// 1 → "1 step", 3 → "3 steps".
pub(crate) fn counted(count: u64, noun: &str) -> String {
    wd_page::counted(number::count(count), noun)
}

/// A table with aligned columns; the columns of `right` are numbers.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>], right: &[usize]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (column, cell) in cells.enumerate() {
            let pad = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
            if right.contains(&column) {
                text.push_str(&pad);
                text.push_str(cell);
            } else {
                text.push_str(cell);
                text.push_str(&pad);
            }
            text.push_str("  ");
        }
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(&mut header.iter().copied());
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align() {
        let rows =
            vec![vec!["a".to_owned(), "1".to_owned()], vec!["bb".to_owned(), "10".to_owned()]];
        assert_eq!(table(&["x", "n"], &rows, &[1]), "x    n\na    1\nbb  10\n");
    }
}
