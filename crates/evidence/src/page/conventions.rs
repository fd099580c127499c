//! The same fit in other libraries, and what became of the columns.

use super::EvidenceAnalysis;
use wd_page::{Content, Section, Table};

pub(super) fn section(analysis: &EvidenceAnalysis) -> Section {
    let mut contents = Vec::new();
    if !analysis.conventions.is_empty() {
        let mut table = Table::new(&["library", "its λ", "call"], 3);
        for convention in &analysis.conventions {
            table.rows.push(vec![
                convention.library.clone(),
                convention.setting.clone(),
                convention.call.clone(),
            ]);
        }
        contents.push(Content::Table(table));
    }
    if !analysis.columns.is_empty() {
        let mut table = Table::new(&["column of the table", "what it became"], 2);
        for (name, use_of) in &analysis.columns {
            table.rows.push(vec![name.clone(), use_of.clone()]);
        }
        contents.push(Content::Heading("The columns".to_owned()));
        contents.push(if table.rows.len() <= 30 {
            Content::Table(table)
        } else {
            Content::More(format!("All {} columns", table.rows.len()), vec![Content::Table(table)])
        });
    }
    Section::full("conventions", "The same fit elsewhere", contents).named("Elsewhere")
}
