//! Findings as SARIF 2.1.0, which GitHub's code scanning and editors show.

use serde_json::{Value, json};

use super::fingerprint::fingerprint;
use crate::Audit;
use crate::finding::{Finding, Severity};
use crate::rules::{RULES, Rule};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// GitHub shows at most so many locations of one result.
const MOST_TENSORS: usize = 100;

/// The findings as one SARIF log, with what GitHub asks for: all rules of the program, and one result for each finding.
///
/// A checkpoint has no lines: its results stand at line 1, with the tensors as logical locations.
pub fn sarif(audit: &Audit) -> Value {
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "wd audit",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(|rule| described(rule)).collect::<Vec<_>>(),
            }},
            "results": audit.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn described(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "name": rule.name,
        "shortDescription": { "text": rule.finds },
        "fullDescription": { "text": rule.why },
        "help": { "text": rule.mend },
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

fn result(finding: &Finding) -> Value {
    let index = RULES.iter().position(|rule| rule.id == finding.rule);
    let tensors: Vec<Value> = finding
        .tensors
        .iter()
        .take(MOST_TENSORS)
        .map(|name| json!({ "fullyQualifiedName": name, "kind": "member" }))
        .collect();
    json!({
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": { "text": format!("{} {}", finding.message, finding.fix) },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": uri(finding) },
                "region": { "startLine": finding.place.line.unwrap_or(1) },
            },
            "logicalLocations": tensors,
        }],
        "partialFingerprints": { "wd/v1": fingerprint(finding) },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// The path as a relative reference: what RFC 3986 keeps for itself is percent-encoded.
fn uri(finding: &Finding) -> String {
    let path = finding.place.file.to_string_lossy();
    let mut out = String::new();
    for byte in path.trim_start_matches("./").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
