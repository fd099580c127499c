//! Numbers in sentences.

use super::cell::p_value;
use super::interval::Ends;
use crate::analysis::Arm;
use crate::setting::spell;
use wd_page::number::signed;
use wd_statistics::{Interval, MOST_SEEDS, PairedDifference};

/// Decimals that show a standard error to two digits: four for 0.0012. Between three and seven;
/// four when unknown.
fn decimals(standard_error: f64) -> usize {
    match standard_error > 0.0 {
        true => ((-standard_error.log10()).ceil() as i64 + 1).clamp(3, 7) as usize,
        false => 4,
    }
}

/// `−0.0063 [−0.0096, −0.0030]`.
pub fn change(interval: &Interval) -> String {
    let decimals = decimals(interval.standard_error);
    let written = Ends::Brackets.write(interval, |value| signed(value, decimals));
    match interval.n {
        0 => "not measured".to_owned(),
        1 => format!("{written} (one seed, no interval)"),
        _ => written,
    }
}

/// `0.574 [0.561, 0.587]`: a quantity rather than a change.
pub fn quantity(interval: &Interval) -> String {
    match interval.n {
        0 => "not measured".to_owned(),
        _ => Ends::Brackets.write(interval, short),
    }
}

/// Three significant digits, in scientific notation when small: `0.574`, `1.16e-3`.
pub fn short(number: f64) -> String {
    let size = number.abs();
    if number == 0.0 || !number.is_finite() {
        return format!("{number}");
    }
    let text = match size {
        _ if size < 1e-2 => format!("{size:.2e}"),
        _ => format!("{size:.*}", (2 - size.log10().floor() as i64).clamp(0, 4) as usize),
    };
    if number < 0.0 { format!("−{text}") } else { text }
}

/// `p = 0.009`, `p < 0.001`.
fn probability(name: &str, p: f64) -> String {
    let equals = if p < 0.001 { "" } else { "= " };
    format!("{name} {equals}{}", p_value(Some(p)))
}

/// A paired difference with its interval, n, p and corrected p.
pub fn tested(difference: &PairedDifference) -> String {
    let mut text = change(&difference.interval);
    if difference.interval.n < 2 {
        return text;
    }
    text.push_str(&format!(", n = {}", difference.interval.n));
    if let Some(p) = difference.p_value {
        text.push_str(&format!(", {}", probability("p", p)));
        if let Some(adjusted) = difference.adjusted_p.filter(|adjusted| *adjusted > p && p >= 0.001)
        {
            text.push_str(&format!(", {}", probability("Holm p", adjusted)));
        }
    }
    text
}

/// The same with the seeds that are missing when it is not significant.
pub fn difference(difference: &PairedDifference) -> String {
    let mut text = tested(difference);
    match difference.more_seeds {
        Some(more) if more >= MOST_SEEDS / 2 => {
            text.push_str(", not significant: no practical number of seeds would do")
        }
        Some(1) => text.push_str(", not significant: about 1 more seed needed"),
        Some(more) => text.push_str(&format!(", not significant: about {more} more seeds needed")),
        None => {}
    }
    text
}

/// `λ=0.1`.
pub fn lambda(arm: &Arm) -> String {
    format!("λ={}", spell(arm.lambda))
}

/// `88 %`.
pub fn percent(fraction: f64) -> String {
    format!("{:.0} %", 100.0 * fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(short(0.5741), "0.574");
        assert_eq!(short(1.199), "1.20");
        assert_eq!(short(1.1644e-3), "1.16e-3");
        assert_eq!(short(123.4), "123");
        assert_eq!(probability("p", 0.0004), "p < 0.001");
        assert_eq!(probability("p", 0.0432), "p = 0.043");
        assert_eq!(probability("p", 0.5), "p = 0.50");
    }

    #[test]
    fn a_difference_says_what_it_is_worth() {
        let clear = PairedDifference::of(vec![(0, -0.0060), (1, -0.0066), (2, -0.0063)]);
        assert_eq!(difference(&clear), "−0.00630 [−0.00705, −0.00555], n = 3, p < 0.001");
        let vague = PairedDifference::of(vec![(0, -0.01), (1, 0.02), (2, 0.01)]);
        assert!(
            difference(&vague).ends_with("not significant: about 41 more seeds needed"),
            "{}",
            difference(&vague)
        );
        let single = PairedDifference::of(vec![(0, -0.01)]);
        assert_eq!(difference(&single), "−0.0100 (one seed, no interval)");
        assert_eq!(difference(&PairedDifference::of(vec![])), "not measured");
    }
}
