//! Statistics in words: means with their intervals, differences with what they are worth.

use wd_statistics::{Interval, MOST_SEEDS, PairedDifference};

use super::interval::{Ends, half_width};
use wd_page::number::{self, MISSING};

/// `3.4512 ± 0.0034`, with two significant digits of the interval's half-width; the mean alone with
/// one seed.
pub fn mean_interval(interval: &Interval, decimals: usize) -> String {
    earned(interval, decimals, number::fixed)
}

/// `−0.0063 ± 0.0034`: a difference, with its sign.
pub fn difference_interval(interval: &Interval) -> String {
    earned(interval, 4, number::signed)
}

/// Both numbers with the decimals that the half-width earns; `decimals` without one.
fn earned(interval: &Interval, decimals: usize, write: fn(f64, usize) -> String) -> String {
    let decimals = number::decimals_for(half_width(interval), decimals);
    Ends::HalfWidth.write(interval, |value| write(value, decimals))
}

/// Writes quantities of one column in a unit that suits the largest of them: 1, or a power of ten
/// below 1/100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    exponent: i32,
}

impl Unit {
    /// The unit for these intervals.
    pub fn of<'a>(intervals: impl Iterator<Item = &'a Interval>) -> Self {
        let largest = intervals
            .map(|interval| interval.mean.abs())
            .filter(|mean| mean.is_finite())
            .fold(0.0, f64::max);
        let exponent = if largest > 0.0 { largest.log10().floor() as i32 } else { 0 };
        Self { exponent: if (-2..6).contains(&exponent) { 0 } else { exponent } }
    }

    /// The name of a column in this unit: `relative update · 10⁻³` for an exponent of −3.
    pub fn heading(self, name: &str) -> String {
        if self.exponent == 0 {
            return name.to_owned();
        }
        let superscript: String = self
            .exponent
            .to_string()
            .chars()
            .map(|digit| match digit {
                '-' => '⁻',
                digit => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹']
                    [digit.to_digit(10).unwrap_or(0) as usize],
            })
            .collect();
        format!("{name} (10{superscript})")
    }

    /// An interval in this unit; with its sign if it is a difference.
    pub fn write(self, interval: &Interval, difference: bool) -> String {
        let unit = 10f64.powi(self.exponent);
        let Interval { mean, low, high, .. } = *interval;
        let scaled =
            Interval { mean: mean / unit, low: low / unit, high: high / unit, ..*interval };
        earned(&scaled, 3, if difference { number::signed } else { number::fixed })
    }
}

/// A p-value as it is usually written.
pub fn p_value(p: Option<f64>) -> String {
    match p {
        Some(p) if p < 0.001 => "< 0.001".to_owned(),
        Some(p) if p.is_finite() => number::fixed(p, if p < 0.0995 { 3 } else { 2 }),
        _ => MISSING.to_owned(),
    }
}

/// What more seeds would do for a comparison; empty when it is significant already.
pub fn more_seeds(difference: &PairedDifference) -> String {
    match difference.more_seeds {
        _ if difference.significant => String::new(),
        _ if difference.interval.n == 0 => "no paired seeds".to_owned(),
        Some(seeds) if seeds >= MOST_SEEDS => "no practical number".to_owned(),
        Some(seeds) => format!("about {}", number::count(seeds)),
        None if difference.interval.n < 2 => "at least 1, to have an interval".to_owned(),
        None => "unknown".to_owned(),
    }
}

/// `over 5 seeds`, `over 2 to 5 seeds`.
pub fn over_seeds(counts: impl Iterator<Item = usize>, noun: &str) -> String {
    let counts: Vec<usize> = counts.filter(|count| *count > 0).collect();
    match (counts.iter().min(), counts.iter().max()) {
        (Some(1), Some(1)) => format!("over 1 {noun}"),
        (Some(least), Some(most)) if least == most => format!("over {most} {noun}s"),
        (Some(least), Some(most)) => format!("over {least} to {most} {noun}s"),
        _ => format!("over no {noun}s"),
    }
}

/// What the intervals of a figure are, and what a reader has to know about those from very few
/// seeds.
///
/// `what` is what shows them: `Bands` around lines, `Bars` through dots.
pub fn intervals(what: &str, counts: impl Iterator<Item = usize>, noun: &str) -> String {
    let counts: Vec<usize> = counts.collect();
    if counts.iter().all(|count| *count < 2) {
        return "There is one seed, so nothing has an interval.".to_owned();
    }
    let over = over_seeds(counts.iter().copied(), noun);
    let single = match (counts.contains(&1), what) {
        (true, "Bars") => " A dot without a bar is a single seed.",
        (true, _) => " A line without a band is a single seed.",
        (false, _) => "",
    };
    let two = if counts.contains(&2) {
        " With two seeds such an interval is 12.7 standard errors to each side and may leave the \
         frame."
    } else {
        ""
    };
    format!("{what} are 95 % t-intervals {over}.{two}{single}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(mean: f64, half: f64, n: usize) -> Interval {
        Interval { mean, low: mean - half, high: mean + half, standard_error: half / 2.776, n }
    }

    #[test]
    fn digits_are_those_the_interval_earns() {
        assert_eq!(mean_interval(&interval(3.451_23, 0.0034, 5), 4), "3.4512 ± 0.0034");
        assert_eq!(difference_interval(&interval(0.1047, 0.034, 3)), "+0.105 ± 0.034");
        assert_eq!(mean_interval(&interval(3.451_23, f64::NAN, 1), 4), "3.4512");
        assert_eq!(mean_interval(&interval(f64::NAN, f64::NAN, 0), 4), "–");
    }

    #[test]
    fn a_column_has_one_unit() {
        let updates = [interval(9.4e-4, 2e-5, 5), interval(2.37e-3, 4e-5, 5)];
        let unit = Unit::of(updates.iter());
        assert_eq!(unit.heading("relative update"), "relative update (10⁻³)");
        assert_eq!(unit.write(&updates[0], false), "0.940 ± 0.020");
        assert_eq!(unit.write(&updates[1], true), "+2.370 ± 0.040");
        assert_eq!(Unit::of([interval(0.574, 0.01, 5)].iter()).heading("norm"), "norm");
    }

    #[test]
    fn seeds_are_counted_in_words() {
        assert_eq!(over_seeds([5, 5].into_iter(), "paired seed"), "over 5 paired seeds");
        assert_eq!(over_seeds([2, 5, 0].into_iter(), "seed"), "over 2 to 5 seeds");
        assert_eq!(over_seeds([1].into_iter(), "seed"), "over 1 seed");
    }

    #[test]
    fn intervals_say_what_they_are() {
        let text = |counts: &[usize]| intervals("Bands", counts.iter().copied(), "seed");
        assert_eq!(text(&[1, 1]), "There is one seed, so nothing has an interval.");
        assert_eq!(text(&[5, 3]), "Bands are 95 % t-intervals over 3 to 5 seeds.");
        assert!(text(&[1, 5]).ends_with("A line without a band is a single seed."));
        assert!(text(&[2, 5]).contains("12.7 standard errors"));
    }
}
