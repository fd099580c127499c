//! What an import read, as a page: the settings that vary, the curves, the runs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wd_lab::record::Recording;
use wd_page::{Content, Page, Section, Table, counted, number};
use wd_store::Status;

use crate::{Format, Import};

/// An import in short, as `--json` prints it.
#[derive(Debug, Clone, Serialize)]
pub struct Overview {
    /// The format.
    pub format: Format,
    /// What its names mean.
    pub recording: Recording,
    /// Runs.
    pub runs: usize,
    /// Runs that finished.
    pub finished: usize,
    /// Runs that diverged.
    pub diverged: usize,
    /// Points of all curves.
    pub points: u64,
    /// Curves with the number of runs that have them.
    pub curves: BTreeMap<String, usize>,
    /// Settings that vary, with their values.
    pub varying: BTreeMap<String, Vec<String>>,
}

impl Import {
    /// The import in short.
    pub fn overview(&self) -> Overview {
        let count = |is_one: fn(&Status) -> bool| {
            self.runs.iter().filter(|run| is_one(&run.status)).count()
        };
        let mut curves: BTreeMap<String, usize> = BTreeMap::new();
        let mut points = 0;
        for (tag, curve) in self.runs.iter().flat_map(|run| run.curves.iter()) {
            *curves.entry(tag.clone()).or_default() += 1;
            points += curve.steps.len() as u64;
        }
        Overview {
            format: self.format,
            recording: self.recording.clone(),
            runs: self.runs.len(),
            finished: count(|status| matches!(status, Status::Finished { .. })),
            diverged: count(|status| matches!(status, Status::Diverged { .. })),
            points,
            curves,
            varying: self.varying(),
        }
    }

    fn varying(&self) -> BTreeMap<String, Vec<String>> {
        let keys: BTreeSet<&String> =
            self.runs.iter().flat_map(|run| run.settings.keys()).collect();
        let mut varying = BTreeMap::new();
        for key in keys {
            let mut values: Vec<String> = Vec::new();
            for run in &self.runs {
                let value = run.settings.get(key).cloned().unwrap_or_else(|| "absent".to_owned());
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            if values.len() > 1 {
                values.sort_by(|a, b| match (a.parse::<f64>(), b.parse::<f64>()) {
                    (Ok(a), Ok(b)) => a.total_cmp(&b),
                    _ => a.cmp(b),
                });
                varying.insert(key.clone(), values);
            }
        }
        varying
    }
}

impl Overview {
    /// The page.
    pub fn page(&self) -> Page {
        let recording = &self.recording;
        let mut names = Table::new(&["what", "its name there", "values"], 2);
        let absent = || number::MISSING.to_owned();
        let seed = recording.seed.clone();
        let settings = [
            ("λ", Some(recording.lambda.clone())),
            ("peak learning rate", recording.learning_rate.clone()),
            ("seed", seed.clone()),
        ];
        for (what, key) in settings {
            let values = key.as_ref().and_then(|key| self.varying.get(key));
            let values = values.map_or_else(String::new, |values| shortened(values));
            names.rows.push(vec![what.to_owned(), key.unwrap_or_else(absent), values]);
        }
        let curves = [
            ("training loss", &recording.training, recording.training_is.words()),
            ("validation loss", &recording.validation, ""),
            ("gradient norm", &recording.gradient_norm, ""),
        ];
        for (what, tag, note) in curves {
            let note = if tag.is_some() { note } else { "" };
            let tag = tag.clone().unwrap_or_else(absent);
            names.rows.push(vec![what.to_owned(), tag, note.to_owned()]);
        }
        let mut contents = vec![Content::Table(names)];
        let others: Vec<String> = self
            .varying
            .iter()
            .filter(|(key, _)| {
                let roles = [Some(&recording.lambda), recording.learning_rate.as_ref()];
                !roles.contains(&Some(key))
                    && seed.as_ref() != Some(key)
                    && key.as_str() != Recording::RUN_NUMBER
            })
            .map(|(key, values)| format!("{key} ({})", shortened(values)))
            .collect();
        if !others.is_empty() {
            let text = format!("Settings that vary besides: {}.", others.join("; "));
            contents.push(Content::Paragraph(text));
        }
        let tags: Vec<&str> = self.curves.keys().map(String::as_str).collect();
        let more = if tags.len() > 30 { ", …" } else { "" };
        let shown = tags.get(..30).unwrap_or(&tags).join(", ");
        contents.push(Content::Paragraph(format!("Curves: {shown}{more}.")));
        contents.extend(recording.notes.iter().cloned().map(Content::Paragraph));
        Page {
            kind: "What was read",
            title: format!("Runs of {}", recording.program),
            lead: self.lead(),
            sections: vec![Section::terminal(contents)],
            ..Page::default()
        }
    }

    fn lead(&self) -> String {
        let mut lead = format!(
            "{} of {}, {} with {}",
            counted(self.runs, "run"),
            self.recording.program,
            counted(self.curves.len(), "curve"),
            counted(number::count(self.points), "point")
        );
        let unfinished = self.runs - self.finished - self.diverged;
        if self.diverged > 0 {
            lead += &format!("; {} diverged", self.diverged);
        }
        if unfinished > 0 {
            lead += &format!("; {unfinished} not finished");
        }
        lead + "."
    }
}

/// The first values of a list.
fn shortened(values: &[String]) -> String {
    let more =
        if values.len() > 8 { format!(", … {} in all", values.len()) } else { String::new() };
    let shown: Vec<&str> = values.iter().take(8).map(String::as_str).collect();
    format!("{}{more}", shown.join(", "))
}
