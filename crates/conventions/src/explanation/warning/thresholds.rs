//! Where a warning begins.

/// κ below which a decay is called inert: it takes less than a twentieth off weights that no
/// gradient moves.
pub(super) const INERT_KAPPA: f64 = 0.05;

/// τ as a share of the run below which a single pass is said to forget its data: Power Lines' best
/// τ at 1280 tokens a parameter, the most that was measured (1.084 × 1280^−0.527 = 0.025; Bergsma
/// et al. 2025, arXiv 2505.13738).
pub(super) const FORGETFUL_TAU: f64 = 0.025;

/// Share of a row that has to decay away before unused rows are worth a warning.
pub(super) const ROW_LOSS: f64 = 0.1;
