//! A mean with its interval: the one way to write it, in three forms.

use wd_statistics::Interval;

/// Where the ends of an interval stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// `3.4512 ± 0.0034`: in cells, which are narrow.
    HalfWidth,
    /// `−0.0063 [−0.0096, −0.0030]`: in sentences.
    Brackets,
    /// `0.123 (0.100 to 0.150)`: where the mean need not lie in the middle.
    Range,
}

impl Ends {
    /// The mean and its interval, each number as `write` has it; the mean alone where there is no
    /// interval.
    pub fn write(self, interval: &Interval, write: impl Fn(f64) -> String) -> String {
        let Interval { mean, low, high, .. } = *interval;
        let written = write(mean);
        if ![mean, low, high].into_iter().all(f64::is_finite) {
            return written;
        }
        match self {
            // A half-width has no sign, also where a mean has one.
            Ends::HalfWidth => {
                let half = write(half_width(interval));
                format!("{written} ± {}", half.trim_start_matches('+'))
            }
            Ends::Brackets => format!("{written} [{}, {}]", write(low), write(high)),
            Ends::Range => format!("{written} ({} to {})", write(low), write(high)),
        }
    }
}

/// Half the width of an interval; NaN without one.
pub fn half_width(interval: &Interval) -> f64 {
    (interval.high - interval.low) / 2.0
}
