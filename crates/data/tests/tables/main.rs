//! Tables as users bring them: types, categories, empty cells, damage.

mod csv;
mod hostile;
mod parquet;
mod support;
