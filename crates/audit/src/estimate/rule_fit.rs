//! R: which rule the shrinks of several windows follow.
//!
//! | rule | κ of a window is proportional to |
//! |---|---|
//! | λ times the learning rate: decoupled and, up to a constant, independent decay | Σ η |
//! | the same shrink at every step | steps |
//! | λ times the squared learning rate: corrected decay | Σ η² |
//! | λ times the root of the learning rate | Σ √η |

use super::RuleFit;

/// A rule: its name, and the part of its shrink that a step of a given rate adds.
type Rule = (&'static str, fn(f64) -> f64);

const RULES: [Rule; 4] =
    [("Σ η", |rate| rate), ("steps", |_| 1.0), ("Σ η²", |rate| rate * rate), ("Σ √η", f64::sqrt)];

/// κ̂ of a window and its learning rates.
pub(crate) struct WindowShrink {
    pub(crate) shrink: f64,
    pub(crate) rates: Vec<f64>,
}

/// How badly each rule fits, the best first. Nothing where fewer than two windows are here, or
/// the mean rates of the windows are within 1 % of each other, so that all rules fit alike.
pub(crate) fn fit(windows: &[WindowShrink]) -> Vec<RuleFit> {
    let mean =
        |window: &WindowShrink| window.rates.iter().sum::<f64>() / window.rates.len().max(1) as f64;
    let (least, most) = windows
        .iter()
        .map(mean)
        .fold((f64::MAX, 0.0_f64), |(least, most), mean| (least.min(mean), most.max(mean)));
    let are_usable = windows.iter().all(|window| window.shrink > 0.0 && !window.rates.is_empty());
    if windows.len() < 2 || !are_usable || most < 1.01 * least {
        return Vec::new();
    }
    let mut fits: Vec<RuleFit> = RULES
        .iter()
        .map(|&(rule, part)| {
            let ratios: Vec<f64> = windows
                .iter()
                .map(|window| {
                    window.shrink / window.rates.iter().map(|&rate| part(rate)).sum::<f64>()
                })
                .collect();
            let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
            let residuals = ratios.iter().map(|ratio| (ratio / mean - 1.0).abs());
            RuleFit { rule, residual: residuals.fold(0.0, f64::max) }
        })
        .filter(|fit| fit.residual.is_finite())
        .collect();
    fits.sort_by(|a, b| a.residual.total_cmp(&b.residual));
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(from: usize, to: usize) -> Vec<f64> {
        (from..to).map(|t| 5e-4 * (0.5 + 0.5 * (t as f64 / 3000.0 * 3.1).cos())).collect()
    }

    #[test]
    fn each_rule_is_recognised_by_its_own_shrinks() {
        for (rule, part) in RULES {
            let windows: Vec<WindowShrink> = [(0, 500), (500, 1500), (1500, 2900)]
                .into_iter()
                .map(|(from, to)| {
                    let rates = rates(from, to);
                    let shrink = 0.1 * rates.iter().map(|&rate| part(rate)).sum::<f64>();
                    WindowShrink { shrink, rates }
                })
                .collect();
            let fits = fit(&windows);
            assert_eq!(fits[0].rule, rule);
            assert!(fits[0].residual < 1e-12 && fits[1].residual > 0.1);
        }
    }

    #[test]
    fn one_window_or_a_constant_rate_tells_no_rule() {
        let window =
            |count: usize| WindowShrink { shrink: 1e-3 * count as f64, rates: vec![1e-3; count] };
        assert!(fit(&[window(10)]).is_empty());
        assert!(fit(&[window(10), window(40)]).is_empty());
        let grown = WindowShrink { shrink: -1e-3, rates: rates(0, 100) };
        assert!(fit(&[grown, window(10)]).is_empty());
    }
}
