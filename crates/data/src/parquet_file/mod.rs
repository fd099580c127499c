//! Parquet files, checked for what their reader takes for granted.

mod headers;
mod pages;
mod source;

use std::fs::File;
use std::path::Path;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};

use crate::FileError;
pub(crate) use crate::guard::guarded;
use pages::CheckedPages;
#[cfg(feature = "tables")]
pub(crate) use source::Source;
#[cfg(not(feature = "tables"))]
use source::Source;

/// Opens a Parquet file, and refuses what its reader would trip over.
pub(crate) fn open(path: &Path) -> Result<SerializedFileReader<Source>, FileError> {
    let file = File::open(path).map_err(FileError::io("open", path))?;
    let length = file.metadata().map_err(FileError::io("read", path))?.len();
    let same = file.try_clone().map_err(FileError::io("open", path))?;
    let file = SerializedFileReader::new(Source(file)).map_err(failure(path))?;
    check(path, &file, length)?;
    for chunk in file.metadata().row_groups().iter().flat_map(|group| group.columns()) {
        if !headers::are_plausible(&same, chunk).map_err(FileError::io("read", path))? {
            let column = chunk.column_path().string();
            let problem = format!("a page of its column {column} has a damaged header");
            return Err(FileError::Parquet { path: path.to_owned(), problem });
        }
    }
    Ok(file)
}

/// Refuses places outside the file, on which the library would panic.
fn check(path: &Path, file: &SerializedFileReader<Source>, length: u64) -> Result<(), FileError> {
    for (index, group) in file.metadata().row_groups().iter().enumerate() {
        let inside = group.num_rows() >= 0
            && group.columns().iter().all(|column| {
                let dictionary = column.dictionary_page_offset();
                let start = dictionary.unwrap_or_else(|| column.data_page_offset());
                let end = start.checked_add(column.compressed_size());
                start >= 0
                    && column.data_page_offset() >= 0
                    && column.compressed_size() >= 0
                    && column.num_values() >= 0
                    && end.is_some_and(|end| end.cast_unsigned() <= length)
            });
        if !inside {
            let problem =
                format!("its row group {} lies outside the file: it is damaged", index + 1);
            return Err(FileError::Parquet { path: path.to_owned(), problem });
        }
    }
    Ok(())
}

/// The reader of a column of a row group.
pub(crate) fn column(
    path: &Path,
    group: &dyn RowGroupReader,
    index: usize,
) -> Result<ColumnReader, FileError> {
    let pages = group.get_column_page_reader(index).map_err(failure(path))?;
    let description = group.metadata().column(index).column_descr_ptr();
    Ok(get_column_reader(description, Box::new(CheckedPages::new(pages))))
}

/// Up to `rows` values of a column, nulls included; `defined` is the definition level of a value
/// that is there.
pub(crate) fn values<T: DataType>(
    path: &Path,
    reader: &mut ColumnReaderImpl<T>,
    defined: i16,
    rows: usize,
) -> Result<Vec<Option<T::T>>, FileError> {
    let (mut present, mut levels) = (Vec::new(), Vec::new());
    let (_, _, read) =
        reader.read_records(rows, Some(&mut levels), None, &mut present).map_err(failure(path))?;
    if defined == 0 {
        return Ok(present.into_iter().map(Some).collect());
    }
    let mut present = present.into_iter();
    Ok(levels
        .iter()
        .take(read)
        .map(|level| if *level == defined { present.next() } else { None })
        .collect())
}

/// For `map_err`: an error of the Parquet reader in this crate's words.
pub(crate) fn failure(path: &Path) -> impl FnOnce(ParquetError) -> FileError {
    move |error| FileError::Parquet {
        path: path.to_owned(),
        problem: format!("it cannot be read as Parquet: {error}"),
    }
}
