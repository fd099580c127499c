//! How numbers are written, everywhere: as many digits as their uncertainty earns, a true minus
//! sign, never `NaN`.

/// What stands where a number is missing or not finite.
pub const MISSING: &str = "–";

/// A number with a fixed count of decimals.
pub fn fixed(value: f64, decimals: usize) -> String {
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
pub fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    let positive = value > 0.0 && text.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    if positive { format!("+{text}") } else { text }
}

/// Decimals that show two significant digits of an uncertainty; `fallback` when there is none.
pub fn decimals_for(uncertainty: f64, fallback: usize) -> usize {
    if !uncertainty.is_finite() || uncertainty <= 0.0 {
        return fallback;
    }
    (1.0 - uncertainty.log10().floor()).clamp(0.0, 6.0) as usize
}

/// A hyper-parameter, as it would be typed: `0.1`, `3e-4`, `1877`. Four significant digits at most.
pub fn short(value: f64) -> String {
    significant(value, 4)
}

/// At most `digits` significant digits, as a number would be typed: plain between 0.001 and a
/// million, in scientific notation elsewhere. An infinite value is `∞`.
pub fn significant(value: f64, digits: i32) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "-∞" }.to_owned();
    }
    if value.is_nan() {
        return MISSING.to_owned();
    }
    if value == 0.0 {
        // Also for −0, which an empty sum is.
        return "0".to_owned();
    }
    let digits = digits.max(1);
    // The form is that of the number as it is printed: 0.00099998 is 0.001, and not 1e-3.
    let printed = format!("{value:.*e}", digits as usize - 1).parse().unwrap_or(value);
    if printed.abs() >= 1e-3 && value.abs() < 1e6 {
        let decimals = (digits - 1 - printed.abs().log10().floor() as i32).max(0) as usize;
        return trim_zeros(&format!("{value:.decimals$}"));
    }
    let text = format!("{value:.*e}", digits as usize - 1);
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{}e{exponent}", trim_zeros(mantissa)),
        None => text,
    }
}

/// A value with three significant digits.
pub fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// A measured quantity with about four significant digits and a true minus sign.
pub fn measured(value: f64) -> String {
    short(value).replace('-', "−")
}

/// A count that may be a fraction, with commas between thousands: `2.5`, `16,667`.
pub fn amount(value: f64) -> String {
    match value {
        10.0..1e15 => count(value.round() as u64),
        _ => short(value),
    }
}

/// A count, with commas between thousands.
pub fn count(value: u64) -> String {
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
pub fn percent(fraction: f64) -> String {
    if !fraction.is_finite() {
        return MISSING.to_owned();
    }
    let value = 100.0 * fraction;
    let decimals = if value.abs() < 10.0 && value != 0.0 { 1 } else { 0 };
    format!("{} %", trim_zeros(&fixed(value, decimals)))
}

/// A count with its noun: `1 step`, `169,728 parameters`.
pub fn counted(number: u64, noun: &str) -> String {
    crate::words::counted(count(number), noun)
}

/// A time as a part of the run that it lies in: per cent, or how many times as long.
///
/// ```
/// use wd_page::number::of_the_run;
/// assert_eq!(of_the_run(1.0 / 3.0), "33 % of the run");
/// assert_eq!(of_the_run(2666.7), "2,667 times the run");
/// ```
pub fn of_the_run(fraction: f64) -> String {
    match fraction < 2.0 {
        true => format!("{} of the run", share(fraction)),
        false => format!("{} times the run", amount(fraction)),
    }
}

/// A share as per cent, with two significant digits; a tiny one as it is.
pub fn share(fraction: f64) -> String {
    let value = 100.0 * fraction;
    if value != 0.0 && value.abs() < 0.01 {
        return short(fraction);
    }
    let decimals = match value.abs() {
        10.0.. => 0,
        1.0.. => 1,
        _ => 2,
    };
    format!("{} %", trim_zeros(&format!("{value:.decimals$}")))
}

/// An amount of memory: 12,268,339 bytes are `11.7 MiB`.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = number as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{number} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// A speed, to be followed by its unit: 62,400 is `62.4 k`.
pub fn rate(number: f64) -> String {
    if number >= 1e6 {
        format!("{:.2} M", number / 1e6)
    } else if number >= 1e3 {
        format!("{:.1} k", number / 1e3)
    } else {
        format!("{number:.0}")
    }
}

/// Seconds as `1 h 02 min`, `3 min 05 s`, `4.2 s`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "unknown".to_owned();
    }
    if seconds < 10.0 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.min(1e12) as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
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

/// A number of hundredths in a path: `.43`, `-1.2`, `3`.
pub(crate) fn hundredths(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let (whole, part) = (number.unsigned_abs() / 100, number.unsigned_abs() % 100);
    if part == 0 {
        return format!("{sign}{whole}");
    }
    let whole = if whole == 0 { String::new() } else { whole.to_string() };
    format!("{sign}{whole}.{}", format!("{part:02}").trim_end_matches('0'))
}

/// Samples a parameter: `22.6`, `0.031`.
pub fn per_parameter(ratio: f64) -> String {
    if ratio >= 0.1 { format!("{ratio:.1}") } else { short(ratio) }
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
            (f64::INFINITY, "∞"),
            (-0.0, "0"),
            (0.99994, "0.9999"),
            (3.2768e9, "3.277e9"),
            (9.9998e-4, "0.001"),
            (999_996.0, "999996"),
            (17_388.0, "17388"),
        ] {
            assert_eq!(short(value), text);
        }
        assert_eq!(significant(0.172_63, 3), "0.173");
        assert_eq!(significant(1.236e8, 2), "1.2e8");
        assert_eq!(amount(16_666.67), "16,667");
        assert_eq!(amount(2.5), "2.5");
        assert_eq!(share(1.0 / 3.0), "33 %");
        assert_eq!(share(0.00012), "0.01 %");
        assert_eq!(share(0.000_012), "1.2e-5");
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(12_268_339), "11.7 MiB");
        assert_eq!(rate(62_400.0), "62.4 k");
        assert_eq!(duration(185.0), "3 min 05 s");
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
        let written = [43, -120, 300, 7, -5, 0, -12_345].map(hundredths);
        assert_eq!(written, [".43", "-1.2", "3", ".07", "-.05", "0", "-123.45"]);
    }
}
