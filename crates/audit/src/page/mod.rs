//! The page of an audit: the verdict first, then what may be wrong, then what is there.

mod conventions;
mod figures;
mod files;
mod findings;
mod lead;
mod proof;
mod tensors;

use wd_page::{Context, Page};

use crate::Audit;
use crate::summary::FileSummary;

impl Audit {
    /// The audit as a page; the context's commands are those that make it again.
    pub fn page(&self, context: &Context) -> Page {
        let mut sections = Vec::new();
        sections.extend(findings::section(self));
        sections.extend(proof::sections(self));
        sections.extend(files::sections(self));
        sections.extend(tensors::section(self));
        sections.extend(conventions::section(self));
        sections.extend(context.sections());
        Page {
            kind: "Was weight decay applied?",
            title: title(self),
            lead: lead::lead(self),
            regime: lead::regime(self),
            facts: lead::facts(self),
            sections,
        }
    }
}

fn title(audit: &Audit) -> String {
    let names: Vec<String> = audit.files.iter().map(|file| name(&file.path)).collect();
    match names.as_slice() {
        [] => "Configuration".to_owned(),
        [one] => one.clone(),
        [first, second] => format!("{first} and {second}"),
        [first, .., last] => format!("{first} … {last}"),
    }
}

/// The file that the page speaks of where it speaks of one: the last with an optimizer, which says
/// what decays, else the last. Groups that changed between files are findings of their own.
fn main_file(audit: &Audit) -> Option<&FileSummary> {
    let with_groups = audit.files.iter().rev().find(|file| !file.optimizers.is_empty());
    with_groups.or(audit.files.last())
}

/// The last part of a path, which is what people call a file.
fn name(path: &std::path::Path) -> String {
    let last = path.file_name().unwrap_or(path.as_os_str());
    last.to_string_lossy().into_owned()
}
