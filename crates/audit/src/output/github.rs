//! Findings as annotations of a GitHub workflow.

use crate::Audit;
use crate::finding::{Finding, Severity};

/// One line for each finding, which GitHub shows beside the file. GitHub shows ten lines of each
/// kind a step; a rule makes one finding a file, so that is seldom met.
///
/// The form is `::error file=F,line=N,title=T::message`.
pub fn annotations(audit: &Audit) -> String {
    audit.findings.iter().map(annotation).collect()
}

fn annotation(finding: &Finding) -> String {
    let kind = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let file = property(&finding.place.file.display().to_string());
    let line = finding.place.line.map(|line| format!(",line={line}")).unwrap_or_default();
    let title = property(&format!("{} {}", finding.rule, finding.name));
    let words = message(&format!("{} {}", finding.message, finding.fix));
    format!("::{kind} file={file}{line},title={title}::{words}\n")
}

/// A message with what would end it escaped.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property, which commas and colons would end too.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Place;

    #[test]
    fn what_would_end_an_annotation_is_escaped() {
        let finding = Finding {
            rule: "S02",
            name: "norm-slipped-in",
            severity: Severity::Warning,
            place: Place { file: "a,b:c.yaml".into(), line: Some(3) },
            message: "50 %\nof it".to_owned(),
            fix: "Mend it.".to_owned(),
            tensors: Vec::new(),
        };
        assert_eq!(
            annotation(&finding),
            "::warning file=a%2Cb%3Ac.yaml,line=3,title=S02 norm-slipped-in::50 %25%0Aof it Mend \
             it.\n"
        );
    }
}
