//! Findings that are known and do not count.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::fingerprint::fingerprint;
use crate::AuditError;
use crate::finding::Finding;

/// A list of known findings, as a file beside the configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The known findings.
    findings: Vec<Known>,
}

/// A known finding; what is beside its fingerprint is for those who read the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    fingerprint: String,
    rule: String,
    file: String,
    message: String,
}

impl Baseline {
    /// The baseline that holds all of these findings.
    pub fn of(findings: &[Finding]) -> Self {
        let known = |finding: &Finding| Known {
            fingerprint: fingerprint(finding),
            rule: finding.rule.to_owned(),
            file: finding.place.file.display().to_string(),
            message: finding.message.clone(),
        };
        Baseline { findings: findings.iter().map(known).collect() }
    }

    /// Reads a baseline.
    ///
    /// # Errors
    /// If the file cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self, AuditError> {
        let io = |source| AuditError::Io { path: path.to_owned(), source };
        let text = std::fs::read_to_string(path).map_err(io)?;
        serde_json::from_str(&text).map_err(|error| AuditError::Configuration {
            path: path.to_owned(),
            line: Some(error.line()),
            reason: format!("it is no baseline of findings: {error}"),
        })
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let value = serde_json::json!(self);
        format!("{value:#}\n")
    }

    /// Whether a finding is among the known ones.
    pub fn holds(&self, finding: &Finding) -> bool {
        let own = fingerprint(finding);
        self.findings.iter().any(|known| known.fingerprint == own)
    }
}
