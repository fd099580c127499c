//! Tables as users bring them: types, categories, empty cells, damage.

mod csv;
mod hostile;
mod meaning;
mod parquet;
mod support;
