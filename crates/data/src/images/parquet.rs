//! Parquet files of encoded images, as Hugging Face ships image sets.
//!
//! | column | names | content |
//! |---|---|---|
//! | image | `image`, `img` | a group with the binary field `bytes`, or binary itself: PNG or JPEG |
//! | label | `label`, `labels`, `fine_label` | an integer; where the metadata written by `datasets` name the classes, these are the classes |

use std::path::{Path, PathBuf};

use parquet::basic::Type;
use parquet::column::reader::ColumnReader;
use parquet::data_type::ByteArray;
use parquet::file::metadata::FileMetaData;
use parquet::file::reader::{FileReader, RowGroupReader};
use rayon::prelude::*;
use serde::Deserialize;

use super::decode::{Decoded, decode};
use super::error::ImageError;
use super::raw::RawSet;
use crate::FileError;
use crate::parquet_file::{column, failure, guarded, open, values};

/// Rows decoded side by side.
const CHUNK: usize = 256;
/// Classes beyond this are a column of something else.
const MOST_CLASSES: i64 = 1 << 20;

const IMAGE: [&str; 2] = ["image", "img"];
const LABEL: [&str; 3] = ["label", "labels", "fine_label"];

/// Reads files one after the other into one set.
pub(super) fn read(files: &[PathBuf]) -> Result<RawSet, ImageError> {
    let mut set = RawSet::default();
    for (number, path) in files.iter().enumerate() {
        let class_names = guarded(path, || read_file(path, &mut set))?;
        if number == 0 {
            set.class_names = class_names;
        } else if set.class_names != class_names {
            let problem = format!("its classes are not those of {}", files[0].display());
            return Err(ImageError::set(path, problem));
        }
    }
    if set.labels.is_empty() {
        return Err(ImageError::set(&files[0], "it has no rows"));
    }
    Ok(set)
}

/// Adds a file to a set; gives the names of its classes.
fn read_file(path: &Path, set: &mut RawSet) -> Result<Option<Vec<String>>, ImageError> {
    let file = open(path)?;
    let columns = Columns::find(path, file.metadata().file_metadata())?;
    let mut row = 0;
    for index in 0..file.num_row_groups() {
        let group = file.get_row_group(index).map_err(failure(path))?;
        read_row_group(path, &columns, &*group, &mut row, set)?;
    }
    Ok(columns.class_names)
}

/// Where image and label stand.
struct Columns {
    image: (usize, i16),
    label: (usize, i16),
    class_names: Option<Vec<String>>,
}

impl Columns {
    fn find(path: &Path, metadata: &FileMetaData) -> Result<Self, ImageError> {
        let columns = metadata.schema_descr().columns();
        let search = |names: &[&str], fits: &dyn Fn(&[String], Type) -> bool| {
            names.iter().find_map(|name| {
                columns.iter().position(|column| {
                    let parts = column.path().parts();
                    parts[0] == *name
                        && column.max_rep_level() == 0
                        && fits(&parts[1..], column.physical_type())
                })
            })
        };
        let missing = |what: &str, names: &[&str], kind: &str| {
            let there: Vec<String> = columns.iter().map(|column| column.path().string()).collect();
            ImageError::set(
                path,
                format!(
                    "it has no column of {what}: one named {} that holds {kind} is needed, it has \
                     {}",
                    names.join(", "),
                    there.join(", ")
                ),
            )
        };
        let image = search(&IMAGE, &|rest, kind| {
            kind == Type::BYTE_ARRAY && (rest.is_empty() || rest == ["bytes"])
        });
        let image = image.ok_or_else(|| missing("images", &IMAGE, "PNG or JPEG bytes"))?;
        let label = search(&LABEL, &|rest, kind| {
            rest.is_empty() && matches!(kind, Type::INT32 | Type::INT64)
        });
        let label = label.ok_or_else(|| missing("labels", &LABEL, "integers"))?;
        Ok(Columns {
            image: (image, columns[image].max_def_level()),
            label: (label, columns[label].max_def_level()),
            class_names: class_names(metadata, columns[label].name()),
        })
    }
}

