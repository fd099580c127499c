//! The same fit in other libraries, and what became of the columns.

use wd_page::number::short;
use wd_page::{Content, Section, Table};

use super::table;
use crate::fit::Analysis;

/// Columns of the table that are shown without being asked for.
const SHOWN: usize = 30;

pub(super) fn section(analysis: &Analysis) -> Section {
    let mut contents = Vec::new();
    if !analysis.conventions.is_empty() {
        let mut table = Table::new(&["library", "its λ", "call"], 3);
        for row in &analysis.conventions {
            let setting = format!("{} = {}", row.name, short(row.value));
            table.rows.push(vec![row.library.to_owned(), setting, row.call.clone()]);
        }
        contents.push(Content::Table(table));
    }
    let columns = table::columns(&analysis.table);
    if !columns.rows.is_empty() {
        contents.push(Content::Heading("The columns".to_owned()));
        contents.push(match columns.rows.len() {
            0..=SHOWN => Content::Table(columns),
            all => Content::More(format!("All {all} columns"), vec![Content::Table(columns)]),
        });
    }
    Section::full("conventions", "The same fit elsewhere", contents).named("Elsewhere")
}
