//! The page of a conversion: one target in full, or all of them in tables.

use super::outcome::{Conversion, Fidelity};
use super::report::{ConversionReport, TargetConversion};
use super::verdict::Verdict;
use wd_page::words::capitalised;
use wd_page::{Content, Page, Section, Table};

impl ConversionReport {
    /// The conversion as a page.
    pub fn page(&self) -> Page {
        let setting = &self.setting;
        let answer = match self.conversions.as_slice() {
            [TargetConversion { outcome: Ok(conversion), check, .. }] if !self.to_all => {
                Some((conversion, check.as_ref()))
            }
            _ => None,
        };
        Page {
            kind: "The same weight decay in another library",
            title: match answer {
                Some((conversion, _)) => {
                    format!("{} → {}", setting.entry.name, conversion.entry.name)
                }
                None => format!("{} in other libraries", setting.entry.name),
            },
            lead: match answer {
                Some((conversion, _)) => lead(conversion),
                None => format!("{}: {}", setting.entry.name, setting.variant.equation),
            },
            regime: self
                .defaults()
                .map_or_else(String::new, |words| format!("{}.", capitalised(&words))),
            facts: Vec::new(),
            sections: match answer {
                Some((conversion, check)) => self.in_full(conversion, check),
                None => self.tables(),
            },
        }
    }

    fn in_full(&self, conversion: &Conversion, check: Option<&Verdict>) -> Vec<Section> {
        let (from, to) = (&self.setting, conversion);
        let mut contents = vec![
            Content::fact("from", format!("{}: {}", from.entry.name, from.variant.equation)),
            Content::fact("to", format!("{}: {}", to.entry.name, to.variant.equation)),
        ];
        let sentences = conversion.reasons.iter();
        contents.extend(sentences.map(|reason| Content::Paragraph(sentence(reason))));
        let mut sections = vec![Section::new("answer", "The conversion", contents)];
        if let Some(call) = &conversion.call {
            let call = vec![
                Content::Commands(vec![call.clone()]),
                Content::fact("decays here", &from.entry.decays),
                Content::fact("decays there", &to.entry.decays),
            ];
            sections.push(Section::new("call", "To paste", call));
        }
        let mut known: Vec<Content> =
            to.entry.quirks.iter().map(|quirk| Content::fact("mind", quirk)).collect();
        known.push(Content::fact("known from", to.entry.known_from()));
        known.extend(check.map(|verdict| Content::fact("checked", verdict.to_string())));
        sections.push(Section::new("library", "The library", known));
        sections
    }

    /// A table for each answer, the best first.
    fn tables(&self) -> Vec<Section> {
        let of = |fidelity: Fidelity| {
            move |one: &&TargetConversion| {
                one.outcome.as_ref().is_ok_and(|found| found.fidelity == fidelity)
            }
        };
        let groups: [(&str, &str, Vec<&TargetConversion>); 4] = [
            ("exact", "Exact", self.conversions.iter().filter(of(Fidelity::Exact)).collect()),
            (
                "approximate",
                "Approximate",
                self.conversions.iter().filter(of(Fidelity::Approximate)).collect(),
            ),
            (
                "impossible",
                "Impossible",
                self.conversions.iter().filter(of(Fidelity::Impossible)).collect(),
            ),
            (
                "needs",
                "Needs more",
                self.conversions.iter().filter(|one| one.outcome.is_err()).collect(),
            ),
        ];
        let mut sections: Vec<Section> = groups
            .into_iter()
            .filter(|(.., group)| !group.is_empty())
            .map(|(id, heading, group)| Section::new(id, heading, vec![table(&group)]))
            .collect();
        sections.push(Section::terminal(vec![Content::Paragraph(
            "--to NAME gives the whole reason, and a call to paste.".to_owned(),
        )]));
        sections
    }
}

fn table(group: &[&TargetConversion]) -> Content {
    let writes = group.iter().any(|one| one.written().is_some());
    let checks = group.iter().any(|one| one.check.is_some());
    let mut columns = vec!["to"];
    columns.extend(writes.then_some("write"));
    columns.extend(checks.then_some("checked"));
    columns.push("because");
    let mut table = Table::new(&columns, columns.len());
    for one in group {
        let mut row = vec![one.target.entry.name.clone()];
        row.extend(writes.then(|| one.written().unwrap_or_default()));
        row.extend(checks.then(|| one.check.as_ref().map(Verdict::brief).unwrap_or_default()));
        row.push(match &one.outcome {
            Ok(conversion) => conversion.reasons.last().cloned().unwrap_or_default(),
            Err(error) => error.to_string(),
        });
        table.rows.push(row);
    }
    Content::Table(table)
}

impl TargetConversion {
    /// What to write there; absent where nothing can be.
    fn written(&self) -> Option<String> {
        let written = self.outcome.as_ref().ok()?.written();
        (!written.is_empty()).then_some(written)
    }
}

/// The answer in one sentence.
fn lead(conversion: &Conversion) -> String {
    let (name, written) = (&conversion.entry.name, conversion.written());
    match conversion.fidelity {
        Fidelity::Exact => format!("Exact: {written} in {name} is the same decay."),
        Fidelity::Approximate => format!("Approximate: {written} in {name} comes nearest."),
        Fidelity::Impossible => format!("Impossible: no number in {name} is this decay."),
    }
}

fn sentence(words: &str) -> String {
    format!("{}.", capitalised(words))
}