/// The names of the classes in the metadata that the library `datasets` writes.
fn class_names(metadata: &FileMetaData, label: &str) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Metadata {
        info: Info,
    }
    #[derive(Deserialize)]
    struct Info {
        features: serde_json::Map<String, serde_json::Value>,
    }
    #[derive(Deserialize)]
    struct ClassLabel {
        names: Vec<String>,
    }
    let entry = metadata.key_value_metadata()?.iter().find(|entry| entry.key == "huggingface")?;
    let mut metadata: Metadata = serde_json::from_str(entry.value.as_deref()?).ok()?;
    let feature = metadata.info.features.remove(label)?;
    let label: ClassLabel = serde_json::from_value(feature).ok()?;
    Some(label.names)
}

fn read_row_group(
    path: &Path,
    columns: &Columns,
    group: &dyn RowGroupReader,
    row: &mut u64,
    set: &mut RawSet,
) -> Result<(), ImageError> {
    let mut images = column(path, group, columns.image.0)?;
    let mut labels = column(path, group, columns.label.0)?;
    let mut left = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
    while left > 0 {
        let rows = left.min(CHUNK as u64) as usize;
        let images = read_images(path, &mut images, columns.image.1, rows)?;
        let labels = read_labels(path, &mut labels, columns.label.1, rows)?;
        if images.len() != rows || labels.len() != rows {
            return Err(ImageError::image(
                path,
                place(*row + images.len().min(labels.len()) as u64),
                "a column ends here, before its row group does; the file is damaged, download it \
                 again",
            ));
        }
        let decoded: Vec<Result<Decoded, String>> = images
            .par_iter()
            .map(|bytes| match bytes {
                Some(bytes) => decode(bytes.data()),
                None => Err("it holds no image, or its path alone; store the bytes of the images \
                             in the file"
                    .to_owned()),
            })
            .collect();
        for (decoded, label) in decoded.into_iter().zip(labels) {
            let refuse = |problem: String| ImageError::image(path, place(*row), problem);
            let decoded = decoded.map_err(refuse)?;
            let label = number(label, columns.class_names.as_deref()).map_err(refuse)?;
            set.push(path, || place(*row), &decoded, label)?;
            *row += 1;
        }
        left -= rows as u64;
    }
    Ok(())
}

fn read_images(
    path: &Path,
    reader: &mut ColumnReader,
    defined: i16,
    rows: usize,
) -> Result<Vec<Option<ByteArray>>, FileError> {
    match reader {
        ColumnReader::ByteArrayColumnReader(reader) => values(path, reader, defined, rows),
        _ => Ok(Vec::new()),
    }
}

fn read_labels(
    path: &Path,
    reader: &mut ColumnReader,
    defined: i16,
    rows: usize,
) -> Result<Vec<Option<i64>>, FileError> {
    match reader {
        ColumnReader::Int32ColumnReader(reader) => {
            let labels = values(path, reader, defined, rows)?;
            Ok(labels.into_iter().map(|label| label.map(i64::from)).collect())
        }
        ColumnReader::Int64ColumnReader(reader) => values(path, reader, defined, rows),
        _ => Ok(Vec::new()),
    }
}

fn place(row: u64) -> String {
    format!("image {row} (row {})", row + 1)
}

fn number(label: Option<i64>, names: Option<&[String]>) -> Result<u32, String> {
    let classes = names.map_or(MOST_CLASSES, |names| names.len() as i64);
    match label {
        None => Err("it has no label; remove the row".to_owned()),
        Some(-1) => {
            Err("its label is −1, which marks an image without one; use a labelled part".to_owned())
        }
        Some(label) if (0..classes).contains(&label) => Ok(label as u32),
        Some(label) => Err(format!(
            "its label is {label}, but the classes are 0 to {}; correct it",
            classes - 1
        )),
    }
}
