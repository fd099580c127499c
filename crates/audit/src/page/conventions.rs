//! What well-known trainers would have done otherwise.

use wd_page::{Content, Section, Table};

use crate::Audit;

/// Names of tensors in a row before the rest is counted.
const MOST_NAMES: usize = 4;

pub(super) fn section(audit: &Audit) -> Option<Section> {
    let file = super::main_file(audit).filter(|file| !file.conventions.is_empty())?;
    let mut table = Table::new(
        &["convention", "which tensors decay", "would also decay", "would not decay"],
        4,
    );
    for one in &file.conventions {
        table.rows.push(vec![
            one.convention.to_string(),
            one.convention.statement().to_owned(),
            names(&one.decays),
            names(&one.spares),
        ]);
    }
    let contents = vec![Content::Table(table)];
    Some(Section::full("conventions", "What other trainers would have done", contents))
}

fn names(tensors: &[String]) -> String {
    match tensors {
        [] => "the same".to_owned(),
        few if few.len() <= MOST_NAMES => few.join(", "),
        many => {
            format!("{} and {} others", many[..MOST_NAMES].join(", "), many.len() - MOST_NAMES)
        }
    }
}
