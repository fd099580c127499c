//! The header of `metrics.bin`: which columns its rows have.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::StoreError;

const MAGIC: &[u8; 8] = b"wdmetric";
pub(super) const VERSION: u32 = 1;
const FIXED: usize = 48;
/// Rows begin at a multiple of this: a cache line.
const ALIGNMENT: usize = 64;

/// How the values of a column are stored. Readers always give f64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Eight bytes.
    F64,
    /// Four bytes: values are rounded to 24 bits.
    F32,
}

impl ColumnType {
    /// Bytes of one value.
    pub fn width(self) -> usize {
        match self {
            ColumnType::F64 => 8,
            ColumnType::F32 => 4,
        }
    }
}

/// A column of `metrics.bin`. Columns of single tensors are named `measure/path`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Unique name.
    pub name: String,
    /// How its values are stored.
    pub dtype: ColumnType,
}

impl Column {
    /// A column stored in eight bytes a row.
    pub fn f64(name: impl Into<String>) -> Self {
        Self { name: name.into(), dtype: ColumnType::F64 }
    }

    /// A column stored in four bytes a row.
    pub fn f32(name: impl Into<String>) -> Self {
        Self { name: name.into(), dtype: ColumnType::F32 }
    }
}

#[derive(Serialize, Deserialize)]
struct Schema<'a> {
    columns: std::borrow::Cow<'a, [Column]>,
}

/// What a header says, with what follows from it.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) columns: Vec<Column>,
    /// Offset of each column in a row.
    pub(super) offsets: Vec<usize>,
    /// Bytes of a row.
    pub(super) row_width: usize,
    /// Offset of the first row.
    pub(super) data_start: usize,
    /// Column number by name.
    pub(super) index: HashMap<String, usize>,
}

/// Why bytes are no header.
pub(super) enum HeaderProblem {
    TooNew(u32),
    Damaged(String),
}

/// Columns that can be a schema: not empty, `step` first, names unique.
pub(super) fn check_columns(columns: &[Column]) -> Result<(), StoreError> {
    let invalid = |reason: String| StoreError::InvalidColumns { reason };
    if columns.first() != Some(&Column::f64("step")) {
        return Err(invalid("the first column must be `step`, stored as f64".to_owned()));
    }
    let mut seen = std::collections::HashSet::new();
    for column in columns {
        if column.name.is_empty() {
            return Err(invalid("a column has no name".to_owned()));
        }
        if !seen.insert(&column.name) {
            return Err(invalid(format!("column `{}` is there twice", column.name)));
        }
    }
    Ok(())
}

/// The bytes of a header for checked columns.
pub(super) fn encode(columns: &[Column]) -> Result<Vec<u8>, StoreError> {
    let invalid = |reason: String| StoreError::InvalidColumns { reason };
    let mut schema = serde_json::to_vec(&Schema { columns: columns.into() })
        .map_err(|error| invalid(error.to_string()))?;
    schema.resize((FIXED + schema.len()).next_multiple_of(ALIGNMENT) - FIXED, b' ');
    let length = u32::try_from(schema.len())
        .map_err(|_| invalid("the names take more than 4 GiB".to_owned()))?;
    let mut bytes = Vec::with_capacity(FIXED + schema.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    let checksum = checksum(&bytes, &schema);
    bytes.extend_from_slice(checksum.as_bytes());
    bytes.extend_from_slice(&schema);
    Ok(bytes)
}

/// Reads the header at the beginning of `file`.
pub(super) fn decode(file: &[u8]) -> Result<Header, HeaderProblem> {
    let damaged = |reason: &str| HeaderProblem::Damaged(reason.to_owned());
    let fixed = file.get(..FIXED).ok_or_else(|| damaged("it is shorter than a header"))?;
    if !fixed.starts_with(MAGIC) {
        return Err(damaged("it does not begin like a metrics file"));
    }
    let number =
        |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
    if number(8) > VERSION {
        return Err(HeaderProblem::TooNew(number(8)));
    }
    let data_start = (number(12) as usize)
        .checked_add(FIXED)
        .ok_or_else(|| damaged("its schema is too long"))?;
    let schema = file.get(FIXED..data_start).ok_or_else(|| damaged("its schema is cut off"))?;
    if checksum(&fixed[..16], schema).as_bytes()[..] != fixed[16..FIXED] {
        return Err(damaged("the checksum of its header does not match"));
    }
    let Schema { columns } =
        serde_json::from_slice(schema).map_err(|error| damaged(&error.to_string()))?;
    let columns = columns.into_owned();
    check_columns(&columns).map_err(|error| damaged(&error.to_string()))?;
    let mut row_width = 0;
    let offsets = columns
        .iter()
        .map(|column| {
            let offset = row_width;
            row_width += column.dtype.width();
            offset
        })
        .collect();
    let index = columns.iter().enumerate().map(|(at, column)| (column.name.clone(), at)).collect();
    Ok(Header { columns, offsets, row_width, data_start, index })
}

fn checksum(fixed: &[u8], schema: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(fixed);
    hasher.update(schema);
    hasher.finalize()
}
