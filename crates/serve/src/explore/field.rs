//! The fields of a form: words, and numbers with a slider beside them.

use wd_page::Markup;

/// Positions of a slider.
const POSITIONS: u32 = 240;

/// A field for words or a number as people write it.
pub(super) fn words(out: &mut Markup, name: &str, label: &str, value: &str, example: &str) {
    out.open("label", &[]).text(label);
    let attributes = [
        ("type", "text"),
        ("name", name),
        ("value", value),
        ("placeholder", example),
        ("autocomplete", "off"),
        ("spellcheck", "false"),
    ];
    out.empty("input", &attributes);
    out.close();
}

/// A positive number with a slider: each position is the same factor further.
pub(super) fn slider(
    out: &mut Markup,
    name: &str,
    label: &str,
    value: &str,
    (low, high): (f64, f64),
) {
    let id = format!("{name}-slider");
    out.open("div", &[("class", "slider")]);
    words(out, name, label, value, "");
    let fraction = value
        .parse()
        .ok()
        .filter(|value: &f64| *value > 0.0)
        .map_or(0.0, |value| (value / low).ln() / (high / low).ln());
    let position = (fraction.clamp(0.0, 1.0) * f64::from(POSITIONS)).round().to_string();
    let (most, low, high) = (POSITIONS.to_string(), low.to_string(), high.to_string());
    out.empty(
        "input",
        &[
            ("type", "range"),
            ("id", &id),
            ("min", "0"),
            ("max", &most),
            ("value", &position),
            ("data-for", name),
            ("data-low", &low),
            ("data-high", &high),
            ("aria-label", &format!("{label}, on a logarithmic scale")),
        ],
    );
    out.close();
}

/// A choice of some values with their names.
pub(super) fn choice<'a>(
    out: &mut Markup,
    name: &str,
    label: &str,
    chosen: &str,
    values: impl IntoIterator<Item = (&'a str, &'a str)>,
) {
    out.open("label", &[]).text(label).open("select", &[("name", name)]);
    for (value, shown) in values {
        crate::study::option(out, value, shown, value == chosen);
    }
    out.close().close();
}
