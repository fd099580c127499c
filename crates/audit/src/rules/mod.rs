//! What may be wrong, a file a rule.
//!
//! A rule looks at all evidence ([`Case`]) and reports at most one [`Finding`] a file. Adding one
//! is adding a file and its line in [`RULES`].
//!
//! | file | question it answers |
//! |---|---|
//! | `d01` … `d08` | is what was declared what the optimizer holds? |
//! | `s01` … `s12` | do the right tensors decay? |
//! | `n01` … `n06` | do the numbers allow it? |
//! | `t01` … `t03` | does λ act, and not too much, over the run? |
//! | `r01` … `r04` | did it survive a resume? |
//! | `f01` … `f06` | what do the weights themselves show? |
//! | `evidence` | what do rules ask of the evidence? |
//! | `words` | how are tensors and numbers named? |
//! | `page` | how is a rule explained? |
//! | `selection` | which rules does a person mean? |

#[cfg(test)]
mod clean;
mod d01_declared_mismatch;
mod d02_declared_but_zero;
mod d03_unknown_decay_key;
mod d04_library_default;
mod d05_rule_against_name;
mod d06_decayed_twice;
mod d07_scaled_by_batch;
mod d08_stale_schedule;
mod evidence;
mod f01_dead_rows_shrunk;
mod f02_frozen_decays;
mod f03_applied_not_declared;
mod f04_wrong_sign;
mod f05_other_rule;
mod f06_equilibrium;
mod n01_bf16_swallow;
mod n02_fp32_quantum;
mod n03_state_underflow;
mod n04_jumpy_dead_rows;
mod n05_eight_bit_state;
mod n06_not_finite;
mod page;
mod r01_resume_overrode;
mod r02_shard_lost_keys;
mod r03_clocks_disagree;
mod r04_order_changed;
mod s01_everything_decays;
mod s02_norm_slipped_in;
mod s03_empty_group;
mod s04_groups_swapped;
mod s05_embedding_regression;
mod s06_special_tensor_decays;
mod s07_flat_parameters;
mod s08_missing_from_groups;
mod s09_decayed_on_paper;
mod s10_convention_difference;
mod s11_tied_head;
mod s12_adapter_decay;
mod selection;
mod t01_inert;
mod t02_off_law;
mod t03_overshoot;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod words;

pub use page::list;
pub(crate) use selection::is_named;
pub use selection::{find, select};

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
pub static RULES: &[&Rule] = &[
    &d01_declared_mismatch::RULE,
    &d02_declared_but_zero::RULE,
    &d03_unknown_decay_key::RULE,
    &d04_library_default::RULE,
    &d05_rule_against_name::RULE,
    &d06_decayed_twice::RULE,
    &d07_scaled_by_batch::RULE,
    &d08_stale_schedule::RULE,
    &s01_everything_decays::RULE,
    &s02_norm_slipped_in::RULE,
    &s03_empty_group::RULE,
    &s04_groups_swapped::RULE,
    &s05_embedding_regression::RULE,
    &s06_special_tensor_decays::RULE,
    &s07_flat_parameters::RULE,
    &s08_missing_from_groups::RULE,
    &s09_decayed_on_paper::RULE,
    &s10_convention_difference::RULE,
    &s11_tied_head::RULE,
    &s12_adapter_decay::RULE,
    &n01_bf16_swallow::RULE,
    &n02_fp32_quantum::RULE,
    &n03_state_underflow::RULE,
    &n04_jumpy_dead_rows::RULE,
    &n05_eight_bit_state::RULE,
    &n06_not_finite::RULE,
    &t01_inert::RULE,
    &t02_off_law::RULE,
    &t03_overshoot::RULE,
    &r01_resume_overrode::RULE,
    &r02_shard_lost_keys::RULE,
    &r03_clocks_disagree::RULE,
    &r04_order_changed::RULE,
    &f01_dead_rows_shrunk::RULE,
    &f02_frozen_decays::RULE,
    &f03_applied_not_declared::RULE,
    &f04_wrong_sign::RULE,
    &f05_other_rule::RULE,
    &f06_equilibrium::RULE,
];

/// All findings of the given rules.
pub fn judge(case: &Case, rules: impl IntoIterator<Item = &'static Rule>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in rules {
        (rule.check)(case, &mut Report { rule, findings: &mut findings });
    }
    findings
}
