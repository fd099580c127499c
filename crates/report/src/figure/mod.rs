//! Figures as SVG: stacked panels with lines, bands and points; heat maps.
//!
//! A figure is data. [`PanelFigure::svg`] and [`HeatMap::svg`] lay it out for a width and write it; colours, fonts and
//! line styles are classes and variables of the page's style sheet, so one drawing serves light and dark. Values that
//! are not finite leave a gap and never reach a coordinate.

mod axes;
mod colour;
mod heat_map;
mod key;
mod marks;
mod panel;
mod panels;
mod scale;
mod spread;
mod standalone;
mod text;

pub use colour::Colour;
pub use heat_map::{Cell, HeatMap};
pub(crate) use panel::thinned;
pub use panel::{Mark, Moment, Note, Panel, Point, Reference, Series};
pub use panels::{Horizontal, Labels, PanelFigure};
pub use scale::Transform;
pub(crate) use standalone::{DARK, FIGURE, LIGHT};

use crate::markup::Markup;
use crate::number::coordinate;

/// A figure of either kind.
#[derive(Debug, Clone)]
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
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Panels(figure) => &figure.id,
            Self::HeatMap(figure) => &figure.id,
        }
    }
}

/// Opens an `<svg>` with its accessible name and description.
fn open_svg(out: &mut Markup, key: &str, title: &str, description: &str, width: f64, height: f64) {
    let (title_id, description_id) = (format!("{key}-title"), format!("{key}-desc"));
    out.open(
        "svg",
        &[
            ("viewBox", &format!("0 0 {} {}", coordinate(width), coordinate(height))),
            ("role", "img"),
            ("aria-labelledby", &format!("{title_id} {description_id}")),
        ],
    );
    out.element("title", &[("id", &title_id)], title);
    out.element("desc", &[("id", &description_id)], description);
}
