//! Numbers in sentences: four significant digits, as a person types them.

/// A number with at most four significant digits: `0.1`, `6e-4`, `1234`, `3.277e9`.
pub(super) fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !value.is_finite() {
        return value.to_string();
    }
    let size = value.abs();
    if (1e-3..1e5).contains(&size) {
        let decimals = (3 - size.log10().floor() as i32).max(0) as usize;
        return trimmed(&format!("{value:.decimals$}"));
    }
    let text = format!("{value:.3e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{}e{exponent}", trimmed(mantissa)),
        None => text,
    }
}

/// A share as per cent, with two significant digits; a tiny one as it is.
pub(super) fn percent(share: f64) -> String {
    let value = 100.0 * share;
    if value != 0.0 && value.abs() < 0.01 {
        return short(share);
    }
    let decimals = match value.abs() {
        10.0.. => 0,
        1.0.. => 1,
        _ => 2,
    };
    format!("{} %", trimmed(&format!("{value:.decimals$}")))
}

/// What is left of something: nearly all of it is better said by what is gone.
pub(super) fn left(share: f64) -> String {
    if share < 0.0 {
        format!("{}, its sign changed,", percent(-share))
    } else if share == 1.0 {
        "all".to_owned()
    } else if share > 0.995 {
        format!("all but {}", percent(1.0 - share))
    } else {
        percent(share)
    }
}

/// A part of the run: per cent, or how many times as long.
pub(super) fn of_the_run(fraction: f64) -> String {
    if fraction < 2.0 {
        format!("{} of the run", percent(fraction))
    } else {
        format!("{} times the run", count(fraction))
    }
}

/// A count of steps, with commas between thousands.
pub(super) fn count(value: f64) -> String {
    if !(10.0..1e15).contains(&value) {
        return short(value);
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn trimmed(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are_typed() {
        for (value, text) in [
            (0.0, "0"),
            (0.1, "0.1"),
            (6e-4, "6e-4"),
            (0.99994, "0.9999"),
            (1234.0, "1234"),
            (3.2768e9, "3.277e9"),
            (-0.5, "-0.5"),
        ] {
            assert_eq!(short(value), text);
        }
        assert_eq!(percent(1.0 / 3.0), "33 %");
        assert_eq!(percent(0.0123), "1.2 %");
        assert_eq!(percent(0.00012), "0.01 %");
        assert_eq!(percent(0.000_012), "1.2e-5");
        assert_eq!(left(0.9998), "all but 0.02 %");
        assert_eq!(left(-0.25), "25 %, its sign changed,");
        assert_eq!(left(1.0), "all");
        assert_eq!(left(0.19), "19 %");
        assert_eq!(of_the_run(2666.7), "2,667 times the run");
        assert_eq!(of_the_run(1.0 / 3.0), "33 % of the run");
        assert_eq!(count(16_666.67), "16,667");
        assert_eq!(count(2.5), "2.5");
    }
}
