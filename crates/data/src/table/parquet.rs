//! Parquet files, read column by column without a row or an Arrow array in between.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::dictionary::{Dictionary, MISSING};
use super::error::{TableError, TableOption};
use super::field::{Cells, Field};
use super::odd::{INFINITE, Odd};
use super::raw::{Column, Kind, Place, RawBlock, RawColumn};
use super::reading::Reading;
use super::sniff::{INFERRED_ROWS, Sniffed};
use crate::counted::counted;
use crate::parquet_file::{Source, column, failure, open, values};

/// The columns of a Parquet file: from its schema, and from a first block of rows where that says
/// no more than that they are texts.
pub(super) fn columns(path: &Path, reading: &Reading) -> Result<Vec<Column>, TableError> {
    let file = open(path)?;
    let metadata = file.metadata().file_metadata();
    if metadata.num_rows() <= 0 {
        return Err(TableError::table(path, "it has no rows"));
    }
    let of_schema = |column: &ColumnDescriptor| Column {
        name: column.path().string(),
        kind: match column.physical_type() {
            Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY => Kind::Category,
            _ => Kind::Number,
        },
        unreadable: unreadable(column),
        example: String::new(),
        is_doubtful: false,
        is_empty: false,
        dates: None,
        padded: None,
        has_classes: true,
    };
    let schema = metadata.schema_descr().columns();
    let mut columns: Vec<Column> = schema.iter().map(|column| of_schema(column)).collect();
    let is_text = |column: &Column| column.kind == Kind::Category && column.unreadable.is_none();
    let kinds: Vec<Option<Kind>> =
        columns.iter().map(|column| is_text(column).then_some(Kind::Text)).collect();
    if kinds.iter().all(Option::is_none) {
        return Ok(columns);
    }
    let cells = Cells::new(reading);
    let mut block = RawBlock::new(&kinds);
    ParquetReader::open(path, reading, &kinds)?.next(&mut block, INFERRED_ROWS)?;
    for (column, raw) in columns.iter_mut().zip(&block.columns) {
        if let RawColumn::Texts(texts) = raw {
            let mut sniffed = Sniffed::new();
            texts.iter().for_each(|text| sniffed.see(&cells, text.as_bytes()));
            *column = sniffed.column(std::mem::take(&mut column.name));
        }
    }
    Ok(columns)
}

/// Why a column has neither numbers nor texts that stand for themselves.
fn unreadable(column: &ColumnDescriptor) -> Option<String> {
    let is_text =
        matches!(column.logical_type_ref(), Some(LogicalType::String | LogicalType::Enum))
            || matches!(column.converted_type(), ConvertedType::UTF8 | ConvertedType::ENUM);
    if column.max_rep_level() > 0 {
        return Some("it holds lists".to_owned());
    }
    match column.physical_type() {
        Type::INT96 => Some("it holds times in the old INT96 form".to_owned()),
        Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY
            // Older writers mark text by nothing at all; bytes that are not UTF-8 are refused as
            // they are read.
            if !is_text
                && (column.physical_type() == Type::FIXED_LEN_BYTE_ARRAY
                    || column.logical_type_ref().is_some()
                    || column.converted_type() != ConvertedType::NONE) =>
        {
            Some("it holds bytes that are no text".to_owned())
        }
        _ => None,
    }
}

/// Rows of a Parquet file.
pub(super) struct ParquetReader {
    pub(super) path: PathBuf,
    file: SerializedFileReader<Source>,
    names: Vec<String>,
    /// What one unit of a column's integers stands for: 0.01 for a decimal of two places.
    units: Vec<f64>,
    unsigned: Vec<bool>,
    /// The definition level of a value that is there.
    defined: Vec<i16>,
    group: usize,
    left_in_group: u64,
    columns: Vec<Option<ColumnReader>>,
    pub(super) dictionaries: Vec<Dictionary>,
    numbers: Vec<HashMap<u64, u32>>,
    kinds: Vec<Option<Kind>>,
    cells: Cells,
    /// Cells that are no dates in columns of dates.
    pub(super) odd: Vec<Odd>,
    pub(super) rows: u64,
}

