//! What well-known trainers would have done otherwise.

use wd_page::{Content, Section, Table};

use crate::Audit;
use crate::convention::{Convention, DecayedKind};

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
    let contents = vec![kinds(&file.decayed_kinds), Content::Table(table)];
    Some(Section::full("conventions", "What other trainers would have done", contents))
}

/// How many tensors of each kind decay, here and under each convention.
fn kinds(kinds: &[DecayedKind]) -> Content {
    let names = Convention::ALL.iter().map(ToString::to_string);
    let columns: Vec<String> =
        ["tensors that decay".to_owned(), "here".to_owned()].into_iter().chain(names).collect();
    let mut table = Table::new(&columns.iter().map(String::as_str).collect::<Vec<_>>(), 1);
    for one in kinds {
        let of = |decayed: usize| match decayed {
            0 => "none".to_owned(),
            all if all == one.tensors => "all".to_owned(),
            some => format!("{some} of {}", one.tensors),
        };
        let mut row = vec![format!("{} ({})", one.kind, one.tensors), of(one.here)];
        row.extend(one.under.iter().map(|&decayed| of(decayed)));
        table.rows.push(row);
    }
    Content::Table(table)
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
