//! The rows of a Parquet file as they are: numbers and texts, for tables that are no design.

use std::path::Path;

use parquet::basic::{ConvertedType, Type};
use parquet::column::reader::ColumnReader;
use parquet::data_type::ByteArray;
use parquet::file::reader::FileReader;
use parquet::schema::types::ColumnDescriptor;

use super::error::TableError;
use crate::parquet_file::{Source, column, failure, guarded, open, values};

/// Rows that are held at once.
const BLOCK: usize = 4096;

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// A number; it may be NaN or infinite.
    Number(f64),
    /// A text.
    Text(&'a str),
}

/// What takes the rows: the names of the columns, and the values of one row.
pub type TakeRow<'a> = dyn FnMut(&[String], &[Option<Cell<'_>>]) -> bool + 'a;

/// Some values of a column.
enum Values {
    /// Of a kind that is neither number nor text.
    Skipped,
    Numbers(Vec<Option<f64>>),
    Texts(Vec<Option<ByteArray>>),
}

/// Hands each row of a Parquet file to `each`, with the names of the columns, until it answers
/// false. A null is absent, as is a value of a nested column, of a date in the old form, or of
/// bytes that are no UTF-8.
///
/// # Errors
/// [`TableError::File`] when the file cannot be read as Parquet.
pub fn parquet_rows(path: &Path, each: &mut TakeRow<'_>) -> Result<(), TableError> {
    let file = guarded(path, || open(path).map_err(TableError::from))?;
    let schema = file.metadata().file_metadata().schema_descr_ptr();
    let columns: Vec<&ColumnDescriptor> =
        schema.columns().iter().map(|column| column.as_ref()).collect();
    let names: Vec<String> = columns.iter().map(|column| column.path().string()).collect();
    for group in 0..file.num_row_groups() {
        let mut readers = guarded(path, || readers(path, &file, group, &columns))?;
        let rows = file.metadata().row_group(group).num_rows();
        let mut left = usize::try_from(rows).unwrap_or(0);
        while left > 0 {
            let most = left.min(BLOCK);
            let block = guarded(path, || {
                let read = readers.iter_mut().zip(&columns);
                read.map(|(reader, column)| read_values(path, reader.as_mut(), column, most))
                    .collect::<Result<Vec<Values>, TableError>>()
            })?;
            let mut row: Vec<Option<Cell<'_>>> = Vec::with_capacity(columns.len());
            for at in 0..most {
                row.clear();
                row.extend(block.iter().map(|values| cell(values, at)));
                if !each(&names, &row) {
                    return Ok(());
                }
            }
            left -= most;
        }
    }
    Ok(())
}

type File = parquet::file::reader::SerializedFileReader<Source>;

fn readers(
    path: &Path,
    file: &File,
    group: usize,
    columns: &[&ColumnDescriptor],
) -> Result<Vec<Option<ColumnReader>>, TableError> {
    let group = file.get_row_group(group).map_err(failure(path))?;
    let is_flat = |column: &ColumnDescriptor| {
        column.max_rep_level() == 0
            && !matches!(column.physical_type(), Type::INT96 | Type::FIXED_LEN_BYTE_ARRAY)
    };
    columns
        .iter()
        .enumerate()
        .map(|(index, descriptor)| match is_flat(descriptor) {
            true => Ok(Some(column(path, &*group, index)?)),
            false => Ok(None),
        })
        .collect()
}

fn read_values(
    path: &Path,
    reader: Option<&mut ColumnReader>,
    descriptor: &ColumnDescriptor,
    rows: usize,
) -> Result<Values, TableError> {
    let defined = descriptor.max_def_level();
    let is_unsigned = matches!(
        descriptor.converted_type(),
        ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
            | ConvertedType::UINT_64
    );
    let unit = match descriptor.physical_type() {
        Type::INT32 | Type::INT64 if descriptor.type_scale() > 0 => {
            10f64.powi(-descriptor.type_scale())
        }
        _ => 1.0,
    };
    fn numbers<T>(found: Vec<Option<T>>, number: impl Fn(T) -> f64) -> Values {
        Values::Numbers(found.into_iter().map(|value| value.map(&number)).collect())
    }
    Ok(match reader {
        None => Values::Skipped,
        Some(ColumnReader::BoolColumnReader(reader)) => {
            numbers(values(path, reader, defined, rows)?, |value| f64::from(u8::from(value)))
        }
        Some(ColumnReader::Int32ColumnReader(reader)) => {
            numbers(values(path, reader, defined, rows)?, |value: i32| match is_unsigned {
                true => f64::from(value.cast_unsigned()),
                false => f64::from(value) * unit,
            })
        }
        Some(ColumnReader::Int64ColumnReader(reader)) => {
            numbers(values(path, reader, defined, rows)?, |value: i64| match is_unsigned {
                true => value.cast_unsigned() as f64,
                false => value as f64 * unit,
            })
        }
        Some(ColumnReader::FloatColumnReader(reader)) => {
            numbers(values(path, reader, defined, rows)?, f64::from)
        }
        Some(ColumnReader::DoubleColumnReader(reader)) => {
            numbers(values(path, reader, defined, rows)?, |value| value)
        }
        Some(ColumnReader::ByteArrayColumnReader(reader)) => {
            Values::Texts(values(path, reader, defined, rows)?)
        }
        Some(
            ColumnReader::Int96ColumnReader(_) | ColumnReader::FixedLenByteArrayColumnReader(_),
        ) => Values::Skipped,
    })
}

fn cell(values: &Values, row: usize) -> Option<Cell<'_>> {
    match values {
        Values::Skipped => None,
        Values::Numbers(numbers) => (*numbers.get(row)?).map(Cell::Number),
        Values::Texts(texts) => {
            let bytes = texts.get(row)?.as_ref()?.data();
            std::str::from_utf8(bytes).ok().map(Cell::Text)
        }
    }
}
