//! Numbers with magnitudes and units, as people type them: `124M`, `65536tok`, `5ep`, `1e-3`.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use wd_decay::{Unit, names};

use crate::ConventionError;

/// A finite number, what it counts (where that was said), and how exactly it was written.
///
/// | written | means |
/// |---|---|
/// | `50000`, `50_000`, `1e-3` | the number |
/// | `124M`, `10B`, `1.3k`, `2T` | × 10⁶, 10⁹, 10³, 10¹² |
/// | `2%` | × 10⁻² |
/// | `65536tok`, `3.3Btok`, `256seq`, `1.28Mimg`, `60000ex` | an amount of data |
/// | `5ep`, `400step` | epochs, steps |
///
/// The decimal magnitude is read together with the digits, so that `3.28B` is exactly
/// 3,280,000,000.
///
/// # Example
/// ```
/// use wd_conventions::Quantity;
/// use wd_decay::Unit;
///
/// let batch: Quantity = "0.5Mtok".parse()?;
/// assert_eq!((batch.value, batch.unit), (500_000.0, Some(Unit::Token)));
/// // Written with one digit: 0.45 to 0.55 million.
/// assert_eq!(batch.half_digit, 50_000.0);
/// assert!("5parsecs".parse::<Quantity>().is_err());
/// # Ok::<(), wd_conventions::ConventionError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantity {
    /// The number, its magnitude multiplied in.
    pub value: f64,
    /// What it counts; absent for a bare number.
    pub unit: Option<Unit>,
    /// Half of the last digit written, when a magnitude shows that the number was rounded;
    /// otherwise 0.
    #[serde(skip)]
    pub half_digit: f64,
}

/// Largest whole number below which every whole number is a double.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

impl Quantity {
    /// An exact quantity.
    pub const fn new(value: f64, unit: Option<Unit>) -> Self {
        Quantity { value, unit, half_digit: 0.0 }
    }

    /// The quantity as a whole number of at least 1.
    ///
    /// # Errors
    /// When it is not one; `key` names it in the message.
    pub fn count(self, key: &str) -> Result<u64, ConventionError> {
        if self.value.fract() == 0.0 && (1.0..=MOST_EXACT).contains(&self.value) {
            return Ok(self.value as u64);
        }
        Err(ConventionError::InvalidSetting {
            key: key.to_owned(),
            given: self.to_string(),
            reason: "it must be a whole number of at least 1".to_owned(),
        })
    }

    /// How far the value may be off by the way it was written, as a fraction of it.
    pub fn relative_precision(self) -> f64 {
        if self.value == 0.0 { 0.0 } else { self.half_digit / self.value.abs() }
    }
}

impl FromStr for Quantity {
    type Err = ConventionError;

    fn from_str(text: &str) -> Result<Self, ConventionError> {
        let refuse = |reason: &str| ConventionError::InvalidQuantity {
            given: text.to_owned(),
            reason: reason.to_owned(),
        };
        let typed = text.trim();
        let (digits, exponent, rest) = split_number(typed);
        if digits.is_empty() {
            return Err(refuse("it does not begin with a number"));
        }
        let (magnitude, unit) =
            split_magnitude(rest).ok_or_else(|| ConventionError::UnknownUnit {
                given: text.to_owned(),
                unit: rest.to_owned(),
                known: names::listed::<Unit>(),
            })?;
        let plain = digits.replace('_', "");
        let places = plain.split_once('.').map_or(0, |(_, places)| places.len());
        // An exponent beyond these is no quantity of anything, and would overflow the sum below.
        let exponent: i32 = match exponent {
            "" => 0,
            typed => typed.parse().map_err(|_| refuse("its exponent is out of range"))?,
        };
        if exponent.abs() > 400 {
            return Err(refuse("its exponent is out of range"));
        }
        let power = exponent + magnitude;
        let value: f64 =
            format!("{plain}e{power}").parse().map_err(|_| refuse("it is not a number"))?;
        if !value.is_finite() {
            return Err(refuse("it is not finite"));
        }
        // A magnitude is how people round; plain digits are taken as meant.
        let half_digit = match magnitude {
            3.. => 0.5 * 10f64.powi(power - places as i32),
            _ => 0.0,
        };
        Ok(Quantity { value, unit, half_digit })
    }
}

/// Splits `-1.5e-3tok` into `-1.5`, `-3`, `tok`; an `e` that begins a unit is no exponent.
fn split_number(text: &str) -> (&str, &str, &str) {
    let signed = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = text.len() - signed.len();
    let end = signed
        .find(|character: char| !(character.is_ascii_digit() || matches!(character, '.' | '_')))
        .unwrap_or(signed.len());
    if !signed[..end].contains(|character: char| character.is_ascii_digit()) {
        return ("", "", text);
    }
    let (digits, rest) = text.split_at(sign + end);
    if let Some(after) = rest.strip_prefix(['e', 'E']) {
        let body = after.strip_prefix(['-', '+']).unwrap_or(after);
        let length = body.find(|character: char| !character.is_ascii_digit()).unwrap_or(body.len());
        if length > 0 {
            let end = after.len() - body.len() + length;
            return (digits, &after[..end], &after[end..]);
        }
    }
    (digits, "", rest)
}

