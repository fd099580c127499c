//! What a rule found, where, and how sure it is.

use std::path::PathBuf;

use serde::Serialize;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// How much a finding matters. The order is that of severity.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Display,
    IntoStaticStr,
    EnumString,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably not what was meant.
    Warning,
    /// What was declared is not what is applied, or cannot be.
    Error,
}

/// Where a finding is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, as the user named it or as found below what the user named.
    pub file: PathBuf,
    /// Line from 1, where the file is text.
    pub line: Option<usize>,
}

impl Place {
    /// A file as a whole.
    pub fn file(file: impl Into<PathBuf>) -> Self {
        Place { file: file.into(), line: None }
    }
}

/// One finding of one rule. A rule makes one for each file, not one for each tensor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Identifier of the rule, for example `D01`.
    pub rule: &'static str,
    /// Name of the rule, for example `declared-mismatch`.
    pub name: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Where it is seen.
    pub place: Place,
    /// What was found, with the numbers: one full sentence.
    pub message: String,
    /// What to do about it: one full sentence.
    pub fix: String,
    /// The tensors it is about, in the order of the file.
    pub tensors: Vec<String>,
}
