//! Figures as SVG: stacked panels with lines, bands and points; heat maps; parallel coordinates.
//!
//! A figure is data. [`Figure::svg`] lays it out for a width and writes it;
//! colours, fonts and line styles are classes and variables of the page's style sheet, so one
//! drawing serves light and dark. Values that are not finite leave a gap and never reach a
//! coordinate.

mod axes;
mod colour;
mod heat_map;
mod horizontal;
mod key;
mod kind;
mod marks;
mod panel;
mod panels;
mod parallel;
mod scale;
mod spread;
mod standalone;
mod svg;
mod text;

pub use colour::Colour;
pub use heat_map::{Cell, HeatMap};
pub use horizontal::Horizontal;
pub use kind::Figure;
pub use panel::{Mark, Moment, Note, Panel, Point, Reference, Series, thinned};
pub use panels::{Labels, PanelFigure};
pub use parallel::{Along, ParallelAxis, ParallelCoordinates, ParallelLine};
pub use scale::Transform;
pub(crate) use standalone::{DARK, FIGURE, LIGHT};