/// Reads `Btok` as (9, tokens); `None` when it is neither magnitude nor unit.
fn split_magnitude(text: &str) -> Option<(i32, Option<Unit>)> {
    let text = text.trim();
    if text.is_empty() {
        return Some((0, None));
    }
    if let Some(unit) = Unit::read(text) {
        return Some((0, Some(unit)));
    }
    let mut characters = text.chars();
    let magnitude = match characters.next()? {
        'k' | 'K' => 3,
        'M' => 6,
        'B' | 'G' => 9,
        'T' => 12,
        '%' => -2,
        _ => return None,
    };
    match characters.as_str().trim() {
        "" => Some((magnitude, None)),
        unit => Unit::read(unit).map(|unit| (magnitude, Some(unit))),
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.value.abs();
        let (scaled, magnitude) = match size {
            1e12.. => (self.value / 1e12, "T"),
            1e9.. => (self.value / 1e9, "B"),
            1e6.. => (self.value / 1e6, "M"),
            _ => (self.value, ""),
        };
        // Four significant digits where a magnitude stands for the rest; all of them otherwise.
        let number = match magnitude {
            "" => format!("{scaled}"),
            _ => {
                let places = if scaled.abs() >= 100.0 { 1 } else { 3 };
                let fixed = format!("{scaled:.places$}");
                fixed.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
        };
        let unit = self.unit.map_or("", Unit::name);
        formatter.pad(&format!("{number}{magnitude}{unit}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> (f64, Option<Unit>) {
        let quantity: Quantity = text.parse().unwrap();
        (quantity.value, quantity.unit)
    }

    #[test]
    fn what_people_type() {
        assert_eq!(read("124M"), (124e6, None));
        assert_eq!(read("10B"), (1e10, None));
        assert_eq!(read("0.5M"), (5e5, None));
        assert_eq!(read("65536tok"), (65536.0, Some(Unit::Token)));
        assert_eq!(read("3.3Btok"), (3.3e9, Some(Unit::Token)));
        assert_eq!(read("3.28B"), (3_280_000_000.0, None));
        assert_eq!(read("5ep"), (5.0, Some(Unit::Epoch)));
        assert_eq!(read("5 epochs"), (5.0, Some(Unit::Epoch)));
        assert_eq!(read("50000"), (50_000.0, None));
        assert_eq!(read("50_000"), (50_000.0, None));
        assert_eq!(read("1e-3"), (1e-3, None));
        assert_eq!(read("1e3tok"), (1000.0, Some(Unit::Token)));
        assert_eq!(read("256seq"), (256.0, Some(Unit::Sequence)));
        assert_eq!(read("1.28Mimg"), (1.28e6, Some(Unit::Image)));
        assert_eq!(read("3ex"), (3.0, Some(Unit::Example)));
        assert_eq!(read("2%"), (0.02, None));
        assert_eq!(read("-0.5"), (-0.5, None));
    }

    #[test]
    fn what_is_refused_says_why() {
        let message = |text: &str| text.parse::<Quantity>().unwrap_err().to_string();
        assert_eq!(
            message("3parsecs"),
            "`3parsecs` has the unknown unit `parsecs`; units: tok, seq, img, ex, ep, step; \
             magnitudes: k, M, B, T, %"
        );
        assert!(message("124m").contains("unknown unit `m`"));
        for text in ["", "nan", "inf", "-inf", "tok", ".", "-", "NaN", "_"] {
            assert!(message(text).contains("does not begin with a number"), "{text}");
        }
        assert!(message("1e999").contains("out of range"));
        assert!(message("1e309").contains("not finite"));
        assert!(message("1.2.3").contains("not a number"));
        assert!(message("1e99999999999").contains("out of range"));
    }

    #[test]
    fn counts_are_whole() {
        let count = |text: &str| text.parse::<Quantity>().unwrap().count("steps");
        assert_eq!(count("3.28B"), Ok(3_280_000_000));
        for text in ["0", "-1", "1.5", "1e-3", "1e16"] {
            assert!(count(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_a_magnitude_rounds() {
        let precision = |text: &str| text.parse::<Quantity>().unwrap().relative_precision();
        assert_eq!(precision("50000"), 0.0);
        assert_eq!(precision("10B"), 0.05);
        assert!((precision("3.28B") - 0.005 / 3.28).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _outcome = text.parse::<Quantity>();
        }

        #[test]
        fn a_whole_number_reads_back(value in 0..1_000_000u32) {
            let quantity = Quantity::new(f64::from(value), Some(Unit::Token));
            prop_assert_eq!(quantity.to_string().parse::<Quantity>().unwrap().value, f64::from(value));
        }
    }
}
