//! From a path to the files of one part of a data set, by their names.

use std::fs;
use std::path::{Path, PathBuf};

use super::cifar::Version;
use super::class_folders::is_image;
use super::set::Part;
use crate::DataError;

/// Folders that hold nothing but a folder, one in the other.
const DEEPEST: usize = 4;

/// The files of a set.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Files {
    Idx {
        images: PathBuf,
        labels: PathBuf,
    },
    Cifar {
        version: Version,
        files: Vec<PathBuf>,
        names: Option<PathBuf>,
    },
    Parquet(Vec<PathBuf>),
    ClassFolders {
        root: PathBuf,
        /// The folder whose folders are the classes: `root`, or the training part beside it.
        classes_of: PathBuf,
    },
}

/// What a name says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Train,
    Test,
    /// The test part, where nothing else is.
    Validation,
    Nothing,
}

impl Said {
    fn of(name: &str) -> Said {
        let name = name.to_lowercase();
        let mut said = Said::Nothing;
        for word in name.split(|character: char| !character.is_alphanumeric()) {
            match word {
                "train" | "training" => return Said::Train,
                "test" | "testing" | "t10k" => return Said::Test,
                "val" | "valid" | "validation" => said = Said::Validation,
                _ => {}
            }
        }
        // `data_batch_1.bin` of CIFAR-10.
        match said {
            Said::Nothing if name.starts_with("data_batch") => Said::Train,
            said => said,
        }
    }
}

/// The files of a part; without one, a file is taken whatever its name says, and of a folder the training part.
pub(super) fn find(path: &Path, part: Option<Part>) -> Result<Files, DataError> {
    let metadata = fs::metadata(path).map_err(DataError::io("open", path))?;
    if metadata.is_dir() {
        return in_folder(path, part.unwrap_or(Part::Train), 0);
    }
    let name = file_name(path);
    match (part, Said::of(&name)) {
        (Some(Part::Train), Said::Test) => Err(wrong_part(path, "test", "training")),
        (Some(Part::Test), Said::Train) => Err(wrong_part(path, "training", "test")),
        _ => file(path, &name),
    }
}

fn wrong_part(path: &Path, is: &str, wanted: &str) -> DataError {
    DataError::image_set(
        path,
        format!(
            "by its name it is the {is} part, but the {wanted} part is asked for; name the file of the {wanted} part, or the folder with both"
        ),
    )
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.into_owned()
}

/// A file named by itself.
fn file(path: &Path, name: &str) -> Result<Files, DataError> {
    let lower = name.to_lowercase();
    if lower.contains("labels") && lower.contains("idx1") {
        let problem = "it holds labels; name the file of images (`…images-idx3-ubyte`) beside it";
        return Err(DataError::image_set(path, problem));
    }
    if is_idx(&lower) {
        return idx(path, name);
    }
    if lower.ends_with(".parquet") {
        return Ok(Files::Parquet(vec![path.to_owned()]));
    }
    if lower.ends_with(".bin") {
        let version = match lower.as_str() {
            "train.bin" | "test.bin" => Version::Cifar100,
            _ => Version::Cifar10,
        };
        return Ok(cifar(
            path.parent().unwrap_or(Path::new("")),
            version,
            vec![path.to_owned()],
        ));
    }
    let problem = if [".tar", ".tgz", ".tar.gz", ".zip"]
        .iter()
        .any(|ending| lower.ends_with(ending))
    {
        "it is an archive; unpack it and name the folder"
    } else {
        "its name is not that of a file of images (`…images-idx3-ubyte`, `….bin`, `….parquet`); name one of these, or a folder with a folder of PNG or JPEG files for each class"
    };
    Err(DataError::image_set(path, problem))
}

fn is_idx(lower: &str) -> bool {
    lower.contains("images") && lower.contains("idx3")
}

