//! One trial: its settings, and what makes it the same trial wherever and whenever it is named.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use wd_lab::Setting;

use crate::PilotError;
use crate::declaration::{Declaration, of_settings};

/// How many digits of the identity stand in the name of a folder.
const SHOWN: usize = 12;

/// A longer name is cut; what follows it tells trials apart.
const LONGEST_NAME: usize = 100;

/// One point of the grid.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgramTrial {
    /// What people call it: `wd=0.1,seed=0`.
    pub name: String,
    /// BLAKE3 of what the program is told and of the files that were named as inputs, without
    /// folders and the number of the attempt. The same identity is the same trial.
    pub identity: String,
    /// The value of each axis, in the order of the study file.
    pub settings: Vec<(String, String)>,
    /// Its folder.
    pub folder: PathBuf,
    /// The place of its seed among the seeds of the study file.
    pub seed_place: usize,
}

impl ProgramTrial {
    /// The value of an axis.
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// The values of all axes but these.
    pub(crate) fn without(&self, keys: &[&str]) -> Vec<(String, String)> {
        let kept = self.settings.iter().filter(|(key, _)| !keys.contains(&key.as_str()));
        kept.cloned().collect()
    }
}

/// Every trial of a declaration, in the order in which they should run: the seed slowest, so that a
/// study that is cut short holds whole sets of pairs.
pub(crate) fn trials(
    declaration: &Declaration,
    root: &Path,
) -> Result<Vec<ProgramTrial>, PilotError> {
    let inputs = hash_inputs(&declaration.inputs)?;
    let mut points: Vec<Vec<(usize, Setting)>> = vec![Vec::new()];
    let mut order: Vec<usize> = (0..declaration.axes.len()).collect();
    let is_seed = |index: &usize| Some(&declaration.axes[*index].0) == declaration.seed.as_ref();
    order.sort_by_key(|index| !is_seed(index));
    for index in order {
        let settings = declaration.axes[index].1.settings();
        points = points
            .iter()
            .flat_map(|point| {
                settings.iter().map(move |setting| {
                    let mut longer = point.clone();
                    longer.push((index, setting.clone()));
                    longer
                })
            })
            .collect();
    }
    let mut seeds: Vec<String> = Vec::new();
    let mut trials = Vec::with_capacity(points.len());
    for mut point in points {
        point.sort_by_key(|(index, _)| *index);
        let settings: Vec<(String, String)> = point
            .iter()
            .map(|(index, setting)| (declaration.axes[*index].0.clone(), unquoted(setting)))
            .collect();
        let identity = identity(declaration, &settings, &inputs);
        let name = name(declaration, &settings);
        let seed = declaration.seed.as_ref().and_then(|key| {
            settings.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
        });
        let seed = seed.unwrap_or_default();
        let seed_place = match seeds.iter().position(|known| *known == seed) {
            Some(place) => place,
            None => {
                seeds.push(seed);
                seeds.len() - 1
            }
        };
        let folder = root.join("trials").join(format!("{name}~{}", &identity[..SHOWN]));
        trials.push(ProgramTrial { name, identity, settings, folder, seed_place });
    }
    Ok(trials)
}

/// A value as the program gets it: text without quotes.
fn unquoted(setting: &Setting) -> String {
    let value = setting.value();
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    inner.map_or_else(|| value.clone(), str::to_owned)
}

/// What the program is told, hashed. Folders and the number of the attempt stand in it as
/// placeholders: a study that is moved holds the same trials.
fn identity(
    declaration: &Declaration,
    settings: &[(String, String)],
    inputs: &[(String, String)],
) -> String {
    let values = of_settings(declaration, settings);
    let mut hasher = blake3::Hasher::new();
    let mut add = |kind: &str, text: &str| {
        for part in [kind, text] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    };
    for word in declaration.command.iter().chain([&declaration.folder]) {
        add("word", &word.fill(&values));
    }
    for (name, word) in &declaration.environment {
        add("variable", name);
        add("value", &word.fill(&values));
    }
    for (key, value) in settings {
        add("key", key);
        add("value", value);
    }
    add("lambda", &declaration.lambda);
    for (role, key) in [("rate", &declaration.rate), ("seed", &declaration.seed)] {
        add(role, key.as_deref().unwrap_or_default());
    }
    for (file, hash) in inputs {
        add("input", file);
        add("hash", hash);
    }
    hasher.finalize().to_hex().to_string()
}

/// The files that belong to the identity: their names and the hash of their contents.
fn hash_inputs(files: &[PathBuf]) -> Result<Vec<(String, String)>, PilotError> {
    let hash = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut hasher = blake3::Hasher::new();
        File::open(path)
            .and_then(|mut file| io::copy(&mut file, &mut hasher))
            .map_err(PilotError::io("read", path))?;
        Ok((name, hasher.finalize().to_hex().to_string()))
    };
    files.iter().map(hash).collect()
}

/// A name that follows from the trial alone, so that every pilot calls it the same: keys by their
/// last part, λ and the seed last.
fn name(declaration: &Declaration, settings: &[(String, String)]) -> String {
    let place = |key: &String| (Some(key) == declaration.seed.as_ref(), *key == declaration.lambda);
    let last = |key: &str| plain(key.rsplit(['.', '/']).next().unwrap_or(key));
    let mut shares: BTreeMap<String, usize> = BTreeMap::new();
    for (key, _) in settings {
        *shares.entry(last(key)).or_default() += 1;
    }
    let mut ordered: Vec<&(String, String)> = settings.iter().collect();
    ordered.sort_by_key(|(key, _)| place(key));
    let parts: Vec<String> = ordered
        .into_iter()
        .map(|(key, value)| {
            let short = last(key);
            let key = if shares.get(&short) > Some(&1) { plain(key) } else { short };
            format!("{key}={}", plain(value))
        })
        .collect();
    let mut name = parts.join(",");
    name.truncate(LONGEST_NAME);
    name
}

/// Characters that belong in the name of a folder.
fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    text.chars().map(|c| if is_plain(c) { c } else { '-' }).collect()
}
