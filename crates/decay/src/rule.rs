//! How λ becomes one step's decay: six conventions under one name each, and one rule that holds the
//! norm instead.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

use crate::{DecayError, names};

/// A step's multiplier s in w ← w − s(w − a): a fraction, not a coefficient λ.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Shrink(pub f64);

/// The learning rate η_t of one step.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct LearningRate(pub f64);

/// The peak η_max of a learning-rate schedule.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct PeakLearningRate(pub f64);

/// Where a rule's decay enters the step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Application {
    /// Coupled: g ← g + λ(w − a), before the optimizer's direction is formed (and after clipping).
    Gradient(f64),
    /// Decoupled: w ← w − s(w − a), beside the optimizer's direction.
    Shrink(Shrink),
    /// The norm is held, and the direction taken at a fixed size: there is no shrink to choose.
    Sphere,
}

/// How λ becomes one step's decay.
///
/// | rule | step | convention of |
/// |---|---|---|
/// | `coupled-l2` | g ← g + λ(w − a) | `torch.optim.SGD`, `torch.optim.Adam` |
/// | `decoupled` | s = η_t λ | `torch.optim.AdamW`, `optax.adamw`, Lion, Muon |
/// | `independent` | s = (η_t/η_max) λ | Loshchilov–Hutter (2019), big_vision: λ = η_max · λ of `decoupled` |
/// | `constant` | s = λ | a decay that follows no schedule |
/// | `corrected` | s = (η_t²/η_max) λ | AdamC (Defazio 2025): equal to `decoupled` at the peak |
/// | `squared-learning-rate` | s = η_t² λ | modded-nanogpt; PaLM is λ = 1 |
/// | `hyperball` | w ← R·Norm(w − η_t R·Norm(u)) | AdamH, MuonH (Wen et al. 2026): no λ |
///
/// Only `coupled-l2` adds a penalty to the loss, hence only it is a Gaussian prior on the weights;
/// for plain SGD it takes the same step as `decoupled`, for any other direction it does not.
///
/// Each variant's page is a page of the book too: `docs/book` shows the same text.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    VariantArray,
    IntoStaticStr,
    Display,
)]
#[strum(serialize_all = "kebab-case")]
#[serde(rename_all = "kebab-case")]
pub enum DecayRule {
    #[doc = include_str!("../docs/rules/coupled-l2.md")]
    CoupledL2,
    #[doc = include_str!("../docs/rules/decoupled.md")]
    Decoupled,
    #[doc = include_str!("../docs/rules/independent.md")]
    Independent,
    #[doc = include_str!("../docs/rules/constant.md")]
    Constant,
    #[doc = include_str!("../docs/rules/corrected.md")]
    Corrected,
    #[doc = include_str!("../docs/rules/squared-learning-rate.md")]
    SquaredLearningRate,
    #[doc = include_str!("../docs/rules/hyperball.md")]
    Hyperball,
}

impl DecayRule {
    /// Every rule, in the order of tables.
    pub const ALL: &[DecayRule] = DecayRule::VARIANTS;

    /// This step's decay for the coefficient `lambda` (already multiplied by its own schedule,
    /// where it has one).
    ///
    /// A peak of 0 means that nothing trains: the rules that divide by the peak then do not decay
    /// either. To `hyperball`, λ is a switch: 0 leaves the norm alone, anything above holds it.
    pub fn apply(
        self,
        lambda: f64,
        learning_rate: LearningRate,
        peak: PeakLearningRate,
    ) -> Application {
        let rate = learning_rate.0;
        let fraction_of_peak = if peak.0 == 0.0 { 0.0 } else { rate / peak.0 };
        let shrink = match self {
            DecayRule::CoupledL2 => return Application::Gradient(lambda),
            DecayRule::Decoupled => rate * lambda,
            DecayRule::Independent => fraction_of_peak * lambda,
            DecayRule::Constant => lambda,
            DecayRule::Corrected => rate * fraction_of_peak * lambda,
            DecayRule::SquaredLearningRate => rate * rate * lambda,
            DecayRule::Hyperball if lambda > 0.0 => return Application::Sphere,
            DecayRule::Hyperball => 0.0,
        };
        Application::Shrink(Shrink(shrink))
    }

    /// (c, p) of the shrink s_t = λ c η_t^p, for the peak η_max; absent for the rules whose step is
    /// no shrink.
    pub fn power_of_rate(self, peak: PeakLearningRate) -> Option<(f64, i32)> {
        match self {
            DecayRule::CoupledL2 | DecayRule::Hyperball => None,
            DecayRule::Decoupled => Some((1.0, 1)),
            DecayRule::Independent => Some((1.0 / peak.0, 1)),
            DecayRule::Constant => Some((1.0, 0)),
            DecayRule::Corrected => Some((1.0 / peak.0, 2)),
            DecayRule::SquaredLearningRate => Some((1.0, 2)),
        }
    }

    /// The name used in files and on the command line.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The rule as an equation, for tables; `a` is the anchor.
    pub const fn equation(self) -> &'static str {
        match self {
            DecayRule::CoupledL2 => "g ← g + λ(w − a)",
            DecayRule::Decoupled => "w ← w − η_t λ (w − a)",
            DecayRule::Independent => "w ← w − (η_t/η_max) λ (w − a)",
            DecayRule::Constant => "w ← w − λ (w − a)",
            DecayRule::Corrected => "w ← w − (η_t²/η_max) λ (w − a)",
            DecayRule::SquaredLearningRate => "w ← w − η_t² λ (w − a)",
            DecayRule::Hyperball => "w ← R·Norm(w − η_t R·Norm(u))",
        }
    }
}

