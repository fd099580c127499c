//! How wide a text will be: needed to leave room for it, since an SVG does not lay out its own
//! labels.

/// Size of axis labels and tick labels in pixels.
pub(crate) const FONT: f64 = 12.0;

/// Width in pixels of a text at a font size, somewhat above that of the usual sans-serif faces.
///
/// Advance widths are those of Helvetica in thousandths of an em, grouped; 6 % are added for wider
/// faces.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let units: f64 = text
        .chars()
        .map(|character| match character {
            'i' | 'j' | 'l' | '\'' | '|' | '.' | ',' | ':' | ';' | '!' | ' ' | 'I' => 260.0,
            'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '/' | '-' | '·' => 330.0,
            'm' | 'M' | 'W' | '%' | '@' | '—' => 880.0,
            'w' | 'C' | 'D' | 'G' | 'H' | 'N' | 'O' | 'Q' | 'R' | 'U' | 'K' => 740.0,
            'A'..='Z' => 670.0,
            _ => 560.0,
        })
        .sum();
    1.06 * units * size / 1000.0
}

/// The longest beginning of a text that fits, with an ellipsis if something was cut.
pub(crate) fn fit(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        kept.push(character);
        if width(&kept, size) + width("…", size) > room {
            kept.pop();
            break;
        }
    }
    kept.trim_end().to_owned() + "…"
}

/// Breaks a text into lines that fit.
pub(crate) fn wrap(text: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(fit(word, size, room)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_text_fits() {
        let text = "decay.lambda = 0.1, model.width = 128";
        let cut = fit(text, FONT, 80.0);
        assert!(cut.ends_with('…') && width(&cut, FONT) <= 80.0, "{cut}");
        assert_eq!(fit("short", FONT, 80.0), "short");
    }

    #[test]
    fn wrapped_lines_hold_every_word() {
        let lines = wrap("one two three four five", FONT, 60.0);
        assert!(lines.len() > 1);
        assert_eq!(lines.join(" "), "one two three four five");
    }
}
