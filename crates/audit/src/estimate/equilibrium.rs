//! E: the size of weights at which decay and update balance.
//!
//! With a gradient whose squared mean is q times its variance, Adam's weights settle at
//!
//! RMS² = (q + ηλ/2)/(λ²(1 + q)),
//!
//! which is √(η/2λ) for a gradient of pure noise. It runs forward only: q = ηλ/2, some 1e-5, doubles
//! RMS² and cannot be seen in the moments, so that a measured RMS does not tell λ.

use super::pair::Held;
use super::update::{Family, family};

/// The root mean square at which Adam's weights settle; nothing without decay or rate.
pub(crate) fn root_mean_square(rate: f64, lambda: f64, signal: f64) -> Option<f64> {
    let square = (signal + rate * lambda / 2.0) / (lambda * lambda * (1.0 + signal));
    (rate > 0.0 && lambda > 0.0 && square.is_finite()).then(|| square.sqrt())
}

/// The balance that a tensor is on its way to, for a gradient of pure noise. Nothing unless decay has
/// had the time to forget the start: κ > 2.
pub(crate) fn of(held: &Held<'_>, lambda: f64) -> Option<f64> {
    let state = held.state?;
    if family(held, state).ok()? != Family::Adam || held.group.decoupled == Some(false) {
        return None;
    }
    let rate = held.group.rate?;
    let rate_of_run = held.group.initial_rate.unwrap_or(rate).max(rate);
    (rate_of_run * lambda * held.step? > 2.0).then(|| root_mean_square(rate, lambda, 0.0))?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A walk of Adam's steps in their stationary state, for its two ends: pure noise, and a
    /// constant gradient, under which each step is η and weights settle at 1/λ.
    #[test]
    fn the_balance_has_its_two_limits() {
        let noise = root_mean_square(1e-3, 0.1, 0.0).unwrap();
        assert!((noise - (1e-3_f64 / 0.2).sqrt()).abs() < 1e-15);
        let steady = root_mean_square(1e-3, 0.1, 1e12).unwrap();
        assert!((steady * 0.1 - 1.0).abs() < 1e-6);
        // q = ηλ/2 doubles the square.
        let doubled = root_mean_square(1e-3, 0.1, 5e-5).unwrap();
        assert!((doubled.powi(2) / noise.powi(2) - 2.0).abs() < 1e-3);
        assert_eq!(root_mean_square(1e-3, 0.0, 0.0), None);
    }
}
