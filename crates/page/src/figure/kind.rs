//! A figure of any kind.

use serde::Serialize;

use super::heat_map::HeatMap;
use super::panels::PanelFigure;
use super::parallel::ParallelCoordinates;

/// A figure of any kind.
#[derive(Debug, Clone, Serialize)]
pub enum Figure {
    /// Panels that share their horizontal axis.
    Panels(PanelFigure),
    /// Coloured cells.
    HeatMap(HeatMap),
    /// Axes side by side with a line for each combination of settings.
    Parallel(ParallelCoordinates),
}

impl Figure {
    /// The figure as an `<svg>` element laid out for `width` pixels.
    pub fn svg(&self, width: f64) -> String {
        match self {
            Self::Panels(figure) => figure.svg(width),
            Self::HeatMap(figure) => figure.svg(width),
            Self::Parallel(figure) => figure.svg(width),
        }
    }

    /// Name of the figure, unique in its page.
    pub fn id(&self) -> &str {
        match self {
            Self::Panels(figure) => &figure.id,
            Self::HeatMap(figure) => &figure.id,
            Self::Parallel(figure) => &figure.id,
        }
    }
}
