//! Numbers as sentences have them.

/// Three significant digits, plain where that is short: `0.173`, `6e-4`, `53700`.
pub(crate) fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    let size = rounded.abs();
    if rounded == 0.0 || !rounded.is_finite() || (1e-3..1e7).contains(&size) {
        format!("{rounded}")
    } else {
        format!("{rounded:e}")
    }
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
            (3.2e12, "3.2e12"),
        ] {
            assert_eq!(short(value), text);
        }
    }
}
