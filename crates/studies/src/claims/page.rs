//! The page in the order of the post.

use wd_page::words::capitalised;
use wd_page::{Content, Context, Page, Section, Shown, Table, number};

use super::ClaimsReport;
use super::row::{ClaimRow, Part, Verdict};

/// Names of the parts' sections for links, and in the list of contents.
const SECTIONS: [(&str, &str); 5] = [
    ("purpose", "What it is for"),
    ("prior", "As a prior"),
    ("effect", "What a prior does"),
    ("language", "Language models"),
    ("sources", "Sources"),
];

impl ClaimsReport {
    /// The page.
    pub fn page(&self, context: &Context) -> Page {
        let mut sections = vec![self.short(), self.overview()];
        for (index, part) in self.parts.iter().enumerate() {
            let (id, name) = SECTIONS.get(index).copied().unwrap_or(("more", "More"));
            sections.push(Section {
                id,
                name,
                heading: part.heading.clone(),
                contents: self.contents(part),
                shown: Shown::File,
            });
        }
        sections.push(self.errata());
        sections.extend(self.rounding());
        sections.push(self.open());
        sections.extend(context.sections());
        Page {
            kind: "Study",
            title: context.title.clone(),
            lead: self.lead(),
            regime: "small models on few data: what holds here need not hold at another size; the \
                     numbers say for which setting they are."
                .to_owned(),
            facts: Vec::new(),
            sections,
        }
    }

    /// How many claims have each verdict.
    fn lead(&self) -> String {
        let counts: Vec<String> = Verdict::ALL
            .iter()
            .filter_map(|verdict| {
                let count = self.rows().filter(|row| row.finding.verdict == *verdict).count();
                let word = match verdict {
                    Verdict::Definition if count == 1 => "a definition",
                    Verdict::Definition => "definitions",
                    other => other.name(),
                };
                (count > 0).then(|| format!("{count} {word}"))
            })
            .collect();
        format!("Of the {} claims of the post: {}.", self.rows().count(), counts.join(", "))
    }

    /// A line for each claim, for a terminal.
    fn short(&self) -> Section {
        let facts = self.rows().map(|row| {
            (format!("{:>2} {}", row.number, row.finding.verdict.name()), row.says.clone())
        });
        Section::terminal(vec![Content::Facts(facts.collect())])
    }

    /// A row for each claim, for a file. Where it is too wide the words of the post give way, which
    /// stand below once more.
    fn overview(&self) -> Section {
        let mut table = Table::new(&["claim", "verdict", "n", "what the post says"], 4);
        table.rows.extend(self.rows().map(|row| {
            vec![
                row.number.to_string(),
                row.finding.verdict.name().to_owned(),
                row.finding.n().map_or_else(|| number::MISSING.to_owned(), |n| n.to_string()),
                row.says.clone(),
            ]
        }));
        let note = "Borne out and contradicted are said only where an interval of 95 %, corrected \
                    by Holm's method where several λ are compared, or an identity says so; n is \
                    the number of paired seeds, or of draws.";
        Section::full(
            "verdicts",
            "The verdicts",
            vec![Content::Table(table), Content::Paragraph(note.to_owned())],
        )
    }

    fn contents(&self, part: &Part) -> Vec<Content> {
        let mut contents = Vec::new();
        for row in &part.rows {
            contents.push(Content::Heading(format!("{}. {}", row.number, row.says)));
            contents.push(Content::Facts(facts(row)));
            contents.push(Content::Commands(vec![row.command.clone()]));
            let own = self.figures.iter().filter(|(claim, _)| *claim == row.number);
            contents.extend(own.map(|(_, figure)| Content::from(figure.clone())));
        }
        contents
    }

    fn errata(&self) -> Section {
        let mut table = Table::new(&["the post writes", "it should be", "why", "claim"], 3);
        table.rows.extend(self.errata.iter().map(|erratum| {
            vec![
                erratum.written.to_owned(),
                erratum.right.to_owned(),
                erratum.reason.to_owned(),
                erratum.claim.to_string(),
            ]
        }));
        Section::full("errata", "Errata of the post's formulas", vec![Content::Table(table)])
            .named("Errata")
    }

    fn rounding(&self) -> Option<Section> {
        if self.rounding.is_empty() {
            return None;
        }
        let told: Vec<String> =
            self.rounding.iter().map(super::rounding::Rounding::sentence).collect();
        let words = format!(
            "The final weights of the runs under the cosine, each row of a matrix rounded to \
             integers of so many bits. What it adds to the validation loss: {}. No run was trained \
             for it.",
            told.join(". ")
        );
        let contents = vec![Content::Paragraph(words)];
        Some(
            Section::full("rounding", "Beside the post: rounding the final weights", contents)
                .named("Rounding"),
        )
    }

    /// What is undecided, and what would settle it.
    fn open(&self) -> Section {
        let open: Vec<(String, String)> = self
            .rows()
            .filter_map(|row| {
                let settle = row.finding.to_settle.as_ref()?;
                Some((format!("claim {}", row.number), settle.clone()))
            })
            .collect();
        let mut contents = match open.is_empty() {
            true => vec![Content::Paragraph("No claim is undecided.".to_owned())],
            false => vec![Content::Facts(open)],
        };
        contents.push(Content::Heading("What was not tried".to_owned()));
        contents.push(Content::Facts(
            NOT_TRIED.iter().map(|(what, how)| ((*what).to_owned(), (*how).to_owned())).collect(),
        ));
        Section::full("open", "What is open, and what would settle it", contents).named("Open")
    }

    /// Every claim, in the order of the post.
    pub fn rows(&self) -> impl Iterator<Item = &ClaimRow> {
        self.parts.iter().flat_map(|part| &part.rows)
    }
}

/// What would say more about a claim, and is no part of this study.
const NOT_TRIED: [(&str, &str); 1] = [(
    "Divergence in bf16 (31)",
    "models of 124 million parameters at a context of 1,024 (arXiv 2310.04415, figure 8): days \
         of a graphics processor.",
)];

/// A claim as names and values.
fn facts(row: &ClaimRow) -> Vec<(String, String)> {
    let finding = &row.finding;
    let mut facts = vec![
        ("verdict", capitalised(finding.verdict.name())),
        ("what was done", row.done.clone()),
        ("found", finding.found.clone()),
    ];
    if let Some(n) = finding.n() {
        facts.push(("n", n.to_string()));
    }
    if let Some(settle) = &finding.to_settle {
        facts.push(("to settle it", settle.clone()));
    }
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
