//! Tables: from CSV or Parquet to blocks of a design matrix.
//!
//! | question | answered by |
//! |---|---|
//! | CSV or Parquet? plain, gzip or zstd? | the first bytes of the file, never its name |
//! | which character parts the columns of a CSV? | the first line: the most frequent of `,` `;` tab and `\|`, or blanks, unless one is given |
//! | number or category? | a first block of rows: numbers, where most of its cells are; Parquet's numbers by the schema. Cells that do not fit are an error that counts and quotes them, wherever they stand |
//! | what is missing? | an empty field, `NA`, `N/A`, `NaN`, `null` (in any case), a null or a NaN of Parquet, and what [`Reading`] declares |
//! | how are numbers and letters written? | as [`Reading`] says: decimal commas, thousands, signs and units, Latin-1, UTF-16, comments. Numbers in a spelling that was not declared are an error that names it |
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
mod dates;
mod derive;
mod design;
mod dictionary;
mod encode;
mod error;
mod field;
mod findings;
mod folds;
mod format;
mod infer;
mod kinds;
mod letters;
mod names;
mod odd;
mod parquet;
mod raw;
mod reader;
mod reading;
mod records;
mod roles;
mod rows;
mod sniff;
mod sparse;
mod spelling;
mod survey;
mod targets;

pub use block::{Block, Blocks, SparseBlock};
pub use dates::{DateOrder, DateUse};
pub use derive::{Function, Term};
pub use design::{
    Design, DesignOptions, Dropped, Encoding, Feature, Target, TargetKind, TargetUse,
};
pub use error::{TableError, TableOption};
pub use field::MISSING_WORDS;
pub use findings::{Findings, LeftOut, Sentinel};
pub use folds::Folds;
pub use reading::{DecimalMark, Reading, TextEncoding, Unseen};
pub use rows::{Cell, TakeRow, parquet_rows};