/// A file of images with the file of labels beside it, which need not be compressed the same way.
fn idx(images: &Path, name: &str) -> Result<Files, DataError> {
    let plain = name.trim_end_matches(".gz").trim_end_matches(".zst");
    let labels = plain.replace("images", "labels").replace("idx3", "idx1");
    for ending in ["", ".gz", ".zst"] {
        let labels = images.with_file_name(format!("{labels}{ending}"));
        if labels.is_file() {
            return Ok(Files::Idx {
                images: images.to_owned(),
                labels,
            });
        }
    }
    Err(DataError::image_set(
        images,
        format!("its labels are missing: `{labels}` (or `{labels}.gz`) must stand beside it"),
    ))
}

fn cifar(folder: &Path, version: Version, files: Vec<PathBuf>) -> Files {
    let names = folder.join(match version {
        Version::Cifar10 => "batches.meta.txt",
        Version::Cifar100 => "fine_label_names.txt",
    });
    Files::Cifar {
        version,
        files,
        names: names.is_file().then_some(names),
    }
}

/// What stands in a folder, hidden entries left out; sorted.
struct Listing {
    files: Vec<String>,
    folders: Vec<String>,
}

impl Listing {
    fn of(folder: &Path) -> Result<Self, DataError> {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(folder).map_err(DataError::io("list", folder))? {
            let entry = entry.map_err(DataError::io("list", folder))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            if entry.path().is_dir() {
                folders.push(name);
            } else {
                files.push(name);
            }
        }
        files.sort_unstable();
        folders.sort_unstable();
        Ok(Listing { files, folders })
    }
}

fn in_folder(folder: &Path, part: Part, depth: usize) -> Result<Files, DataError> {
    let Listing { files, folders } = Listing::of(folder)?;
    let named = |fits: &dyn Fn(&str) -> bool| -> Vec<&String> {
        files
            .iter()
            .filter(|name| fits(&name.to_lowercase()))
            .collect()
    };
    let idx_files = named(&is_idx);
    if !idx_files.is_empty() {
        let chosen = of_part(folder, part, &idx_files)?;
        // The plain file where the same one is there compressed as well.
        if let [first, others @ ..] = chosen.as_slice()
            && let Some(other) = others.iter().find(|other| !other.starts_with(*first))
        {
            return Err(DataError::image_set(
                folder,
                format!("it holds both `{first}` and `{other}`; name one of them"),
            ));
        }
        return idx(&folder.join(chosen[0]), chosen[0]);
    }
    let batches = named(&|name| {
        name.ends_with(".bin") && (name.starts_with("data_batch") || name.starts_with("test_batch"))
    });
    if !batches.is_empty() {
        let wanted: Vec<String> = match part {
            Part::Train => (1..=5).map(|i| format!("data_batch_{i}.bin")).collect(),
            Part::Test => vec!["test_batch.bin".to_owned()],
        };
        return all_of(folder, Version::Cifar10, &wanted, &files);
    }
    if !named(&|name| name == "train.bin" || name == "test.bin").is_empty() {
        let wanted = match part {
            Part::Train => "train.bin",
            Part::Test => "test.bin",
        };
        return all_of(folder, Version::Cifar100, &[wanted.to_owned()], &files);
    }
    let tables = named(&|name| name.ends_with(".parquet"));
    if !tables.is_empty() {
        let chosen = of_part(folder, part, &tables)?;
        check_shards(folder, &chosen)?;
        let files = chosen.iter().map(|name| folder.join(name)).collect();
        return Ok(Files::Parquet(files));
    }
    if let Some(name) = files.iter().find(|name| is_image(Path::new(name))) {
        return Err(DataError::image_set(
            folder,
            format!(
                "images such as `{name}` stand directly in it; put those of each class into a folder of its own"
            ),
        ));
    }
    let parts: Vec<&String> = folders
        .iter()
        .filter(|name| Said::of(name) != Said::Nothing && holds_a_part(&folder.join(name)))
        .collect();
    if !parts.is_empty() {
        let chosen = of_part(folder, part, &parts)?;
        if let [first, second, ..] = chosen.as_slice() {
            return Err(DataError::image_set(
                folder,
                format!("it holds both `{first}` and `{second}`; name one of them"),
            ));
        }
        let found = in_folder(&folder.join(chosen[0]), part, depth + 1)?;
        return Ok(match found {
            Files::ClassFolders { root, classes_of } if part == Part::Test => {
                // One class has one number in both parts, though the test part may lack another.
                let training = of_part(folder, Part::Train, &parts).ok();
                let classes_of = training.map_or(classes_of, |names| folder.join(names[0]));
                Files::ClassFolders { root, classes_of }
            }
            found => found,
        });
    }
    match folders.as_slice() {
        [only] if depth < DEEPEST && files.is_empty() && !holds_images(&folder.join(only)) => {
            in_folder(&folder.join(only), part, depth + 1)
        }
        [] => Err(DataError::image_set(
            folder,
            format!(
                "it holds no images that can be read ({}); expected are `train-images-idx3-ubyte`, `data_batch_1.bin`, `train.bin`, `train-*.parquet`, or a folder of PNG or JPEG files for each class",
                found(&files)
            ),
        )),
        _ => Ok(Files::ClassFolders {
            root: folder.to_owned(),
            classes_of: folder.to_owned(),
        }),
    }
}

