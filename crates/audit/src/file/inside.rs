//! Names that a file gives of other files never lead out of its folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Fault;

/// The path of a file that another file names: a plain name in the same folder, and no link that
/// leads out of it.
///
/// A folder of the Hugging Face Hub's cache holds links to `../../blobs`; these are let through.
pub(crate) fn inside(folder: &Path, name: &str) -> Result<PathBuf, Fault> {
    let is_plain = !name.is_empty()
        && name != "."
        && name != ".."
        && !name.contains(['/', '\\', ':', '\0'])
        && name.len() <= 255;
    if !is_plain {
        let shown: String = name.chars().take(80).collect();
        return Err(Fault::whole(format!("{shown:?} is no plain name of a file in its folder")));
    }
    let path = folder.join(name);
    let Ok(target) = fs::canonicalize(&path) else {
        return Err(Fault::whole(format!("the file {name} that it names is missing")));
    };
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let hub = folder.parent().filter(|parent| parent.ends_with("snapshots"));
    let blobs = hub.and_then(Path::parent).map(|repository| repository.join("blobs"));
    let is_inside = target.starts_with(&folder)
        || blobs.is_some_and(|blobs| target.parent() == Some(blobs.as_path()));
    match is_inside {
        true => Ok(path),
        false => Err(Fault::whole(format!("{name} is a link that leads out of its folder"))),
    }
}
