//! The element that holds a drawing.

use crate::markup::Markup;
use crate::number::coordinate;

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
