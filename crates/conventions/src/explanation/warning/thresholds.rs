//! Where a warning begins.

use wd_decay::Unit;

/// κ below which a decay is called inert: it takes less than a twentieth off weights that no
/// gradient moves.
pub(super) const INERT_KAPPA: f64 = 0.05;

/// τ as a share of the run below which a single pass is said to forget its data: Power Lines' best
/// τ at 1280 tokens a parameter, the most that was measured (1.084 × 1280^−0.527 = 0.025; Bergsma
/// et al. 2025, arXiv 2505.13738).
pub(super) const FORGETFUL_TAU: f64 = 0.025;

/// Share of a row that has to decay away before unused rows are worth a warning.
pub(super) const ROW_LOSS: f64 = 0.1;

/// τ in passes over the data below which a run of several passes is said to forget them.
///
/// One pass, by Wang & Aitchison's guideline (arXiv 2405.13698), which is about images. On repeated
/// text the λ that were tuned have τ of 0.278 to 0.556 passes (Kim et al. 2026, arXiv 2509.14786;
/// values from marin-community/marin): less than those is the least that was found good.
pub(super) const fn forgetful_epochs(unit: Unit) -> f64 {
    match unit {
        Unit::Token => 0.277,
        _ => 1.0,
    }
}

/// A shrink below which λ is off by 15 % and more in f32: 1 − s is rounded to multiples of 2⁻²⁴,
/// by up to 2⁻²⁵, which is 15 % of 2e-7.
pub(super) const F32_COARSE_SHRINK: f64 = 2e-7;

/// What λ acted as, over what was typed, by shrink: `torch.optim.AdamW` 2.15 on f32 weights without
/// gradients, 200 steps; its loops, `foreach` and `fused` alike.
pub(super) const F32_MEASURED: [(f64, f64); 4] =
    [(3e-8, 2.9), (1e-7, 1.15), (2e-7, 0.94), (5e-7, 0.95)];
