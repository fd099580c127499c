//! Text logs, by regular expressions.
//!
//! Each line is matched against each expression. One with a group `step` gives points: every other
//! named group is a curve. One without gives settings: every named group is a setting. A pair of
//! groups `key` and `value` names the curve or setting itself. A run begins where the step goes
//! back to the first step of the run before it: one file may hold many.

use std::path::Path;
use std::sync::OnceLock;

use regex::{Captures, Regex, RegexBuilder};

use crate::ImportError;
use crate::files::Lines;
use crate::names::whole;
use crate::run::Run;

/// What well-known programs print, tried where no expression is given: modded-nanogpt, nanoGPT.
pub const KNOWN: [&str; 3] = [
    r"^step:(?P<step>\d+)/\d+ (train_loss:(?P<train_loss>\S+) )?val_loss:(?P<val_loss>\S+)",
    r"^step (?P<step>\d+): train loss (?P<train_loss>[^\s,]+), val loss (?P<val_loss>\S+)",
    r"^iter (?P<step>\d+): loss (?P<loss>[^\s,]+)",
];

/// The expressions of [`KNOWN`], compiled once: that takes longer than reading most files.
///
/// # Errors
/// None, as long as they are expressions.
pub fn known() -> Result<Vec<Regex>, ImportError> {
    static COMPILED: OnceLock<Vec<Regex>> = OnceLock::new();
    if let Some(compiled) = COMPILED.get() {
        return Ok(compiled.clone());
    }
    let compiled = compile(&KNOWN.map(str::to_owned))?;
    Ok(COMPILED.get_or_init(|| compiled).clone())
}

/// Compiles expressions.
///
/// # Errors
/// [`ImportError::Option`] when one is no regular expression, or has no named group.
pub fn compile(expressions: &[String]) -> Result<Vec<Regex>, ImportError> {
    let compiled = expressions.iter().map(|expression| {
        let problem = |problem: String| ImportError::Option { option: "regex", problem };
        let regex = RegexBuilder::new(expression)
            .size_limit(1 << 22)
            .build()
            .map_err(|error| problem(error.to_string()))?;
        match regex.capture_names().flatten().next() {
            Some(_) => Ok(regex),
            None => Err(problem(format!(
                "`{expression}` has no named group; write for example \
                 `step:(?P<step>\\d+) loss:(?P<loss>\\S+)`"
            ))),
        }
    });
    compiled.collect()
}

/// Does a line of the first part of a file match one of these?
///
/// # Errors
/// [`ImportError::Io`].
pub fn matches(path: &Path, expressions: &[Regex]) -> Result<bool, ImportError> {
    let mut lines = Lines::open(path)?;
    let mut seen = 0;
    while let Some(line) = lines.next()? {
        let line = String::from_utf8_lossy(line);
        if expressions.iter().any(|expression| expression.is_match(&line)) {
            return Ok(true);
        }
        seen += 1;
        if seen == 10_000 {
            break;
        }
    }
    Ok(false)
}

/// Reads the runs of a file; none when no line matches.
///
/// # Errors
/// [`ImportError::Io`].
pub fn read(path: &Path, expressions: &[Regex]) -> Result<Vec<Run>, ImportError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    let mut runs: Vec<Run> = Vec::new();
    let mut settings: Vec<(String, String)> = Vec::new();
    let mut first_step = None;
    let mut lines = Lines::open(path)?;
    while let Some(line) = lines.next()? {
        let line = String::from_utf8_lossy(line);
        for expression in expressions {
            let Some(captures) = expression.captures(&line) else { continue };
            let found = groups(expression, &captures);
            let Some(step) = captures.name("step") else {
                // Programs print their settings before their first step.
                settings.extend(found);
                continue;
            };
            let Some(step) = step.as_str().parse().ok().and_then(whole) else { continue };
            let begins = match (runs.last(), first_step) {
                (Some(run), Some(first)) => {
                    step <= first && run.last_step().is_some_and(|last| last > step)
                }
                _ => true,
            };
            if begins {
                first_step = Some(step);
                let mut run = Run::new(format!("{stem} #{}", runs.len() + 1), path);
                run.set_text("file", &stem);
                run.set_text("folder", &folder);
                settings.iter().for_each(|(key, value)| run.set_text(key, value));
                runs.push(run);
            }
            let Some(run) = runs.last_mut() else { continue };
            for (tag, value) in found {
                if let Ok(value) = value.trim_end_matches(',').parse() {
                    run.push(&tag, step, value);
                }
            }
        }
    }
    if let [only] = runs.as_mut_slice() {
        only.name = stem;
    }
    if let Some(last) = runs.last_mut() {
        for (key, value) in settings {
            if !last.settings.contains_key(&key) {
                last.set_text(&key, &value);
            }
        }
    }
    Ok(runs)
}

/// The named groups of a match, but `step`; `key` and `value` make one of their own.
fn groups(expression: &Regex, captures: &Captures<'_>) -> Vec<(String, String)> {
    let text = |name: &str| captures.name(name).map(|found| found.as_str().to_owned());
    if let (Some(key), Some(value)) = (text("key"), text("value")) {
        return vec![(key, value)];
    }
    let names = expression.capture_names().flatten().filter(|name| *name != "step");
    names.filter_map(|name| Some((name.to_owned(), text(name)?))).collect()
}
