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

impl Horizontal {
    /// A quantity on a linear axis.
    pub fn linear(label: &str) -> Self {
        Self::Quantity { label: label.to_owned(), transform: Transform::Linear }
    }

    /// A quantity on a logarithmic axis.
    pub fn logarithmic(label: &str) -> Self {
        Self::Quantity { label: label.to_owned(), transform: Transform::Log }
    }

    /// Named places.
    pub fn categories(label: &str, names: impl IntoIterator<Item = String>) -> Self {
        Self::Categories { label: label.to_owned(), names: names.into_iter().collect() }
    }
}
