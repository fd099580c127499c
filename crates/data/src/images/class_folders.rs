//! A folder for each class, with the images of the class in it.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::decode::{Decoded, decode};
use super::error::ImageError;
use super::raw::RawSet;
use crate::FileError;

/// Images decoded side by side.
const CHUNK: usize = 256;
/// Folders in folders: deeper ones are taken for a loop of links.
const DEEPEST: usize = 16;
/// The largest image file accepted.
const MOST_BYTES: u64 = 1 << 28;
/// Endings of image files which cannot be read: silence about them would be a class without its
/// images.
const OTHER_IMAGES: [&str; 8] = ["avif", "bmp", "gif", "pgm", "ppm", "tif", "tiff", "webp"];

/// Reads all images; the classes are the folders of `root`, or those of `classes_of`, in
/// alphabetical order.
pub(super) fn read(root: &Path, classes_of: &Path) -> Result<RawSet, ImageError> {
    let names = folders(classes_of)?;
    let mut files: Vec<(PathBuf, u32)> = Vec::new();
    for name in folders(root)? {
        let folder = root.join(&name);
        let Ok(label) = names.binary_search(&name) else {
            return Err(ImageError::set(
                &folder,
                format!(
                    "{} has no class `{name}`; classes of both parts must have the same folders",
                    classes_of.display()
                ),
            ));
        };
        let mut images = Vec::new();
        collect(&folder, 0, &mut images)?;
        if images.is_empty() {
            return Err(ImageError::set(
                &folder,
                format!(
                    "the class `{name}` has no image (.png, .jpg or .jpeg); add some or remove the \
                     folder"
                ),
            ));
        }
        images.sort_unstable();
        files.extend(images.into_iter().map(|image| (image, label as u32)));
    }
    let mut set = RawSet { class_names: Some(names), ..RawSet::default() };
    for (number, chunk) in files.chunks(CHUNK).enumerate() {
        let first = number * CHUNK;
        let decoded: Vec<Result<Decoded, ImageError>> = chunk
            .par_iter()
            .enumerate()
            .map(|(offset, (path, _))| image(path, first + offset))
            .collect();
        for (offset, (decoded, (path, label))) in decoded.into_iter().zip(chunk).enumerate() {
            set.push(path, || place(first + offset), &decoded?, *label)?;
        }
    }
    Ok(set)
}

fn place(index: usize) -> String {
    format!("image {index} of the set")
}

fn image(path: &Path, index: usize) -> Result<Decoded, ImageError> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .map_err(FileError::io("open", path))?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(FileError::io("read", path))?;
    if bytes.len() as u64 > MOST_BYTES {
        let problem = "it is larger than 256 MiB; make it smaller or remove it";
        return Err(ImageError::image(path, place(index), problem));
    }
    decode(&bytes).map_err(|problem| ImageError::image(path, place(index), problem))
}

/// The names of the folders in a folder, sorted; hidden ones are left out.
fn folders(root: &Path) -> Result<Vec<String>, ImageError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root).map_err(FileError::io("list", root))? {
        let entry = entry.map_err(FileError::io("list", root))?;
        let name = entry.file_name().into_string().map_err(|name| {
            ImageError::set(root, format!("the name {name:?} in it is not UTF-8; rename it"))
        })?;
        if !name.starts_with('.') && entry.path().is_dir() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// All image files below a folder.
fn collect(folder: &Path, depth: usize, images: &mut Vec<PathBuf>) -> Result<(), ImageError> {
    if depth == DEEPEST {
        return Err(ImageError::set(
            folder,
            format!(
                "it lies {DEEPEST} folders below its class; is a link in it one to a folder around \
                 it?"
            ),
        ));
    }
    for entry in fs::read_dir(folder).map_err(FileError::io("list", folder))? {
        let entry = entry.map_err(FileError::io("list", folder))?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            collect(&path, depth + 1, images)?;
        } else if path.is_file() {
            let ending = ending(&path);
            if is_image(&path) {
                images.push(path);
            } else if OTHER_IMAGES.contains(&ending.as_str()) {
                return Err(ImageError::set(
                    &path,
                    format!("images of the kind `.{ending}` are not read; write it as PNG or JPEG"),
                ));
            }
        }
    }
    Ok(())
}

fn ending(path: &Path) -> String {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    ending.to_lowercase()
}

/// Whether the name of a file is that of a PNG or JPEG.
pub(super) fn is_image(path: &Path) -> bool {
    ["png", "jpg", "jpeg"].contains(&ending(path).as_str())
}
