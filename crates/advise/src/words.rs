//! Numbers as sentences have them.

use wd_conventions::Quantity;
use wd_page::number;

use crate::Range;

/// Three significant digits, as people write the size: `0.173`, `6e-4`, `53700`, `124M`.
pub(crate) fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    match rounded.abs() {
        1e6..1e15 => Quantity::new(rounded, None).to_string(),
        size if size == 0.0 || size >= 1e-3 => format!("{rounded}"),
        _ => format!("{rounded:e}"),
    }
}

/// Two significant digits: as fine as λ is ever tuned.
pub(crate) fn coarse(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

/// λ as sentences have it.
pub(crate) fn lambda(value: f64) -> String {
    number::short(coarse(value))
}

/// A range of λ.
pub(crate) fn range(range: Range) -> String {
    format!("{} to {}", lambda(range.low), lambda(range.high))
}

/// A range of values.
pub(crate) fn between(low: f64, high: f64) -> String {
    format!("{} to {}", short(low), short(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits() {
        for (value, text) in [
            (0.172_63, "0.173"),
            (6e-4, "6e-4"),
            (50_048.8, "50000"),
            (1.0, "1"),
            (0.0, "0"),
            (26.45, "26.4"),
            (3.2e12, "3.2T"),
            (1.236e8, "124M"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
