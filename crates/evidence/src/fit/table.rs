//! The table that a fit has read: its files, what its columns became, and what only all rows show.

use std::path::{Path, PathBuf};

use wd_data::table::{Design, Encoding, Findings, TargetKind};
use wd_page::counted;
use wd_page::number::{count, measured};

/// A table that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct TableSummary {
    /// Its files, sums of tables among them, as they were named.
    pub files: Vec<PathBuf>,
    /// What its columns became.
    pub design: Design,
    /// What only all rows show.
    pub findings: Findings,
}

impl TableSummary {
    /// The files, for messages.
    pub fn name(&self) -> String {
        named_together(&self.files)
    }

    /// The files without their folders.
    pub fn file_names(&self) -> String {
        let names = self.files.iter().map(|path| path.file_name().map_or(&**path, Path::new));
        named_together(&names.collect::<Vec<_>>())
    }

    /// Name, type and use of every column: targets, weights, what was left out, and what explains.
    pub fn columns(&self) -> Vec<[String; 3]> {
        let design = &self.design;
        let mut all = Vec::new();
        for target in &design.targets {
            let kind = match &target.kind {
                TargetKind::Number => "number".to_owned(),
                TargetKind::Classes { levels } => {
                    let classes = counted(count(levels.len() as u64), "class");
                    format!("{classes}: {}", first_levels(levels))
                }
            };
            all.push([target.name.clone(), kind, "target".to_owned()]);
        }
        if let Some(name) = &design.weights {
            all.push([name.clone(), "number".to_owned(), "weights".to_owned()]);
        }
        for dropped in &design.dropped {
            let role = format!("left out: {}", dropped.reason);
            all.push([dropped.name.clone(), String::new(), role]);
        }
        for feature in &design.features {
            let (kind, role) = match &feature.encoding {
                Encoding::Number { imputed: None } => ("number".to_owned(), "as it is".to_owned()),
                Encoding::Number { imputed: Some(mean) } => {
                    ("number".to_owned(), format!("empty cells are {}", measured(*mean)))
                }
                Encoding::Category { levels, .. } => {
                    let indicators = counted(count(levels.len() as u64 - 1), "indicator");
                    (
                        format!("category of {}: {}", levels.len(), first_levels(levels)),
                        format!("{indicators} beside the baseline `{}`", levels[0]),
                    )
                }
            };
            all.push([feature.name.clone(), kind, role]);
        }
        all
    }

    /// What a user may want to mend in the table, a sentence each.
    pub fn remarks(&self) -> Vec<String> {
        let names = self.design.columns();
        let Findings { constant, duplicate, numbering, .. } = &self.findings;
        let mut lines = Vec::new();
        if !constant.is_empty() {
            let columns = constant
                .iter()
                .map(|(column, value)| format!("`{}` ({})", names[*column], measured(*value)));
            lines.push(format!("Constant, so their coefficients are 0: {}.", first_words(columns)));
        }
        if !duplicate.is_empty() {
            let columns = duplicate
                .iter()
                .map(|(column, first)| format!("`{}` (`{}`)", names[*column], names[*first]));
            lines.push(format!(
                "The same in every row as another column, with which they share its weight: {}. \
                 They can be dropped.",
                first_words(columns)
            ));
        }
        if !numbering.is_empty() {
            let columns = numbering.iter().map(|column| format!("`{}`", names[*column]));
            lines.push(format!(
                "{} numbers the rows: if it is an index, drop it.",
                first_words(columns)
            ));
        }
        lines
    }
}

/// The first files of a list, and how many more there are.
pub(super) fn named_together<P: AsRef<Path>>(paths: &[P]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> =
        paths.iter().take(SHOWN).map(|path| path.as_ref().display().to_string()).collect();
    match paths.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The first of some levels.
fn first_levels(levels: &[String]) -> String {
    let shown = levels[..levels.len().min(3)].join(", ");
    match levels.len() {
        0..=3 => shown,
        _ => format!("{shown}, …"),
    }
}

/// The first of some words, and how many more there are.
fn first_words(words: impl ExactSizeIterator<Item = String>) -> String {
    const SHOWN: usize = 8;
    let more = words.len().saturating_sub(SHOWN);
    let shown = words.take(SHOWN).collect::<Vec<_>>().join(", ");
    match more {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
