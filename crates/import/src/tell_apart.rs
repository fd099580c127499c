//! What tells runs apart: which settings count, which runs do, and what is said of the rest.

use std::collections::{BTreeMap, BTreeSet};

use wd_lab::record::Recording;
use wd_page::{counted, words::printable};
use wd_store::Status;

use crate::ImportError;
use crate::import::Imported;
use crate::roles::RoleOptions;
use crate::run::Run;

/// What was lost or replaced while the files were read.
pub(crate) fn lost(runs: &[Run]) -> Vec<String> {
    let mut notes = Vec::new();
    let remarks: Vec<String> = runs
        .iter()
        .flat_map(|run| run.remarks.iter().map(move |remark| format!("{}: {remark}", run.name)))
        .collect();
    if let Some((first, rest)) = remarks.split_first() {
        let more = match rest.len() {
            0 => String::new(),
            more => format!(" (and {more} more such remarks)"),
        };
        notes.push(format!("Something of a log is lost: {}{more}.", printable(first)));
    }
    let replaced: u64 = runs.iter().map(|run| run.replaced).sum();
    if replaced > 0 {
        let restarted = runs.iter().filter(|run| run.replaced > 0).count();
        notes.push(format!(
            "{} in {} replaced by later ones, since the log goes back to an earlier step there.",
            counted(replaced, "point"),
            counted(restarted, "run")
        ));
    }
    notes
}