impl FromStr for DecayRule {
    type Err = DecayError;

    fn from_str(text: &str) -> Result<Self, DecayError> {
        names::find("decay rule", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shrink(rule: DecayRule, lambda: f64, rate: f64, peak: f64) -> f64 {
        match rule.apply(lambda, LearningRate(rate), PeakLearningRate(peak)) {
            Application::Shrink(Shrink(shrink)) => shrink,
            other => panic!("{rule} has no shrink: {other:?}"),
        }
    }

    #[test]
    fn numbers_of_every_rule() {
        // η = 2e-3 at half of its peak of 4e-3, λ = 0.5.
        let of = |rule| shrink(rule, 0.5, 2e-3, 4e-3);
        let close = |left: f64, right: f64| {
            assert!((left - right).abs() <= 1e-15 * right.abs(), "{left} {right}")
        };
        close(of(DecayRule::Decoupled), 1e-3);
        close(of(DecayRule::Independent), 0.25);
        close(of(DecayRule::Constant), 0.5);
        close(of(DecayRule::Corrected), 5e-4);
        close(of(DecayRule::SquaredLearningRate), 2e-6);
        let coupled = DecayRule::CoupledL2.apply(0.5, LearningRate(2e-3), PeakLearningRate(4e-3));
        assert_eq!(coupled, Application::Gradient(0.5));
        let held = DecayRule::Hyperball.apply(1.0, LearningRate(2e-3), PeakLearningRate(4e-3));
        assert_eq!(held, Application::Sphere);
    }

    proptest! {
        #[test]
        fn a_power_of_the_rate_is_the_shrink(lambda in 0.0..3.0f64, peak in 1e-6..1.0f64, fraction in 0.0..=1.0f64) {
            let rate = peak * fraction;
            for &rule in DecayRule::ALL {
                if let Some((scale, power)) = rule.power_of_rate(PeakLearningRate(peak)) {
                    let (found, expected) = (lambda * scale * rate.powi(power), shrink(rule, lambda, rate, peak));
                    prop_assert!((found - expected).abs() <= 1e-12 * expected + 1e-300, "{}", rule);
                }
            }
        }
    }

    #[test]
    fn the_page_of_a_rule_has_its_name_and_its_equation() {
        for &rule in DecayRule::ALL {
            let path = format!("{}/docs/rules/{rule}.md", env!("CARGO_MANIFEST_DIR"));
            let page = std::fs::read_to_string(&path).expect(&path);
            assert!(page.contains(rule.equation()), "{path}: no {}", rule.equation());
            assert!(page.contains(&format!("`{rule}`")), "{path}: no `{rule}`");
            for part in ["**Libraries.**", "**Convert.**", "**Not when.**", "**Source.**"] {
                assert!(page.contains(part), "{path}: no {part}");
            }
        }
    }

    proptest! {
        #[test]
        fn conversions_between_rules(lambda in 0.0..3.0f64, peak in 1e-6..1.0f64, fraction in 0.0..=1.0f64) {
            let rate = peak * fraction;
            let close = |left: f64, right: f64| (left - right).abs() <= 1e-12 * right.abs() + 1e-300;
            let decoupled = shrink(DecayRule::Decoupled, lambda, rate, peak);
            prop_assert!(close(shrink(DecayRule::Independent, peak * lambda, rate, peak), decoupled));
            prop_assert!(close(shrink(DecayRule::Corrected, lambda, rate, peak), decoupled * fraction));
            prop_assert!(close(shrink(DecayRule::SquaredLearningRate, lambda / peak, rate, peak), decoupled * fraction));
            prop_assert!(close(shrink(DecayRule::Constant, peak * lambda, peak, peak), shrink(DecayRule::Decoupled, lambda, peak, peak)));
        }

        #[test]
        fn zero_lambda_never_decays(rate in 0.0..1.0f64, peak in 0.0..1.0f64) {
            for &rule in DecayRule::ALL {
                match rule.apply(0.0, LearningRate(rate), PeakLearningRate(peak)) {
                    Application::Gradient(lambda) => prop_assert_eq!(lambda, 0.0),
                    Application::Shrink(Shrink(shrink)) => prop_assert_eq!(shrink, 0.0),
                    Application::Sphere => prop_assert!(false, "{} is on", rule),
                }
            }
        }
    }

    #[test]
    fn a_peak_of_zero_gives_finite_shrinks() {
        for rule in [DecayRule::Independent, DecayRule::Corrected] {
            assert_eq!(shrink(rule, 0.1, 0.0, 0.0), 0.0);
        }
    }

    #[test]
    fn a_name_reads_back_as_its_rule_everywhere() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Holder {
            rule: DecayRule,
        }
        for &rule in DecayRule::ALL {
            assert_eq!(rule.to_string().parse::<DecayRule>(), Ok(rule));
            let text = toml::to_string(&Holder { rule }).unwrap();
            assert_eq!(text.trim(), format!("rule = \"{rule}\""));
            assert_eq!(toml::from_str::<Holder>(&text).unwrap(), Holder { rule });
        }
        assert!("l2".parse::<DecayRule>().is_err());
    }
}
