//! How much of the start a run forgets, and how fast: the numbers that carry over to runs of
//! another size.

#[doc = include_str!("../docs/timescale.md")]
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Timescale {
    /// κ = Σ_t s_t.
    pub kappa: f64,
    /// Π_t (1 − s_t): the share of the initial weights left at the end; e^−κ for small shrinks.
    pub initial_share: f64,
    /// τ = 1/max_t s_t, in steps; absent when nothing decays.
    pub tau_steps: Option<f64>,
    /// τ as a fraction of the run; absent when nothing decays.
    pub tau_fraction: Option<f64>,
}

impl Timescale {
    /// The timescale of a run with these shrinks.
    ///
    /// For decoupled decay s_t = η_tλ, so that κ = λΣη_t and τ = 1/(η_max λ).
    pub fn of(shrinks: &[f64]) -> Self {
        shrinks.iter().copied().collect()
    }
}

impl FromIterator<f64> for Timescale {
    /// The timescale of shrinks that need not be kept.
    fn from_iter<I: IntoIterator<Item = f64>>(shrinks: I) -> Self {
        let (mut steps, mut peak, mut kappa, mut initial_share) = (0u64, 0f64, 0.0, 1.0);
        for shrink in shrinks {
            steps += 1;
            peak = peak.max(shrink);
            kappa += shrink;
            initial_share *= 1.0 - shrink;
        }
        // A shrink so small that its inverse overflows decays nothing.
        let tau_steps = (peak > 0.0).then(|| 1.0 / peak).filter(|tau| tau.is_finite());
        Timescale {
            kappa,
            initial_share,
            tau_steps,
            tau_fraction: tau_steps.map(|tau| tau / steps as f64),
        }
    }
}

/// Training tokens seen per parameter; 0 for a model without parameters.
pub fn tokens_per_parameter(tokens: u64, parameters: u64) -> f64 {
    if parameters == 0 { 0.0 } else { tokens as f64 / parameters as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Application, DecayRule, LearningRate, PeakLearningRate, Schedule, ScheduleKind, Shrink,
    };
    use proptest::prelude::*;

    #[test]
    fn a_published_run() {
        // D'Angelo et al. 2024: 50,000 steps, warm-up 400, cosine from 6e-4 to 10 %, λ = 0.1: κ ≈
        // 1.65, τ = 1/3.
        let schedule = Schedule::new(ScheduleKind::Cosine, 400, 50_000, 0.1, 0).unwrap();
        let shrinks: Vec<f64> = (0..50_000)
            .map(|step| {
                let rate = LearningRate(6e-4 * schedule.factor(step));
                match DecayRule::Decoupled.apply(0.1, rate, PeakLearningRate(6e-4)) {
                    Application::Shrink(Shrink(shrink)) => shrink,
                    other => unreachable!("decoupled decay is a shrink, not {other:?}"),
                }
            })
            .collect();
        let timescale = Timescale::of(&shrinks);
        assert!((timescale.kappa - 1.65).abs() < 0.01);
        assert!((timescale.kappa - 0.1 * 6e-4 * schedule.sum()).abs() < 1e-12);
        assert!((timescale.tau_fraction.unwrap() - 1.0 / 3.0).abs() < 1e-9);
        assert!((timescale.initial_share - (-timescale.kappa).exp()).abs() < 1e-4);
    }

    #[test]
    fn without_decay_there_is_no_timescale() {
        for shrinks in [vec![], vec![0.0; 10]] {
            let timescale = Timescale::of(&shrinks);
            assert_eq!((timescale.kappa, timescale.initial_share), (0.0, 1.0));
            assert_eq!((timescale.tau_steps, timescale.tau_fraction), (None, None));
        }
    }

    proptest! {
        #[test]
        fn the_initial_share_is_below_its_exponential(shrinks in proptest::collection::vec(0.0..0.5f64, 1..50)) {
            let timescale = Timescale::of(&shrinks);
            // ln(1 − s) ≤ −s.
            prop_assert!(timescale.initial_share <= (-timescale.kappa).exp() + 1e-15);
            prop_assert!(timescale.tau_steps.is_none_or(|tau| tau > 0.0));
        }
    }

    #[test]
    fn tokens_a_parameter() {
        assert_eq!(tokens_per_parameter(3_840_000, 169_728), 3_840_000.0 / 169_728.0);
        assert_eq!(tokens_per_parameter(1, 0), 0.0);
    }
}