/// Whether a folder named `train` or `test` is a part and not a class of that name.
fn holds_a_part(folder: &Path) -> bool {
    !holds_images(folder)
}

fn holds_images(folder: &Path) -> bool {
    let files = Listing::of(folder).map(|listing| listing.files);
    files.is_ok_and(|files| files.iter().any(|name| is_image(Path::new(name))))
}

/// Those of the names that say they are the part; all, if none says anything.
fn of_part<'a>(
    folder: &Path,
    part: Part,
    names: &[&'a String],
) -> Result<Vec<&'a String>, DataError> {
    let saying = |said: Said| -> Vec<&'a String> {
        names
            .iter()
            .copied()
            .filter(|name| Said::of(name) == said)
            .collect()
    };
    let wanted = match part {
        Part::Train => [Said::Train].as_slice(),
        Part::Test => &[Said::Test, Said::Validation],
    };
    for said in wanted {
        let chosen = saying(*said);
        if !chosen.is_empty() {
            return Ok(chosen);
        }
    }
    let unsaid = saying(Said::Nothing);
    if unsaid.len() == names.len() {
        return Ok(unsaid);
    }
    let (wanted, words) = match part {
        Part::Train => ("training", "`train`"),
        Part::Test => ("test", "`test`, `t10k` or `validation`"),
    };
    Err(DataError::image_set(
        folder,
        format!(
            "it has no {wanted} part: nothing in it has {words} in its name, only {}",
            found(names)
        ),
    ))
}

fn all_of(
    folder: &Path,
    version: Version,
    wanted: &[String],
    files: &[String],
) -> Result<Files, DataError> {
    if let Some(missing) = wanted.iter().find(|name| !files.contains(name)) {
        return Err(DataError::image_set(
            folder,
            format!(
                "`{missing}` is missing in it; unpack the archive of the “binary version” again"
            ),
        ));
    }
    let paths = wanted.iter().map(|name| folder.join(name)).collect();
    Ok(cifar(folder, version, paths))
}

/// Refuses `…-00000-of-00003.parquet` without its fellows.
fn check_shards(folder: &Path, names: &[&String]) -> Result<(), DataError> {
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
        Some(&count) if counts.len() != count => Err(DataError::image_set(
            folder,
            format!(
                "it holds {} of the {count} files of a part (`{}`, …); download the others, or name one file",
                counts.len(),
                names[0]
            ),
        )),
        _ => Ok(()),
    }
}

/// A few names, for errors.
fn found<T: AsRef<str>>(names: &[T]) -> String {
    const MOST: usize = 4;
    if names.is_empty() {
        return "it is empty".to_owned();
    }
    let shown: Vec<String> = names
        .iter()
        .take(MOST)
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}
