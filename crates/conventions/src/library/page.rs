//! The library table, and one entry of it, as pages.

use super::convention::Convention;
use super::entry::{LibraryEntry, Method};
use super::key::{KeyDefault, KeyMeaning};
use wd_page::number::short;
use wd_page::{Content, Page, Section, Table};

/// These entries as a page: one in full, several as a table.
pub fn page(entries: &[&LibraryEntry]) -> Page {
    match entries {
        [entry] => Page {
            kind: "What weight decay means in a library",
            title: entry.name.clone(),
            sections: vec![Section::new("entry", "The entry", entry.contents())],
            ..Page::default()
        },
        entries => Page {
            kind: "What weight decay means in each library",
            title: "The library table".to_owned(),
            sections: vec![
                Section::new("table", "The library table", vec![table(entries)]),
                Section::terminal(vec![Content::Paragraph(
                    "wd convert --list NAME shows an entry's keys, defaults, decayed tensors, \
                     quirks and source."
                        .to_owned(),
                )]),
            ],
            ..Page::default()
        },
    }
}

fn table(entries: &[&LibraryEntry]) -> Content {
    let columns = ["entry", "with", "rule", "known from", "what λ does"];
    let mut table = Table::new(&columns, columns.len());
    for entry in entries {
        for (index, variant) in entry.variants.iter().enumerate() {
            let first = |text: &str| if index == 0 { text.to_owned() } else { String::new() };
            table.rows.push(vec![
                first(&entry.name),
                words(&variant.switches),
                match variant.convention {
                    Convention::Step { rule, .. } => rule.name().to_owned(),
                    Convention::Penalty { .. } => "objective".to_owned(),
                },
                first(match entry.checked.method {
                    Method::Golden => "run",
                    Method::Source => "source",
                }),
                variant.equation.clone(),
            ]);
        }
    }
    Content::Table(table)
}

/// `decouple_lr=true`, for a variant that is not the default.
fn words(switches: &[(String, bool)]) -> String {
    let words: Vec<String> = switches.iter().map(|(key, on)| format!("{key}={on}")).collect();
    words.join(" ")
}

impl LibraryEntry {
    /// How the table knows it.
    pub fn known_from(&self) -> String {
        let how = match self.checked.method {
            Method::Golden => "run and followed within 1e-6",
            Method::Source => "read, not run",
        };
        format!("{}, {how}: {}", self.checked.version, self.checked.source)
    }

    fn contents(&self) -> Vec<Content> {
        let mut contents = vec![Content::fact("entry", &self.name)];
        if !self.aliases.is_empty() {
            contents.push(Content::fact("also", self.aliases.join(", ")));
        }
        for variant in &self.variants {
            contents.push(Content::fact("λ does", &variant.equation));
            if !variant.switches.is_empty() {
                contents.push(Content::fact("with", words(&variant.switches)));
            }
            contents.push(Content::Commands(vec![variant.call.clone()]));
        }
        let keys: Vec<String> = (self.keys.iter())
            .map(|key| {
                let default = match key.default {
                    KeyDefault::Required => "must be given".to_owned(),
                    KeyDefault::Number(number) => short(number),
                    KeyDefault::Switch(on) => on.to_string(),
                };
                let common = key.meaning.name();
                let is_known = common == key.name || key.meaning == KeyMeaning::Switch;
                let other = if is_known { String::new() } else { format!(", also {common}") };
                format!("{} ({default}{other})", key.name)
            })
            .collect();
        contents.push(Content::fact("keys", keys.join(", ")));
        contents.push(Content::fact("decays", &self.decays));
        contents.push(Content::fact("known from", self.known_from()));
        let quirks = self.quirks.iter();
        contents.extend(quirks.map(|quirk| Content::fact("mind", quirk)));
        contents
    }
}
