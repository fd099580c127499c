//! A figure of either kind.

use serde::Serialize;

use super::heat_map::HeatMap;
use super::panels::PanelFigure;

/// A figure of either kind.
#[derive(Debug, Clone, Serialize)]
pub enum Figure {
    /// Panels that share their horizontal axis.
    Panels(PanelFigure),
    /// Coloured cells.
    HeatMap(HeatMap),
}

impl Figure {
    /// The figure as an `<svg>` element laid out for `width` pixels.
    pub fn svg(&self, width: f64) -> String {
        match self {
            Self::Panels(figure) => figure.svg(width),
            Self::HeatMap(figure) => figure.svg(width),
        }
    }

    /// Name of the figure, unique in its page.
    pub fn id(&self) -> &str {
        match self {
            Self::Panels(figure) => &figure.id,
            Self::HeatMap(figure) => &figure.id,
        }
    }
}
