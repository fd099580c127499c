//! Names of trials, for folders and for people: what tells a trial from the others of its study,
//! and no more.
//!
//! `vit,size=500,lambda=0.3,seed=2`: kinds stand alone, other keys with their last part, λ and the
//! seed last. A name is given once and kept in `study.json`. What a trial *is* says its
//! configuration.

use std::collections::BTreeSet;

use crate::configuration::Flat;
use crate::record::Roles;

/// λ and the seed stand last in a name, wherever they vary.
const LAMBDA_KEY: &str = Roles::CONFIGURED.lambda;
const SEED_KEY: &str = Roles::CONFIGURED.seed;

/// Longer values are cut.
const LONGEST_VALUE: usize = 24;

/// Longer names are cut, and end in a hash.
const LONGEST_NAME: usize = 120;

/// Names for the `new` configurations of a study: different from one another and from the names
/// that are `taken`.
///
/// `others` are those that a name has to tell them from: the base configuration and the trials that
/// there are.
pub(crate) fn names(new: &[Flat], others: &[Flat], taken: &BTreeSet<String>) -> Vec<String> {
    let all: Vec<&Flat> = others.iter().chain(new).collect();
    let keys = telling_keys(&all);
    let mut taken = taken.clone();
    new.iter()
        .map(|configuration| {
            let mut name = name(configuration, &keys);
            if name.len() > LONGEST_NAME || taken.contains(&name) {
                name.truncate(LONGEST_NAME);
                name = format!("{name}~{}", hash(configuration));
            }
            taken.insert(name.clone());
            name
        })
        .collect()
}

/// Is this the name of a folder, and not a path that leaves it?
pub(crate) fn is_a_folder(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && !matches!(name, "." | "..")
        && !name.contains(['/', '\\', '\0'])
}

/// A folder for a run that another program named, different from those that are taken.
pub(crate) fn folder_name(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name: String = wanted
        .chars()
        .map(|character| match character {
            'A'..='Z' | 'a'..='z' | '0'..='9' | '.' | '_' | '-' | '+' | '=' | ',' => character,
            _ => '-',
        })
        .collect();
    name.truncate(LONGEST_NAME);
    if !is_a_folder(&name) {
        name = "run".to_owned();
    }
    let mut number = 1;
    let mut free = name.clone();
    while !taken.insert(free.clone()) {
        number += 1;
        free = format!("{name}~{number}");
    }
    free
}

/// The keys that tell all configurations apart, in the order of a name. Of two that say the same
/// the more telling one is kept; λ and the seed are kept wherever they vary.
fn telling_keys<'a>(all: &[&'a Flat]) -> Vec<&'a String> {
    let keys: BTreeSet<&String> = all.iter().flat_map(|flat| flat.keys()).collect();
    let varies = |key: &&String| all.iter().any(|flat| flat.get(*key) != all[0].get(*key));
    let mut kept: Vec<&String> = keys.into_iter().filter(varies).collect();
    kept.sort_by_key(|key| (place(key), key.as_str()));
    let apart = |keys: &[&String]| {
        let told = all.iter().map(|flat| keys.iter().map(|key| flat.get(*key)).collect::<Vec<_>>());
        told.collect::<BTreeSet<_>>().len()
    };
    let wanted = apart(&kept);
    for index in (0..kept.len()).rev() {
        let mut fewer = kept.clone();
        let key = fewer.remove(index);
        if key != LAMBDA_KEY && key != SEED_KEY && apart(&fewer) == wanted {
            kept = fewer;
        }
    }
    kept
}

/// Where a key stands in a name; what stands further back is left out first.
fn place(key: &str) -> u8 {
    match key {
        SEED_KEY => 5,
        LAMBDA_KEY => 4,
        _ if key.ends_with(".kind") => 0,
        _ if key.starts_with("data.") => 1,
        _ if key.starts_with("optim.") => 2,
        _ => 3,
    }
}

fn name(configuration: &Flat, keys: &[&String]) -> String {
    let last = |key: &str| plain(key.rsplit('.').next().unwrap_or(key));
    let parts: Vec<String> = keys
        .iter()
        .filter_map(|key| {
            let value = plain(configuration.get(*key)?);
            let short = last(key);
            let is_shared = keys.iter().filter(|other| last(other) == short).count() > 1;
            Some(match short.as_str() {
                "kind" => value,
                _ if is_shared => format!("{}={value}", plain(key)),
                _ => format!("{short}={value}"),
            })
        })
        .collect();
    if parts.is_empty() { "base".to_owned() } else { parts.join(",") }
}

/// A key or a value in characters that belong in the name of a folder; of a path its last part.
fn plain(text: &str) -> String {
    let text = text.rsplit('/').find(|part| !part.is_empty()).unwrap_or(text);
    let mut name = String::new();
    for character in text.chars() {
        match character {
            'A'..='Z' | 'a'..='z' | '0'..='9' | '.' | '_' | '-' | '+' => name.push(character),
            _ if name.is_empty() || name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    name.truncate(LONGEST_VALUE);
    name.trim_end_matches('-').to_owned()
}

fn hash(configuration: &Flat) -> String {
    let mut hasher = blake3::Hasher::new();
    for (key, value) in configuration {
        for text in [key, "=", value, "\n"] {
            hasher.update(text.as_bytes());
        }
    }
    hasher.finalize().to_hex()[..8].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::flatten;

    fn flats(texts: &[&str]) -> Vec<Flat> {
        texts.iter().map(|text| flatten(text).unwrap()).collect()
    }

    #[test]
    fn a_name_has_what_tells_trials_apart_and_no_more() {
        let base = flats(&["model.kind = 'vit'\ndecay.lambda = 0.0\nrun.seed = 0"]);
        let new = flats(&[
            "model = { kind = 'vit', patch = 4, layers = 2 }\ndecay.lambda = 0.3\nrun.seed = 0",
            "model = { kind = 'cnn', channels = [16, 32] }\ndecay.lambda = 0.3\nrun.seed = 0",
            "model = { kind = 'cnn', channels = [16, 32] }\ndecay.lambda = 1.0\nrun.seed = 1",
        ]);
        let names = names(&new, &base, &BTreeSet::new());
        assert_eq!(
            names,
            ["vit,lambda=0.3,seed=0", "cnn,lambda=0.3,seed=0", "cnn,lambda=1,seed=1"]
        );
    }

    #[test]
    fn names_that_would_collide_end_in_a_hash() {
        let new = flats(&["a.x = 'runs/one/model'", "a.x = 'runs/two/model'"]);
        let found = names(&new, &[], &BTreeSet::new());
        assert_eq!(found[0], "x=model");
        assert!(found[1].starts_with("x=model~") && found[1].len() == 16, "{found:?}");
        let again = names(&new[..1], &new[1..], &BTreeSet::from(["x=model".to_owned()]));
        assert!(again[0].starts_with("x=model~"), "{again:?}");
    }

    #[test]
    fn keys_with_the_same_last_part_are_written_out() {
        let new = flats(&["a.x = 1\nb.x = 2", "a.x = 2\nb.x = 2", "a.x = 1\nb.x = 1"]);
        let found = names(&new, &[], &BTreeSet::new());
        assert_eq!(found, ["a.x=1,b.x=2", "a.x=2,b.x=2", "a.x=1,b.x=1"]);
    }
}
