//! What an evaluation says.

/// Numbers of an evaluation, by the name of their column in `metrics.bin`.
pub(crate) type Scores = Vec<(&'static str, f64)>;
