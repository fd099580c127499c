//! The value of a key, and how it is written where it is to be pasted.

use std::fmt;

use serde::{Serialize, Serializer};

/// The value of a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A switch.
    Switch(bool),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // JSON has no infinity, which is what no decay is for a `C`.
            Value::Number(number) if number.is_infinite() => serializer.serialize_str("inf"),
            Value::Number(number) => serializer.serialize_f64(*number),
            Value::Switch(on) => serializer.serialize_bool(*on),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => formatter.pad(&pasted(*number)),
            Value::Switch(on) => write!(formatter, "{on}"),
        }
    }
}

/// A number to paste: at most twelve significant digits, which hides the rounding of a product.
pub(super) fn pasted(value: f64) -> String {
    let rounded: f64 = format!("{value:.11e}").parse().unwrap_or(value);
    let size = rounded.abs();
    if rounded != 0.0 && !(1e-3..1e15).contains(&size) {
        format!("{rounded:e}")
    } else {
        format!("{rounded}")
    }
}

#[cfg(test)]
mod tests {
    use super::pasted;

    #[test]
    fn numbers_to_paste() {
        assert_eq!(pasted(0.1 * 6e-4), "6e-5");
        assert_eq!(pasted(0.1 + 0.2), "0.3");
        assert_eq!(pasted(1e-3), "0.001");
        assert_eq!(pasted(0.0), "0");
        assert_eq!(pasted(50_000.0), "50000");
        assert_eq!(pasted(1.0 / 3.0), "0.333333333333");
    }
}