fn names(runs: &[&str]) -> String {
    let shown: Vec<String> = runs.iter().take(4).map(|name| printable(name)).collect();
    let more = if runs.len() > 4 { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// Leaves out runs whose λ is not a number.
pub(crate) fn only_with_lambda(
    runs: &mut Vec<Run>,
    recording: &mut Recording,
) -> Result<(), ImportError> {
    let has_lambda = |run: &Run| {
        let value = run.settings.get(&recording.lambda).and_then(|value| value.parse::<f64>().ok());
        value.is_some_and(|value| value >= 0.0 && value.is_finite())
    };
    let without: Vec<&str> =
        runs.iter().filter(|run| !has_lambda(run)).map(|run| run.name.as_str()).collect();
    if without.len() == runs.len() {
        let problem = format!("no run has a number for λ in `{}`", recording.lambda);
        return Err(ImportError::Role { option: "lambda_from", problem, list: Vec::new() });
    }
    if !without.is_empty() {
        let note = format!(
            "{} left out, without a number for λ in `{}`: {}.",
            counted(without.len(), "run"),
            recording.lambda,
            names(&without)
        );
        runs.retain(has_lambda);
        recording.notes.push(note);
    }
    Ok(())
}

/// Forgets settings that do not tell arms apart: those that the person names, and texts that are
/// different in every run, such as names, folders and times.
pub(crate) fn forget_incidental(
    runs: &mut [Run],
    recording: &mut Recording,
    options: &RoleOptions,
) -> Result<(), ImportError> {
    let keys: BTreeSet<String> = runs.iter().flat_map(|run| run.settings.keys().cloned()).collect();
    if let Some(unknown) = options.ignore.iter().find(|key| !keys.contains(*key)) {
        let problem = format!("no run has a setting `{unknown}`; these are there");
        let list = keys.into_iter().collect();
        return Err(ImportError::Role { option: "ignore", problem, list });
    }
    let roles =
        [Some(&recording.lambda), recording.learning_rate.as_ref(), recording.seed.as_ref()];
    let plays_a_role = |key: &String| roles.contains(&Some(key));
    let is_incidental = |key: &String| {
        let values: Vec<&String> = runs.iter().filter_map(|run| run.settings.get(key)).collect();
        let distinct: BTreeSet<&&String> = values.iter().collect();
        values.len() > 2
            && distinct.len() == values.len()
            && values.iter().all(|value| value.parse::<f64>().is_err())
    };
    let forgotten: Vec<String> = keys
        .into_iter()
        .filter(|key| !plays_a_role(key))
        .filter(|key| options.ignore.contains(key) || is_incidental(key))
        .collect();
    for run in runs.iter_mut() {
        run.settings.retain(|key, _| !forgotten.contains(key));
    }
    if !forgotten.is_empty() {
        recording.notes.push(format!(
            "Settings that were not taken to tell arms apart: {}.",
            forgotten.join(", ")
        ));
    }
    Ok(())
}

/// Forgets settings that have another value for each seed and the same one wherever the seed is the
/// same, such as the seed of the data.
pub(crate) fn forget_what_follows_the_seed(runs: &mut [Run], recording: &mut Recording) {
    let Some(seed) = recording.seed.clone() else { return };
    let keys: BTreeSet<String> = runs.iter().flat_map(|run| run.settings.keys().cloned()).collect();
    let roles = [Some(&recording.lambda), recording.learning_rate.as_ref(), Some(&seed)];
    let follows = |key: &String| {
        let of = |run: &Run, key: &String| run.settings.get(key).cloned().unwrap_or_default();
        let pairs: BTreeSet<(String, String)> =
            runs.iter().map(|run| (of(run, &seed), of(run, key))).collect();
        let seeds: BTreeSet<&String> = pairs.iter().map(|(seed, _)| seed).collect();
        let values: BTreeSet<&String> = pairs.iter().map(|(_, value)| value).collect();
        seeds.len() > 1 && seeds.len() == pairs.len() && values.len() == pairs.len()
    };
    let following: Vec<String> =
        keys.into_iter().filter(|key| !roles.contains(&Some(key)) && follows(key)).collect();
    if following.is_empty() {
        return;
    }
    for run in runs.iter_mut() {
        run.settings.retain(|key, _| !following.contains(key));
    }
    recording.notes.push(format!("Settings that only follow the seed: {}.", following.join(", ")));
}

/// Makes every seed a number: of texts their order, and without a seed the order of the runs of an
/// arm.
pub(crate) fn number_seeds(runs: &mut [Run], recording: &mut Recording) {
    let Some(key) = recording.seed.clone() else {
        let mut counts: BTreeMap<BTreeMap<String, String>, u64> = BTreeMap::new();
        for run in runs.iter_mut() {
            let count = counts.entry(run.settings.clone()).or_default();
            run.settings.insert(Recording::RUN_NUMBER.to_owned(), count.to_string());
            *count += 1;
        }
        return;
    };
    let seeds: BTreeSet<String> =
        runs.iter().map(|run| run.settings.get(&key).cloned().unwrap_or_default()).collect();
    if seeds.iter().all(|seed| seed.parse::<u64>().is_ok()) {
        return;
    }
    recording.notes.push(format!(
        "The seeds in `{key}` are no whole numbers; they are numbered from 0 in their order."
    ));
    for run in runs.iter_mut() {
        let own = run.settings.get(&key).cloned().unwrap_or_default();
        let number = seeds.iter().position(|seed| *seed == own).unwrap_or(0);
        run.settings.insert(key.clone(), number.to_string());
    }
}

/// Of runs with the same settings and the same seed one counts: the first that finished.
pub(crate) fn drop_repetitions(runs: &mut Vec<Imported>, recording: &mut Recording) {
    let mut kept: BTreeMap<BTreeMap<String, String>, usize> = BTreeMap::new();
    let mut chosen: Vec<Imported> = Vec::new();
    let mut dropped = Vec::new();
    let is_finished = |run: &Imported| matches!(run.status, Status::Finished { .. });
    for run in runs.drain(..) {
        match kept.get(&run.settings).copied() {
            None => {
                kept.insert(run.settings.clone(), chosen.len());
                chosen.push(run);
            }
            Some(place) => {
                let Some(known) = chosen.get_mut(place) else { continue };
                if is_finished(&run) && !is_finished(known) {
                    dropped.push(std::mem::replace(known, run).name);
                } else {
                    dropped.push(run.name);
                }
            }
        }
    }
    *runs = chosen;
    if !dropped.is_empty() {
        let list: Vec<&str> = dropped.iter().map(String::as_str).collect();
        recording.notes.push(format!(
            "{} left out, since another has the same settings and the same seed: {}.",
            counted(dropped.len(), "run"),
            names(&list)
        ));
    }
}