impl ParquetReader {
    pub(super) fn open(
        path: &Path,
        reading: &Reading,
        kinds: &[Option<Kind>],
    ) -> Result<Self, TableError> {
        let file = open(path)?;
        let schema = file.metadata().file_metadata().schema_descr();
        if schema.num_columns() != kinds.len() {
            return Err(TableError::table(path, "it changed while it was read"));
        }
        let unit = |column: &ColumnDescriptor| match column.physical_type() {
            Type::INT32 | Type::INT64 if column.type_scale() > 0 => {
                10f64.powi(-column.type_scale())
            }
            _ => 1.0,
        };
        Ok(ParquetReader {
            path: path.to_owned(),
            names: schema.columns().iter().map(|column| column.path().string()).collect(),
            units: schema.columns().iter().map(|column| unit(column)).collect(),
            unsigned: schema
                .columns()
                .iter()
                .map(|column| {
                    matches!(
                        column.converted_type(),
                        ConvertedType::UINT_8
                            | ConvertedType::UINT_16
                            | ConvertedType::UINT_32
                            | ConvertedType::UINT_64
                    )
                })
                .collect(),
            defined: schema.columns().iter().map(|column| column.max_def_level()).collect(),
            group: 0,
            left_in_group: 0,
            columns: kinds.iter().map(|_| None).collect(),
            dictionaries: kinds.iter().map(|_| Dictionary::default()).collect(),
            numbers: kinds.iter().map(|_| HashMap::new()).collect(),
            kinds: kinds.to_vec(),
            cells: Cells::new(reading),
            odd: vec![Odd::default(); kinds.len()],
            rows: 0,
            file,
        })
    }

    /// Adds up to `most` rows to an empty block; a block never crosses a row group.
    pub(super) fn next(&mut self, block: &mut RawBlock, most: usize) -> Result<(), TableError> {
        while self.left_in_group == 0 {
            if self.group == self.file.num_row_groups() {
                return Ok(());
            }
            self.open_group(block)?;
        }
        let rows = self.left_in_group.min(most as u64) as usize;
        for index in 0..block.columns.len() {
            let Some(mut reader) = self.columns[index].take() else {
                continue;
            };
            let read = self.read_column(&mut reader, index, &mut block.columns[index], rows)?;
            self.columns[index] = Some(reader);
            if read != rows {
                return Err(TableError::table(
                    &self.path,
                    format!(
                        "column `{}` ends after {}, before its row group does: the file is damaged",
                        self.names[index],
                        counted(self.rows + read as u64, "row")
                    ),
                ));
            }
        }
        block.rows = rows;
        self.rows += rows as u64;
        self.left_in_group -= rows as u64;
        Ok(())
    }

    fn open_group(&mut self, block: &RawBlock) -> Result<(), TableError> {
        let group = self.file.get_row_group(self.group).map_err(failure(&self.path))?;
        self.left_in_group = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
        for (index, raw) in block.columns.iter().enumerate() {
            self.columns[index] = match raw {
                RawColumn::Skipped => None,
                _ => Some(column(&self.path, &*group, index)?),
            };
        }
        self.group += 1;
        Ok(())
    }

    fn read_column(
        &mut self,
        reader: &mut ColumnReader,
        index: usize,
        column: &mut RawColumn,
        rows: usize,
    ) -> Result<usize, TableError> {
        let (unit, unsigned) = (self.units[index], self.unsigned[index]);
        match reader {
            ColumnReader::BoolColumnReader(reader) => {
                self.numbers(reader, index, column, rows, |value| f64::from(u8::from(*value)))
            }
            ColumnReader::Int32ColumnReader(reader) => {
                self.numbers(reader, index, column, rows, |value| match unsigned {
                    true => f64::from(value.cast_unsigned()),
                    false => f64::from(*value) * unit,
                })
            }
            // Exact to 2⁵³, which reaches the year 2255 in microseconds.
            ColumnReader::Int64ColumnReader(reader) => {
                self.numbers(reader, index, column, rows, |value| match unsigned {
                    true => value.cast_unsigned() as f64,
                    false => *value as f64 * unit,
                })
            }
            ColumnReader::FloatColumnReader(reader) => {
                self.numbers(reader, index, column, rows, |value| f64::from(*value))
            }
            ColumnReader::DoubleColumnReader(reader) => {
                self.numbers(reader, index, column, rows, |value| *value)
            }
            ColumnReader::ByteArrayColumnReader(reader) => self.texts(reader, index, column, rows),
            ColumnReader::Int96ColumnReader(_) | ColumnReader::FixedLenByteArrayColumnReader(_) => {
                let problem = format!(
                    "column `{}` cannot be read; leave it out with `drop`",
                    self.names[index]
                );
                Err(TableError::table(&self.path, problem).mended_by(&[TableOption::Drop]))
            }
        }
    }

