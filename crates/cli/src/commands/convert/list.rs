//! The library table, as `wd convert --list` shows it.

use std::{fmt::Write, process::ExitCode};

use super::{CommandError, Convention, KeyDefault, LibraryEntry, Method, json, library, text};

/// Shows the whole table, the entries of one library, or one entry in full.
pub(super) fn show(words: &[String], as_json: bool) -> Result<ExitCode, CommandError> {
    let entries: Vec<&LibraryEntry> = match words {
        [] => library::entries().collect(),
        [name] => {
            let of_library: Vec<&LibraryEntry> = library::entries()
                .filter(|entry| entry.name.split('.').next() == Some(name.as_str()))
                .collect();
            if of_library.is_empty() { vec![library::find(name)?] } else { of_library }
        }
        [_, extra, ..] => {
            return Err(CommandError::usage(
                format!("--list takes one name, and `{extra}` is one more"),
                "write wd convert --list torch, or wd convert --list torch.AdamW",
            ));
        }
    };
    if as_json {
        println!("{}", json!(entries));
        return Ok(ExitCode::SUCCESS);
    }
    match entries.as_slice() {
        [entry] => print!("{}", full(entry)),
        entries => print!("{}", table(entries)),
    }
    Ok(ExitCode::SUCCESS)
}

fn table(entries: &[&LibraryEntry]) -> String {
    let rows: Vec<Vec<String>> = entries
        .iter()
        .flat_map(|entry| {
            entry.variants.iter().enumerate().map(|(index, variant)| {
                let first = |text: &str| {
                    if index == 0 { text.to_owned() } else { String::new() }
                };
                vec![
                    first(entry.name),
                    switches(variant.switches),
                    match variant.convention {
                        Convention::Step { rule, .. } => rule.name().to_owned(),
                        Convention::Penalty { .. } => "objective".to_owned(),
                    },
                    variant.equation.to_owned(),
                    first(method(entry)),
                ]
            })
        })
        .collect();
    let mut out = text::table(&["entry", "with", "rule", "what λ does", "known from"], &rows, &[]);
    out.push_str("\nwd convert --list NAME shows an entry's keys, defaults, decayed tensors, quirks and source.\n");
    out
}

/// `decouple_lr=true`, for a variant that is not the default.
fn switches(switches: &[(&str, bool)]) -> String {
    let words: Vec<String> = switches.iter().map(|(key, on)| format!("{key}={on}")).collect();
    words.join(" ")
}

fn method(entry: &LibraryEntry) -> &'static str {
    match entry.checked.method {
        Method::Golden => "run",
        Method::Source => "source",
    }
}

/// How the table knows an entry.
pub(super) fn checked(entry: &LibraryEntry) -> String {
    let how = match entry.checked.method {
        Method::Golden => "run and followed within 1e-6",
        Method::Source => "read, not run",
    };
    format!("{}, {how}: {}", entry.checked.version, entry.checked.source)
}

fn full(entry: &LibraryEntry) -> String {
    let mut lines = vec![("entry", entry.name.to_owned())];
    if !entry.aliases.is_empty() {
        lines.push(("also", entry.aliases.join(", ")));
    }
    for variant in entry.variants {
        lines.push(("λ does", variant.equation.to_owned()));
        if !variant.switches.is_empty() {
            lines.push(("", format!("with {}", switches(variant.switches))));
        }
        lines.push(("", variant.call.to_owned()));
    }
    let keys: Vec<String> = entry
        .keys
        .iter()
        .map(|key| {
            let default = match key.default {
                KeyDefault::Required => "must be given".to_owned(),
                KeyDefault::Number(number) => wd_page::number::short(number),
                KeyDefault::Switch(on) => on.to_string(),
            };
            let common = key.meaning.name();
            let other = if common == key.name || common == "switch" {
                String::new()
            } else {
                format!(", also {common}")
            };
            format!("{} ({default}{other})", key.name)
        })
        .collect();
    lines.push(("keys", keys.join(", ")));
    lines.push(("decays", entry.decays.to_owned()));
    for (index, quirk) in entry.quirks.iter().enumerate() {
        lines.push((if index == 0 { "mind" } else { "" }, (*quirk).to_owned()));
    }
    lines.push(("known from", checked(entry)));
    let mut out = String::new();
    for (name, value) in lines {
        let pad = " ".repeat(12usize.saturating_sub(name.chars().count()));
        let _infallible = writeln!(out, "{name}{pad}{value}");
    }
    out
}
