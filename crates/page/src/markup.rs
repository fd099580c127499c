//! Writing well-formed markup: every attribute and every text is escaped, every opened element is
//! closed.

use std::fmt::Write as _;

use crate::words::{Span, spans};

/// A writer of the common subset of XML and HTML, used for the SVG figures and for the page around
/// them.
///
/// Elements without content are written `<br/>`: a browser's HTML parser accepts that for void and
/// for SVG elements, and an XML parser needs it.
#[derive(Debug, Default)]
pub struct Markup {
    text: String,
    open: Vec<&'static str>,
}

impl Markup {
    /// Opens an element; it stays open until [`Markup::close`].
    pub fn open(&mut self, tag: &'static str, attributes: &[(&str, &str)]) -> &mut Self {
        self.start(tag, attributes);
        self.text.push('>');
        self.open.push(tag);
        self
    }

    /// Closes the element that was opened last.
    pub fn close(&mut self) -> &mut Self {
        if let Some(tag) = self.open.pop() {
            let _ = write!(self.text, "</{tag}>");
        }
        self
    }

    /// Closes the element that was opened last and ends the line, so that the source stays
    /// readable.
    pub fn close_line(&mut self) -> &mut Self {
        self.close();
        self.text.push('\n');
        self
    }

    /// An element without content.
    pub fn empty(&mut self, tag: &'static str, attributes: &[(&str, &str)]) -> &mut Self {
        self.start(tag, attributes);
        self.text.push_str("/>");
        self
    }

    /// An element that holds only text.
    pub fn element(
        &mut self,
        tag: &'static str,
        attributes: &[(&str, &str)],
        content: &str,
    ) -> &mut Self {
        self.open(tag, attributes).text(content).close()
    }

    /// Escaped text.
    pub fn text(&mut self, content: &str) -> &mut Self {
        escape_into(&mut self.text, content);
        self
    }

    /// An element of prose: what stands between backticks is `<code>`.
    pub fn prose(
        &mut self,
        tag: &'static str,
        attributes: &[(&str, &str)],
        content: &str,
    ) -> &mut Self {
        self.open(tag, attributes);
        for span in spans(content) {
            match span {
                Span::Words(words) => self.text(words),
                Span::Code(code) => self.element("code", &[], code),
            };
        }
        self.close()
    }

    /// Markup that was written by another [`Markup`], or a constant of this crate.
    pub fn raw(&mut self, markup: &str) -> &mut Self {
        self.text.push_str(markup);
        self
    }

    /// The markup, with whatever is still open closed.
    pub fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }

    fn start(&mut self, tag: &str, attributes: &[(&str, &str)]) {
        self.text.push('<');
        self.text.push_str(tag);
        for (name, value) in attributes {
            let _ = write!(self.text, " {name}=\"");
            escape_into(&mut self.text, value);
            self.text.push('"');
        }
    }
}

fn escape_into(out: &mut String, content: &str) {
    for character in content.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML 1.0 has no way to write the other control characters, not even escaped.
            '\t' | '\n' | '\r' => out.push(character),
            _ if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {
                out.push('\u{fffd}')
            }
            _ => out.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let mut page = Markup::default();
        page.element("p", &[("title", "\"><script>")], "<b>&'\u{1}");
        assert_eq!(
            page.finish(),
            "<p title=\"&quot;&gt;&lt;script&gt;\">&lt;b&gt;&amp;&#39;\u{fffd}</p>"
        );
    }

    #[test]
    fn code_in_prose_is_code_and_escaped() {
        let mut page = Markup::default();
        page.prose("p", &[], "type `a < b` here");
        assert_eq!(page.finish(), "<p>type <code>a &lt; b</code> here</p>");
    }

    #[test]
    fn what_is_left_open_is_closed() {
        let mut page = Markup::default();
        page.open("div", &[]).open("p", &[]).text("x");
        assert_eq!(page.finish(), "<div><p>x</p></div>");
    }
}
