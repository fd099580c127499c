//! The axis that panels share.

use serde::Serialize;

use super::scale::Transform;

/// The horizontal axis that all panels share.
#[derive(Debug, Clone, Serialize)]
pub enum Horizontal {
    /// A quantity.
    Quantity {
        /// Its name.
        label: String,
        /// Linear or logarithmic.
        transform: Transform,
    },
    /// Named places, in order.
    Categories {
        /// What they are.
        label: String,
        /// Their names; the point at category `i` has `x = i`.
        names: Vec<String>,
    },
}
