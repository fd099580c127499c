//! What the columns of the table became.

use wd_page::number::count;
use wd_page::{Content, Section, Table, counted};

use crate::fit::TableSummary;

/// How much was read.
pub(super) fn size(table: &TableSummary) -> String {
    format!(
        "{}: {}; {} of the design.",
        table.name(),
        counted(count(table.findings.rows), "row"),
        counted(count(table.design.width() as u64), "column")
    )
}

/// What a terminal shows of the table.
pub(super) fn section(summary: &TableSummary, has_intercept: bool) -> Section {
    let mut contents = vec![Content::Paragraph(size(summary)), Content::Table(columns(summary))];
    contents.extend(summary.remarks(has_intercept).into_iter().map(Content::Paragraph));
    contents.push(Content::Paragraph(summary.used()));
    Section::terminal(contents)
}

/// Every column, with its type and its use.
pub(super) fn columns(summary: &TableSummary) -> Table {
    let mut table = Table::new(&["column", "type", "use"], 3);
    table.rows = summary.columns().into_iter().map(Vec::from).collect();
    table
}
