//! What may be wrong, a file a rule.

use crate::case::Case;
use crate::finding::{Finding, Place, Severity};

/// A rule: how it is recognised, and the page that explains it.
pub struct Rule {
    /// Identifier: a letter for the family (D declared, S set of tensors, N numerics, T timescale,
    /// R resume, F forensics) and a number.
    pub id: &'static str,
    /// Name in words joined by hyphens.
    pub name: &'static str,
    /// How much a finding matters.
    pub severity: Severity,
    /// What it finds: one sentence.
    pub finds: &'static str,
    /// Why it matters: a short paragraph.
    pub why: &'static str,
    /// From which evidence it is seen, and when it cannot be.
    pub seen: &'static str,
    /// How to mend it: a short paragraph, with a line of code where that helps.
    pub mend: &'static str,
    /// When it is no fault: what was done to keep the rule quiet there.
    pub no_fault: &'static str,
    /// Public cases, `repository#number`.
    pub cases: &'static [&'static str],
    /// Looks at all evidence, and reports.
    pub check: fn(&Case, &mut Report<'_>),
}

/// Where a rule puts what it finds.
pub struct Report<'a> {
    rule: &'static Rule,
    findings: &'a mut Vec<Finding>,
}

impl Report<'_> {
    /// Adds a finding at the rule's own severity.
    pub fn add(&mut self, place: Place, message: String, fix: String, tensors: Vec<String>) {
        let Rule { id, name, severity, .. } = *self.rule;
        self.findings.push(Finding { rule: id, name, severity, place, message, fix, tensors });
    }
}

/// All rules, in the order of their identifiers.
pub static RULES: &[&Rule] = &[];

/// All findings of the given rules.
pub fn judge<'a>(case: &Case, rules: impl IntoIterator<Item = &'a &'static Rule>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in rules {
        (rule.check)(case, &mut Report { rule, findings: &mut findings });
    }
    findings
}