    fn numbers<T: DataType>(
        &mut self,
        reader: &mut ColumnReaderImpl<T>,
        index: usize,
        column: &mut RawColumn,
        rows: usize,
        number: impl Fn(&T::T) -> f64,
    ) -> Result<usize, TableError> {
        let values = values(&self.path, reader, self.defined[index], rows)?;
        let read = values.len();
        for (row, value) in values.into_iter().enumerate() {
            let value = value.map_or(f64::NAN, |value| number(&value));
            if value.is_infinite() {
                return Err(self.cell(row, index, INFINITE).mended_by(&[TableOption::Missing]));
            }
            let value = if self.cells.is_code(value) { f64::NAN } else { value };
            match column {
                RawColumn::Skipped => {}
                RawColumn::Texts(texts) => {
                    texts.push(if value.is_nan() { String::new() } else { value.to_string() });
                }
                RawColumn::Numbers(numbers) => numbers.push(value),
                RawColumn::Codes(codes) => {
                    // −0 and 0 are one class.
                    let value = value + 0.0;
                    codes.push(if value.is_nan() {
                        MISSING
                    } else if let Some(code) = self.numbers[index].get(&value.to_bits()) {
                        *code
                    } else {
                        let code = self.code(row, index, &value.to_string())?;
                        self.numbers[index].insert(value.to_bits(), code);
                        code
                    });
                }
            }
        }
        Ok(read)
    }

    fn texts(
        &mut self,
        reader: &mut ColumnReaderImpl<parquet::data_type::ByteArrayType>,
        index: usize,
        column: &mut RawColumn,
        rows: usize,
    ) -> Result<usize, TableError> {
        let values: Vec<Option<ByteArray>> = values(&self.path, reader, self.defined[index], rows)?;
        for (row, value) in values.iter().enumerate() {
            let bytes = value.as_ref().map_or(&[][..], |value| value.data()).trim_ascii();
            let is_missing = self.cells.is_missing(bytes);
            if let RawColumn::Texts(texts) = column {
                texts.push(String::from_utf8_lossy(bytes).into_owned());
                continue;
            }
            if let RawColumn::Numbers(numbers) = column {
                numbers.push(self.text_as_number(row, index, bytes)?);
                continue;
            }
            let code = if is_missing {
                MISSING
            } else {
                let text = std::str::from_utf8(bytes).map_err(|_| {
                    let problem = "is not UTF-8; leave the column out with `drop`";
                    self.cell(row, index, problem).mended_by(&[TableOption::Drop])
                })?;
                self.code(row, index, text)?
            };
            if let RawColumn::Codes(codes) = column {
                codes.push(code);
            }
        }
        Ok(values.len())
    }

    /// A text as a number, or as the days of its date; NaN for a missing one, and for what is no
    /// number, which is counted.
    fn text_as_number(
        &mut self,
        row: usize,
        column: usize,
        bytes: &[u8],
    ) -> Result<f64, TableError> {
        let place = Place::Row(self.rows + row as u64 + 1);
        let found = match (self.kinds[column], self.cells.read(bytes)) {
            (Some(Kind::Date(order)), Field::Text(text)) => order.days(text),
            (Some(Kind::Date(_)), Field::Number(_)) => None,
            (_, Field::Number(value)) => Some(value),
            (_, Field::Missing) => return Ok(f64::NAN),
            (_, Field::Infinite) => {
                return Err(self.cell(row, column, INFINITE).mended_by(&[TableOption::Missing]));
            }
            (_, Field::Text(_)) => None,
        };
        if found.is_none() {
            self.odd[column].add(bytes, 1, Some(place));
        }
        Ok(found.unwrap_or(f64::NAN))
    }

    /// The code of a text.
    fn code(&mut self, row: usize, column: usize, text: &str) -> Result<u32, TableError> {
        self.dictionaries[column]
            .code(text)
            .map_err(|problem| self.cell(row, column, problem).mended_by(&[TableOption::Drop]))
    }

    fn cell(&self, row: usize, column: usize, problem: impl Into<String>) -> TableError {
        let place = Place::Row(self.rows + row as u64 + 1);
        TableError::cell(&self.path, place, &self.names[column], problem)
    }
}
