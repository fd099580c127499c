//! From a path to the files of one part of a data set, by their names.

mod names;

use std::fs;
use std::path::{Path, PathBuf};

use super::cifar::Version;
use super::class_folders::is_image;
use super::error::ImageError;
use super::part::Part;
use crate::FileError;
use names::{PartInName, check_shards, found, of_part};

/// Folders in folders that are gone through in search of the images; also the end of a link that
/// leads to itself.
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

/// The files of a part; without one, a file is taken whatever its name says, and of a folder the
/// training part.
pub(super) fn find(path: &Path, part: Option<Part>) -> Result<Files, ImageError> {
    let metadata = fs::metadata(path).map_err(FileError::io("open", path))?;
    if metadata.is_dir() {
        return in_folder(path, part.unwrap_or(Part::Train), 0);
    }
    let name = file_name(path);
    match (part, PartInName::of(&name)) {
        (Some(Part::Train), PartInName::Test) => Err(wrong_part(path, "test", "training")),
        (Some(Part::Test), PartInName::Train) => Err(wrong_part(path, "training", "test")),
        _ => file(path, &name),
    }
}

fn wrong_part(path: &Path, is: &str, wanted: &str) -> ImageError {
    ImageError::set(
        path,
        format!(
            "by its name it is the {is} part, but the {wanted} part is asked for; name the file of \
             the {wanted} part, or the folder with both"
        ),
    )
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.into_owned()
}

/// A file named by itself.
fn file(path: &Path, name: &str) -> Result<Files, ImageError> {
    let lower = name.to_lowercase();
    if lower.contains("labels") && lower.contains("idx1") {
        let problem = "it holds labels; name the file of images (`…images-idx3-ubyte`) beside it";
        return Err(ImageError::set(path, problem));
    }
    if is_idx(&lower) {
        return idx(path, name);
    }
    if is_parquet(&lower) {
        return Ok(Files::Parquet(vec![path.to_owned()]));
    }
    if lower.ends_with(".bin") {
        let version = if is_cifar_100(&lower) { Version::Cifar100 } else { Version::Cifar10 };
        return Ok(cifar(path.parent().unwrap_or(Path::new("")), version, vec![path.to_owned()]));
    }
    let problem = if [".tar", ".tgz", ".tar.gz", ".zip"]
        .iter()
        .any(|ending| lower.ends_with(ending))
    {
        "it is an archive; unpack it and name the folder"
    } else {
        "its name is not that of a file of images (`…images-idx3-ubyte`, `….bin`, `….parquet`); \
         name one of these, or a folder with a folder of PNG or JPEG files for each class"
    };
    Err(ImageError::set(path, problem))
}

fn is_idx(lower: &str) -> bool {
    lower.contains("images") && lower.contains("idx3")
}

/// A file of images with the file of labels beside it, which need not be compressed the same way.
fn idx(images: &Path, name: &str) -> Result<Files, ImageError> {
    let plain = name.trim_end_matches(".gz").trim_end_matches(".zst");
    let labels = plain.replace("images", "labels").replace("idx3", "idx1");
    for ending in ["", ".gz", ".zst"] {
        let labels = images.with_file_name(format!("{labels}{ending}"));
        if labels.is_file() {
            return Ok(Files::Idx { images: images.to_owned(), labels });
        }
    }
    Err(ImageError::set(
        images,
        format!("its labels are missing: `{labels}` (or `{labels}.gz`) must stand beside it"),
    ))
}

fn cifar(folder: &Path, version: Version, files: Vec<PathBuf>) -> Files {
    let names = folder.join(match version {
        Version::Cifar10 => "batches.meta.txt",
        Version::Cifar100 => "fine_label_names.txt",
    });
    Files::Cifar { version, files, names: names.is_file().then_some(names) }
}

/// What stands in a folder, hidden entries left out; sorted.
struct Listing {
    files: Vec<String>,
    folders: Vec<String>,
}

