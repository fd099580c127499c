//! Tables as HTML, and the numbers behind a figure as an address that a browser saves.

use std::fmt::Write as _;

use crate::markup::Markup;
use crate::{Csv, Table};

/// The table, in a box that scrolls sideways when the page is narrow.
pub(super) fn table(table: &Table) -> String {
    let class = |column: usize| if column < table.words { "word" } else { "number" };
    let mut out = Markup::default();
    out.open("div", &[("class", "scroll"), ("tabindex", "0")]).open("table", &[]);
    out.open("thead", &[]).open("tr", &[]);
    for (index, name) in table.columns.iter().enumerate() {
        out.element("th", &[("scope", "col"), ("class", class(index))], name);
    }
    out.close().close_line().open("tbody", &[]);
    for row in &table.rows {
        out.open("tr", &[]);
        for (index, cell) in row.iter().enumerate() {
            if index == 0 {
                out.prose("th", &[("scope", "row"), ("class", class(0))], cell);
            } else if index < table.words {
                out.prose("td", &[("class", "word")], cell);
            } else {
                // Nearly all cells: without a class the page is a good deal smaller.
                out.element("td", &[], cell);
            }
        }
        out.close_line();
    }
    out.finish()
}

/// The file as a `data:` address, which a browser can save without a server.
pub(super) fn data_uri(csv: &Csv) -> String {
    let mut uri = String::from("data:text/csv;charset=utf-8,");
    for character in csv.text().chars() {
        // Browsers encode what is not ASCII themselves; the other characters would end the address
        // or be lost on the way.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_escaped() {
        let hostile = Table { columns: vec!["<a>".into()], rows: vec![vec!["&".into()]], words: 1 };
        let html = table(&hostile);
        assert!(html.contains("&lt;a&gt;") && html.contains("&amp;"), "{html}");
    }

    #[test]
    fn a_data_address_encodes_what_would_end_it() {
        let mut csv = Csv::new(&["arm", "loss"]);
        csv.row(&["λ=0, \"cosine\"".into(), 3.5.into()]);
        assert_eq!(
            data_uri(&csv),
            "data:text/csv;charset=utf-8,arm,loss%0A%22λ=0,%20%22%22cosine%22%22%22,3.5%0A"
        );
    }
}
