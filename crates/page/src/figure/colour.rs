//! Colours by meaning. A figure names what a colour stands for; the page's style sheet says how it
//! looks in light and dark.

use serde::Serialize;

/// Number of steps of the sequential scale in the style sheet (`--s0` … `--s12`).
const STEPS: usize = 13;
/// Number of steps of the heat map's scale (`--h0` best … `--h8` worst).
pub(crate) const HEAT_STEPS: usize = 9;

/// What a mark's colour stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Colour {
    /// λ = 0, the reference: a warm grey, outside the sequential scale.
    Baseline,
    /// Annotations and single series.
    Ink,
    /// A place on the sequential scale: 0 least, 12 most.
    Sequence(u8),
}

impl Colour {
    /// Colours for `count` ordered values, spread evenly over the sequential scale.
    pub fn sequence(count: usize) -> Vec<Self> {
        let last = (STEPS - 1) as f64;
        // One or two colours need not go to the ends of the scale, which are its palest and
        // darkest.
        let (low, high) = match count {
            0 | 1 => (0.6 * last, 0.6 * last),
            2 => (0.15 * last, 0.8 * last),
            3 => (0.08 * last, 0.92 * last),
            _ => (0.0, last),
        };
        (0..count)
            .map(|index| {
                let fraction = if count > 1 { index as f64 / (count - 1) as f64 } else { 0.0 };
                Self::Sequence((low + fraction * (high - low)).round() as u8)
            })
            .collect()
    }

    /// Colours for values of λ: grey for zero, the sequential scale for the distinct positive ones
    /// by rank.
    ///
    /// The same call with all values of a report gives every figure the same colours.
    pub fn by_lambda(lambdas: &[f64]) -> Vec<Self> {
        let mut positive: Vec<f64> =
            lambdas.iter().copied().filter(|lambda| *lambda > 0.0).collect();
        positive.sort_by(f64::total_cmp);
        positive.dedup();
        let scale = Self::sequence(positive.len());
        lambdas
            .iter()
            .map(|lambda| match positive.iter().position(|value| value == lambda) {
                Some(rank) => scale[rank],
                None => Self::Baseline,
            })
            .collect()
    }

    /// The value of a `stroke` or `fill` property.
    pub(crate) fn css(self) -> String {
        match self {
            Self::Baseline => "var(--baseline)".to_owned(),
            Self::Ink => "var(--ink)".to_owned(),
            Self::Sequence(step) => format!("var(--s{})", usize::from(step).min(STEPS - 1)),
        }
    }

    /// The same for words: of the scale's pale end a line is seen, and a word is not read.
    pub(crate) fn text_css(self) -> String {
        self.css().replace("--s", "--w")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_stands_outside_the_scale_and_order_is_by_value() {
        let colours = Colour::by_lambda(&[0.3, 0.0, 0.1, 0.3]);
        assert_eq!(colours[1], Colour::Baseline);
        assert_eq!(colours[0], colours[3]);
        let (Colour::Sequence(more), Colour::Sequence(less)) = (colours[0], colours[2]) else {
            panic!("positive values are on the scale")
        };
        assert!(more > less);
    }

    #[test]
    fn many_values_stay_on_the_scale() {
        for count in 0..30 {
            let colours = Colour::sequence(count);
            assert_eq!(colours.len(), count);
            assert!(colours.iter().all(
                |colour| matches!(colour, Colour::Sequence(step) if usize::from(*step) < STEPS)
            ));
        }
    }
}