impl Listing {
    fn of(folder: &Path) -> Result<Self, ImageError> {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(folder).map_err(FileError::io("list", folder))? {
            let entry = entry.map_err(FileError::io("list", folder))?;
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

fn in_folder(folder: &Path, part: Part, depth: usize) -> Result<Files, ImageError> {
    if depth > DEEPEST {
        let problem = "it lies deep within folders that hold nothing else; name the folder with \
                       the images itself";
        return Err(ImageError::set(folder, problem));
    }
    let Listing { files, folders } = Listing::of(folder)?;
    let named = |fits: fn(&str) -> bool| -> Vec<&String> {
        let fits = |name: &&String| fits(&name.to_lowercase());
        files.iter().filter(fits).collect()
    };
    let idx_files = named(is_idx);
    if !idx_files.is_empty() {
        let chosen = of_part(folder, part, &idx_files)?;
        // The plain file, where the same one is there compressed as well.
        let name = one_of(folder, &chosen, |other, first| other.starts_with(first))?;
        return idx(&folder.join(name), name);
    }
    if !named(is_cifar_10).is_empty() {
        let wanted: Vec<String> = match part {
            Part::Train => (1..=5).map(|i| format!("data_batch_{i}.bin")).collect(),
            Part::Test => vec!["test_batch.bin".to_owned()],
        };
        return all_of(folder, Version::Cifar10, &wanted, &files);
    }
    if !named(is_cifar_100).is_empty() {
        let wanted = match part {
            Part::Train => "train.bin",
            Part::Test => "test.bin",
        };
        return all_of(folder, Version::Cifar100, &[wanted.to_owned()], &files);
    }
    let tables = named(is_parquet);
    if !tables.is_empty() {
        let chosen = of_part(folder, part, &tables)?;
        check_shards(folder, &chosen)?;
        let files = chosen.iter().map(|name| folder.join(name)).collect();
        return Ok(Files::Parquet(files));
    }
    if let Some(name) = files.iter().find(|name| is_image(Path::new(name))) {
        return Err(ImageError::set(
            folder,
            format!(
                "images such as `{name}` stand directly in it; put those of each class into a \
                 folder of its own"
            ),
        ));
    }
    if folders.is_empty() {
        return Err(ImageError::set(
            folder,
            format!(
                "it holds no images that can be read ({}); expected are `train-images-idx3-ubyte`, \
                 `data_batch_1.bin`, `train.bin`, `train-*.parquet`, or a folder of PNG or JPEG \
                 files for each class",
                found(&files)
            ),
        ));
    }
    in_folders(folder, &folders, part, depth)
}

/// In a folder that holds others and no images itself.
fn in_folders(
    folder: &Path,
    folders: &[String],
    part: Part,
    depth: usize,
) -> Result<Files, ImageError> {
    // A folder `train` with images in it is a class of that name.
    let parts: Vec<&String> = folders
        .iter()
        .filter(|name| {
            PartInName::of(name) != PartInName::Nothing && !holds(&folder.join(name), is_image_name)
        })
        .collect();
    if !parts.is_empty() {
        let chosen = of_part(folder, part, &parts)?;
        let name = one_of(folder, &chosen, |_, _| false)?;
        let mut files = in_folder(&folder.join(name), part, depth + 1)?;
        if let (Files::ClassFolders { classes_of, .. }, Part::Test) = (&mut files, part)
            && let Ok(training) = of_part(folder, Part::Train, &parts)
        {
            // A class has one number in both parts, though the test part may lack another.
            *classes_of = folder.join(training[0]);
        }
        return Ok(files);
    }
    if let [only] = folders
        && !holds(&folder.join(only), is_image_name)
    {
        return in_folder(&folder.join(only), part, depth + 1);
    }
    let is_of_a_set =
        |name: &str| is_idx(name) || is_cifar_10(name) || is_cifar_100(name) || is_parquet(name);
    if let Some(set) = folders.iter().find(|name| holds(&folder.join(name), is_of_a_set)) {
        return Err(ImageError::set(
            folder,
            format!("it holds no images itself, but `{set}` in it does; name that folder"),
        ));
    }
    Ok(Files::ClassFolders { root: folder.to_owned(), classes_of: folder.to_owned() })
}

fn is_cifar_10(lower: &str) -> bool {
    lower.ends_with(".bin") && (lower.starts_with("data_batch") || lower.starts_with("test_batch"))
}

fn is_cifar_100(lower: &str) -> bool {
    lower == "train.bin" || lower == "test.bin"
}

fn is_parquet(lower: &str) -> bool {
    lower.ends_with(".parquet")
}

fn is_image_name(lower: &str) -> bool {
    is_image(Path::new(lower))
}

/// Whether a folder holds a file with such a name, in lower case.
fn holds(folder: &Path, fits: impl Fn(&str) -> bool) -> bool {
    let files = Listing::of(folder).map(|listing| listing.files);
    files.is_ok_and(|files| files.iter().any(|name| fits(&name.to_lowercase())))
}

/// The first of these names; another that is not `alike` is an error.
fn one_of<'a>(
    folder: &Path,
    names: &[&'a String],
    alike: impl Fn(&str, &str) -> bool,
) -> Result<&'a String, ImageError> {
    match names.iter().find(|other| **other != names[0] && !alike(other, names[0])) {
        None => Ok(names[0]),
        Some(other) => Err(ImageError::set(
            folder,
            format!("it holds both `{}` and `{other}`; name one of them", names[0]),
        )),
    }
}

fn all_of(
    folder: &Path,
    version: Version,
    wanted: &[String],
    files: &[String],
) -> Result<Files, ImageError> {
    if let Some(missing) = wanted.iter().find(|name| !files.contains(name)) {
        return Err(ImageError::set(
            folder,
            format!(
                "`{missing}` is missing in it; unpack the archive of the “binary version” again"
            ),
        ));
    }
    let paths = wanted.iter().map(|name| folder.join(name)).collect();
    Ok(cifar(folder, version, paths))
}
