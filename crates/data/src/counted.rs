//! Numbers with what they count.

use std::fmt::Display;

/// `1 row`, `2 rows`. This crate depends on none of ours, and so has its own.
pub(crate) fn counted(count: impl Display, noun: &str) -> String {
    let count = count.to_string();
    let ending = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{ending}")
}
