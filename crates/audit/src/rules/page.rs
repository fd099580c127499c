//! The page of a rule: on a terminal, as HTML, and as a page of the book.

use wd_page::words::capitalised;
use wd_page::{Content, Page, Section};

use super::{RULES, Rule};

impl Rule {
    /// The page that explains the rule.
    pub fn page(&self) -> Page {
        let mut sections = vec![
            Section::new("why", "Why it matters", contents(self.why)),
            Section::new("seen", "How it is seen", contents(self.seen)),
            Section::new("mend", "How to mend it", contents(self.mend)),
            Section::new("no-fault", "When it is no fault", contents(self.no_fault)),
        ];
        if !self.cases.is_empty() {
            let cases = Content::Paragraph(format!("{}.", self.cases.join(", ")));
            sections.push(Section::new("cases", "Seen in public", vec![cases]));
        }
        Page {
            kind: "A rule of the audit",
            title: format!("{} {}", self.id, self.name),
            lead: self.finds.to_owned(),
            facts: vec![
                ("rule".to_owned(), self.id.to_owned()),
                ("severity".to_owned(), self.severity.to_string()),
            ],
            sections,
            ..Page::default()
        }
    }

    /// The same as a page of the book, in Markdown.
    pub fn markdown(&self) -> String {
        let severity = capitalised(&self.severity.to_string());
        let mut text = format!("# {} {}\n\n*{severity}.* {}\n", self.id, self.name, self.finds);
        for (heading, body) in [
            ("Why it matters", self.why),
            ("How it is seen", self.seen),
            ("How to mend it", self.mend),
            ("When it is no fault", self.no_fault),
        ] {
            text.push_str(&format!("\n## {heading}\n"));
            for part in contents(body) {
                match part {
                    Content::Formulas(lines) => {
                        text.push_str(&format!("\n```python\n{}\n```\n", lines.join("\n")));
                    }
                    Content::Paragraph(words) => text.push_str(&format!("\n{words}\n")),
                    _ => {}
                }
            }
        }
        if !self.cases.is_empty() {
            text.push_str(&format!("\n## Seen in public\n\n{}.\n", self.cases.join(", ")));
        }
        text
    }
}

/// All rules, a line or two each.
pub fn list() -> Page {
    let facts = RULES.iter().map(|rule| {
        let name = format!("{} {}", rule.id, rule.severity);
        (name, format!("{}: {}", rule.name, rule.finds))
    });
    Page {
        kind: "The rules of the audit",
        title: "What `wd audit` looks for".to_owned(),
        lead: format!(
            "There are {} rules; `wd audit --explain ID` shows the page of one.",
            RULES.len()
        ),
        sections: vec![Section::new("rules", "Rules", vec![Content::Facts(facts.collect())])],
        ..Page::default()
    }
}

/// Paragraphs and code: paragraphs are parted by blank lines, and code is indented by four spaces.
fn contents(text: &str) -> Vec<Content> {
    let part = |part: &str| {
        let code: Option<Vec<String>> =
            part.lines().map(|line| line.strip_prefix("    ").map(str::to_owned)).collect();
        code.map_or_else(|| Content::Paragraph(part.to_owned()), Content::Formulas)
    };
    text.split("\n\n").map(part).collect()
}
