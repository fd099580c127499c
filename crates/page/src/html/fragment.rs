//! A page within another document: the page of a server, which allows no inline style and has an
//! address for each figure's files.

use super::figure::Files;
use super::{Number, page_header, section};
use crate::Page;
use crate::figure::LIGHT;
use crate::markup::Markup;

/// A page in parts, each of which can be put in the place of an older one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fragment {
    /// The `<header>`: what kind of page it is, title, lead, facts, contents.
    pub header: String,
    /// Each section's id with its `<section>`.
    pub sections: Vec<(&'static str, String)>,
}

impl Page {
    /// The page in parts, to be read with [`served_style_sheet`]. `address` gives the address of a
    /// file of a figure, from the figure's id and the file's ending (`svg`, `png` or `csv`).
    ///
    /// Colours are attributes instead of styles, since a strict content security policy refuses
    /// inline styles.
    pub fn fragment(&self, address: &dyn Fn(&str, &str) -> String) -> Fragment {
        let mut header = Markup::default();
        page_header(&mut header, self);
        let mut number = Number::default();
        let sections = self.in_file().map(|part| {
            let mut out = Markup::default();
            section(&mut out, part, &mut number, &Files::At(address));
            (part.id, without_styles(&out.finish()))
        });
        Fragment { sections: sections.collect(), header: header.finish() }
    }
}

/// The style sheet of a page in parts.
pub fn served_style_sheet() -> String {
    let names = LIGHT.split(';').filter_map(|definition| definition.split_once(':'));
    let rules = names.filter_map(|(name, _)| {
        let mark = name.trim().strip_prefix("--")?;
        Some(format!(
            "svg [data-fill={mark}]{{fill:var(--{mark})}}\nsvg \
             [data-stroke={mark}]{{stroke:var(--{mark})}}\n"
        ))
    });
    super::style_sheet(true) + &rules.collect::<String>()
}

/// The markup with `data-fill="s3"` in the place of `style="fill:var(--s3)"`. Foreign text cannot
/// look like such an attribute: its quotation marks are escaped.
fn without_styles(markup: &str) -> String {
    let mut out = String::with_capacity(markup.len());
    let mut rest = markup;
    while let Some((before, after)) = rest.split_once(" style=\"") {
        let (style, behind) = after.split_once('"').unwrap_or((after, ""));
        out.push_str(before);
        for (property, value) in style.split(';').filter_map(|part| part.split_once(':')) {
            let name = value.strip_prefix("var(--").and_then(|value| value.strip_suffix(')'));
            if let Some(name) = name {
                out.push_str(&format!(" data-{property}=\"{name}\""));
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style_is_a_rule_of_the_sheet() {
        let drawn =
            "<path class=\"line\" style=\"stroke:var(--s3);fill:var(--paper)\" d=\"M0,0\"/>";
        let served = without_styles(drawn);
        assert_eq!(
            served,
            "<path class=\"line\" data-stroke=\"s3\" data-fill=\"paper\" d=\"M0,0\"/>"
        );
        let sheet = served_style_sheet();
        assert!(sheet.contains("svg [data-stroke=s3]{stroke:var(--s3)}"));
        assert!(sheet.contains("svg [data-fill=paper]{fill:var(--paper)}"));
    }
}
