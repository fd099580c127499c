//! `[data]` → what a run is trained and judged on, before the first step.

mod images;
mod planned;
pub(crate) mod text;

pub use images::ImageData;
pub(crate) use planned::PlannedData;
