//! Numbers as a reader wants them: as many digits as their uncertainty earns, a true minus sign, never `NaN`.

/// What stands where a number is missing or not finite.
pub(crate) const MISSING: &str = "–";

/// A number with a fixed count of decimals.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return MISSING.to_owned();
    }
    if value.abs() >= 1e9 {
        return short(value);
    }
    let text = format!("{value:.decimals$}");
    // A rounded "-0.00" would claim a sign that the digits shown do not support.
    let negative = text.starts_with('-') && text.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    let digits = text.trim_start_matches('-');
    if negative { format!("−{digits}") } else { digits.to_owned() }
}

/// A difference: [`fixed`] with a plus sign when it is positive.
pub(crate) fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    let positive = value > 0.0 && text.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    if positive { format!("+{text}") } else { text }
}

/// Decimals that show two significant digits of an uncertainty; `fallback` when there is none.
pub(crate) fn decimals_for(uncertainty: f64, fallback: usize) -> usize {
    if !uncertainty.is_finite() || uncertainty <= 0.0 {
        return fallback;
    }
    (1.0 - uncertainty.log10().floor()).clamp(0.0, 6.0) as usize
}

/// A hyper-parameter, as it would be typed: `0.1`, `3e-4`, `1877`.
pub(crate) fn short(value: f64) -> String {
    if !value.is_finite() {
        return MISSING.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    if (1e-3..1e6).contains(&value.abs()) {
        let decimals = (3 - value.abs().log10().floor() as i32).max(0) as usize;
        return trim_zeros(&format!("{value:.decimals$}"));
    }
    let text = format!("{value:.3e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{}e{exponent}", trim_zeros(mantissa)),
        None => text,
    }
}

/// A value with three significant digits.
pub(crate) fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// A measured quantity with about four significant digits and a true minus sign.
pub(crate) fn measured(value: f64) -> String {
    short(value).replace('-', "−")
}

/// A count, with commas between thousands.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A fraction as per cent.
pub(crate) fn percent(fraction: f64) -> String {
    if !fraction.is_finite() {
        return MISSING.to_owned();
    }
    let value = 100.0 * fraction;
    let decimals = if value.abs() < 10.0 && value != 0.0 { 1 } else { 0 };
    format!("{} %", trim_zeros(&fixed(value, decimals)))
}

fn trim_zeros(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

/// A coordinate in an SVG: to a tenth of a pixel, and 0 rather than anything that is not a number.
pub(crate) fn coordinate(value: f64) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    let text = trim_zeros(&format!("{value:.1}"));
    if text == "-0" { "0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_follow_the_uncertainty() {
        assert_eq!(decimals_for(0.0034, 4), 4);
        assert_eq!(decimals_for(0.034, 4), 3);
        assert_eq!(decimals_for(3.4, 4), 1);
        assert_eq!(decimals_for(f64::NAN, 4), 4);
    }

    #[test]
    fn a_rounded_zero_has_no_sign() {
        assert_eq!(signed(-0.00001, 3), "0.000");
        assert_eq!(signed(0.00001, 3), "0.000");
        assert_eq!(signed(-0.0063, 4), "−0.0063");
        assert_eq!(signed(0.1047, 4), "+0.1047");
    }

    #[test]
    fn numbers_are_written_as_they_are_typed() {
        for (value, text) in [
            (0.0, "0"),
            (0.1, "0.1"),
            (8e-3, "0.008"),
            (3e-4, "3e-4"),
            (1877.0, "1877"),
            (1.5e7, "1.5e7"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(short(value), text);
        }
        assert_eq!(count(169_728), "169,728");
        assert_eq!(count(12), "12");
        assert_eq!(percent(0.88), "88 %");
        assert_eq!(percent(0.005), "0.5 %");
    }

    #[test]
    fn coordinates_are_always_numbers() {
        assert_eq!(coordinate(f64::NAN), "0");
        assert_eq!(coordinate(f64::INFINITY), "0");
        assert_eq!(coordinate(-0.001), "0");
        assert_eq!(coordinate(12.345), "12.3");
    }
}
