//! A recommendation that lies far from every recipe near it.

use super::comparison::RecipeComparison;
use crate::words::lambda;

/// A factor by which λ of a law and of the nearest recipes differ when that must be said: one that
/// costs about half a per cent of the loss in the grids of Step Law.
const FAR: f64 = 3.0;

/// The nearest recipes, all of which lie on one side of a recommendation and far from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Departure {
    /// The smallest λ of the recipes.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// The recommendation over the recipe that is nearest to it.
    pub factor: f64,
}

impl Departure {
    /// How far `recommended` lies from the nearest recipes; absent where one of them is near, and
    /// where there is none.
    pub(crate) fn of<'a>(
        recommended: f64,
        recipes: impl Iterator<Item = &'a RecipeComparison>,
    ) -> Option<Self> {
        let lambdas: Vec<f64> =
            recipes.map(|one| one.lambda).filter(|lambda| *lambda > 0.0).collect();
        let low = lambdas.iter().copied().reduce(f64::min)?;
        let high = lambdas.iter().copied().reduce(f64::max)?;
        let factor = match recommended {
            above if above > high => recommended / high,
            below if below < low => recommended / low,
            _ => return None,
        };
        let is_far = factor.max(1.0 / factor) >= FAR;
        is_far.then_some(Departure { low, high, factor })
    }

    /// In half a sentence; `unit` turns a λ of decoupled decay into the number that is asked about.
    pub(crate) fn words(&self, unit: f64) -> String {
        let (low, high) = (lambda(unit * self.low), lambda(unit * self.high));
        let used = if low == high { low } else { format!("{low} to {high}") };
        let apart = match self.factor {
            above @ 1.0.. => format!("{} times less", lambda(above)),
            below => format!("{} times more", lambda(1.0 / below)),
        };
        format!("the nearest public recipes use {used}, {apart}")
    }
}
