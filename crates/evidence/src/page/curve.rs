//! Panels over λ.

use wd_page::figure::{Horizontal, Panel, PanelFigure};

/// Panels one below the other over λ.
pub(super) fn over_lambda(id: &str, panels: Vec<Panel>) -> PanelFigure {
    PanelFigure::along(id, Horizontal::logarithmic("λ = α/β on standardised columns"), panels)
}
