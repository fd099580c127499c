//! What may be wrong: one line a finding.

use wd_page::number::counted;
use wd_page::{Content, Section, Table};

use crate::Audit;
use crate::finding::Finding;

/// Names of tensors that are listed under a finding before the rest is counted.
const MOST_NAMES: usize = 60;

pub(super) fn section(audit: &Audit) -> Option<Section> {
    let aside = audit.set_aside.len();
    if audit.findings.is_empty() && aside == 0 {
        return None;
    }
    let mut contents: Vec<Content> = audit.findings.iter().flat_map(finding).collect();
    if aside > 0 {
        contents.push(Content::Paragraph(format!(
            "{} set aside, by a comment `# wd: ignore` or by the baseline.",
            counted(aside as u64, "finding")
        )));
    }
    Some(Section::new("findings", "What may be wrong", contents))
}

fn finding(finding: &Finding) -> Vec<Content> {
    let mut contents = vec![Content::Warning {
        reason: format!(
            "{} {} ({}, {}): {}",
            finding.severity,
            finding.rule,
            finding.name,
            super::name(&finding.place.file),
            finding.message
        ),
        fix: finding.fix.clone(),
    }];
    if finding.tensors.len() > 3 {
        let mut table = Table::new(&["tensor"], 1);
        table.rows =
            finding.tensors.iter().take(MOST_NAMES).map(|name| vec![name.clone()]).collect();
        let name = match finding.tensors.len() {
            all if all > MOST_NAMES => format!("The first {MOST_NAMES} of {all} tensors"),
            all => format!("The {}", counted(all as u64, "tensor")),
        };
        contents.push(Content::More(name, vec![Content::Table(table)]));
    }
    contents
}
