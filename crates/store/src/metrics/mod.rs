//! `metrics.bin`: one fixed-width row a step.
//!
//! ```text
//! offset  bytes   content (little-endian)
//! 0       8       "wdmetric"
//! 8       4       version, 1
//! 12      4       length L of the schema
//! 16      32      BLAKE3 of bytes 0..16 followed by the schema
//! 48      L       schema: {"columns":[{"name":"step","dtype":"f64"}, …]}, padded with spaces
//! 48 + L          rows: the columns in order, f64 or f32, without padding
//! ```
//!
//! The header appears whole or not at all. Rows are only appended, with increasing steps; what is
//! after the last whole row, and rows at the end whose step does not increase (a disk that lost its
//! last blocks), are not there for a reader.

mod header;
mod reader;
mod role;
mod writer;

pub use header::{Column, ColumnType};
pub use reader::MetricsReader;
pub use role::ROLE_MEASURES;
pub use writer::MetricsWriter;

/// Steps are stored as f64; beyond 2^53 they would no longer be exact.
const LARGEST_STEP: f64 = 9_007_199_254_740_992.0;

/// The step that a row's first value stands for, when it is one: a whole number from 1.
fn whole_step(value: f64) -> Option<u64> {
    ((1.0..=LARGEST_STEP).contains(&value) && value.fract() == 0.0).then_some(value as u64)
}
