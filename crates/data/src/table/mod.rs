//! Tables: from CSV or Parquet to blocks of a design matrix.
//!
//! | question | answered by |
//! |---|---|
//! | CSV or Parquet? plain, gzip or zstd? | the first bytes of the file, never its name |
//! | which character parts the columns of a CSV? | the first line: the most frequent of `,` `;` tab and `\|`, unless one is given |
//! | number or category? | Parquet: the schema. CSV: a first block of rows; a later row that contradicts it is an error that names its line |
//! | what is missing? | an empty field, `NA`, `N/A`, `NaN`, `null` (in any case), a null or a NaN of Parquet |
//!
//! A [`Design`] says which column becomes what: numbers as they are, a category of k levels as k −
//! 1 indicator columns beside its baseline. [`Design::read`] then gives the rows in dense
//! [`Block`]s of bounded size, so that memory does not grow with the file, and [`Blocks::finish`]
//! says what only the whole file can show: constant and duplicate columns.
//!
//! A table of numbers is read once. Levels, classes and means for imputation need a pass of their
//! own before.

mod block;
mod csv;
mod design;
mod dictionary;
mod encode;
mod error;
mod field;
mod findings;
mod folds;
mod format;
mod infer;
mod names;
mod parquet;
mod raw;
mod reader;
mod records;
mod rows;
mod survey;

pub use block::{Block, Blocks, SparseBlock};
pub use design::{
    Design, DesignOptions, Dropped, Encoding, Feature, Target, TargetKind, TargetUse,
};
pub use error::{TableError, TableOption};
pub use findings::Findings;
pub use folds::Folds;
pub use format::TableFormat;
pub use rows::{Cell, TakeRow, parquet_rows};
