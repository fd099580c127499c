//! What the names of files and folders say about their part.

use std::path::Path;

use crate::images::error::ImageError;
use crate::images::part::Part;

/// What a name says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PartInName {
    Train,
    Test,
    /// The test part, where nothing else is.
    Validation,
    Nothing,
}

impl PartInName {
    pub(super) fn of(name: &str) -> PartInName {
        let name = name.to_lowercase();
        let mut found = PartInName::Nothing;
        for word in name.split(|character: char| !character.is_alphanumeric()) {
            match word {
                "train" | "training" => return PartInName::Train,
                "test" | "testing" | "t10k" => return PartInName::Test,
                "val" | "valid" | "validation" => found = PartInName::Validation,
                _ => {}
            }
        }
        // `data_batch_1.bin` of CIFAR-10.
        match found {
            PartInName::Nothing if name.starts_with("data_batch") => PartInName::Train,
            found => found,
        }
    }
}

/// Those of the names that say they are the part; all, if none says anything.
pub(super) fn of_part<'a>(
    folder: &Path,
    part: Part,
    names: &[&'a String],
) -> Result<Vec<&'a String>, ImageError> {
    let saying = |part: PartInName| -> Vec<&'a String> {
        names.iter().copied().filter(|name| PartInName::of(name) == part).collect()
    };
    let wanted = match part {
        Part::Train => [PartInName::Train].as_slice(),
        Part::Test => &[PartInName::Test, PartInName::Validation],
    };
    for part in wanted {
        let chosen = saying(*part);
        if !chosen.is_empty() {
            return Ok(chosen);
        }
    }
    let silent = saying(PartInName::Nothing);
    if silent.len() == names.len() {
        return Ok(silent);
    }
    let (wanted, words) = match part {
        Part::Train => ("training", "`train`"),
        Part::Test => ("test", "`test`, `t10k` or `validation`"),
    };
    Err(ImageError::set(
        folder,
        format!(
            "it has no {wanted} part: nothing in it has {words} in its name, only {}",
            found(names)
        ),
    ))
}

/// Refuses `…-00000-of-00003.parquet` without its fellows.
pub(super) fn check_shards(folder: &Path, names: &[&String]) -> Result<(), ImageError> {
    let mut counts = Vec::new();
    for name in names {
        let words: Vec<&str> = name.split(['-', '.', '_']).collect();
        let count = words
            .iter()
            .position(|word| *word == "of")
            .and_then(|of| words.get(of + 1)?.parse::<usize>().ok());
        counts.extend(count);
    }
    match counts.first() {
        Some(&count) if counts.len() != count => Err(ImageError::set(
            folder,
            format!(
                "it holds {} of the {count} files of a part (`{}`, …); download the others, or \
                 name one file",
                counts.len(),
                names[0]
            ),
        )),
        _ => Ok(()),
    }
}

/// A few names, for errors.
pub(super) fn found<T: AsRef<str>>(names: &[T]) -> String {
    const MOST: usize = 4;
    if names.is_empty() {
        return "it is empty".to_owned();
    }
    let shown: Vec<String> =
        names.iter().take(MOST).map(|name| format!("`{}`", name.as_ref())).collect();
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
