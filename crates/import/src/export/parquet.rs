//! Tables as Parquet.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::tables::Kind;
use super::{Cell, Column, Sink, unwritable};
use crate::ImportError;

/// Rows of a row group: what is held in memory at once.
const GROUP: usize = 1 << 17;

/// A folder with a Parquet file for each table.
pub(super) struct Files {
    folder: PathBuf,
    open: Option<Table>,
}

/// Values of a column that wait for their row group; `levels` says which are there.
struct Waiting {
    levels: Vec<i16>,
    values: Values,
}

enum Values {
    Text(Vec<ByteArray>),
    Number(Vec<f64>),
    Integer(Vec<i64>),
}

struct Table {
    path: PathBuf,
    writer: SerializedFileWriter<File>,
    columns: Vec<Waiting>,
    rows: usize,
}

impl Files {
    pub(super) fn new(folder: &Path) -> Result<Self, ImportError> {
        fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
        Ok(Files { folder: folder.to_owned(), open: None })
    }
}

impl Sink for Files {
    fn begin(&mut self, table: &str, columns: &[Column]) -> Result<(), ImportError> {
        let path = self.folder.join(format!("{table}.parquet"));
        let file = File::create(&path).map_err(|error| unwritable(&path, error))?;
        let writer = writer(file, table, columns).map_err(|error| unwritable(&path, error))?;
        let columns = columns.iter().map(|(_, kind)| Waiting::new(*kind)).collect();
        self.open = Some(Table { path, writer, columns, rows: 0 });
        Ok(())
    }

    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ImportError> {
        let Some(table) = &mut self.open else { return Ok(()) };
        for (column, cell) in table.columns.iter_mut().zip(cells) {
            column.push(*cell);
        }
        table.rows += 1;
        match table.rows == GROUP {
            true => table.flush(),
            false => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), ImportError> {
        let Some(mut table) = self.open.take() else { return Ok(()) };
        table.flush()?;
        table.writer.close().map(drop).map_err(|error| unwritable(&table.path, error))
    }
}

fn writer(
    file: File,
    table: &str,
    columns: &[Column],
) -> Result<SerializedFileWriter<File>, ParquetError> {
    let fields = columns.iter().map(|(name, kind)| {
        let (physical, converted) = match kind {
            Kind::Text => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
            Kind::Number => (Physical::DOUBLE, ConvertedType::NONE),
            Kind::Integer => (Physical::INT64, ConvertedType::NONE),
        };
        Type::primitive_type_builder(name, physical)
            .with_converted_type(converted)
            .with_repetition(Repetition::OPTIONAL)
            .build()
            .map(Arc::new)
    });
    let fields = fields.collect::<Result<Vec<_>, ParquetError>>()?;
    let schema = Type::group_type_builder(table).with_fields(fields).build()?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))
}

impl Table {
    fn flush(&mut self) -> Result<(), ImportError> {
        if self.rows == 0 {
            return Ok(());
        }
        self.rows = 0;
        write_group(&mut self.writer, &mut self.columns)
            .map_err(|error| unwritable(&self.path, error))
    }
}

fn write_group(
    writer: &mut SerializedFileWriter<File>,
    columns: &mut [Waiting],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for waiting in columns {
        let Some(mut column) = group.next_column()? else { break };
        let levels = Some(waiting.levels.as_slice());
        match (column.untyped(), &waiting.values) {
            (ColumnWriter::ByteArrayColumnWriter(writer), Values::Text(values)) => {
                writer.write_batch(values, levels, None)?;
            }
            (ColumnWriter::DoubleColumnWriter(writer), Values::Number(values)) => {
                writer.write_batch(values, levels, None)?;
            }
            (ColumnWriter::Int64ColumnWriter(writer), Values::Integer(values)) => {
                writer.write_batch(values, levels, None)?;
            }
            // The schema was made of the same kinds.
            _ => {}
        }
        column.close()?;
        waiting.clear();
    }
    group.close().map(drop)
}

impl Waiting {
    fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text => Values::Text(Vec::new()),
            Kind::Number => Values::Number(Vec::new()),
            Kind::Integer => Values::Integer(Vec::new()),
        };
        Waiting { levels: Vec::new(), values }
    }

    fn push(&mut self, cell: Cell<'_>) {
        let is_there = match (cell, &mut self.values) {
            (Cell::Text(text), Values::Text(values)) => {
                values.push(ByteArray::from(text));
                true
            }
            (Cell::Number(number), Values::Number(values)) if !number.is_nan() => {
                values.push(number);
                true
            }
            (Cell::Integer(number), Values::Integer(values)) => {
                values.push(i64::try_from(number).unwrap_or(i64::MAX));
                true
            }
            _ => false,
        };
        self.levels.push(i16::from(is_there));
    }

    fn clear(&mut self) {
        self.levels.clear();
        match &mut self.values {
            Values::Text(values) => values.clear(),
            Values::Number(values) => values.clear(),
            Values::Integer(values) => values.clear(),
        }
    }
}
