//! The element that holds a drawing.

use crate::markup::Markup;
use crate::number::coordinate;

/// What the ids within a drawing begin with: the same figure may stand in a page for a wide and for
/// a narrow screen.
pub(super) fn key(id: &str, width: f64) -> String {
    let variant = if width < super::panels::NARROW { "n" } else { "w" };
    format!("{id}-{variant}")
}

/// Opens an `<svg>` with its accessible name and description.
pub(super) fn open_svg(
    out: &mut Markup,
    key: &str,
    title: &str,
    description: &str,
    width: f64,
    height: f64,
) {
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
