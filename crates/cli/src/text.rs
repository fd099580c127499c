//! Numbers and tables as a person reads them.

use std::time::Duration;

use wd_store::DataUnit;

/// 169728 → "169,728".
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// 12_300_000 → "11.7 MiB".
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = number as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{number} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

/// 12_300 → "12.3 k".
pub(crate) fn rate(number: f64) -> String {
    if number >= 1e6 {
        format!("{:.2} M", number / 1e6)
    } else if number >= 1e3 {
        format!("{:.1} k", number / 1e3)
    } else {
        format!("{number:.0}")
    }
}

/// The unit of a rate: "tok", "img".
pub(crate) fn unit(unit: DataUnit) -> &'static str {
    match unit {
        DataUnit::Token => "tok",
        DataUnit::Image => "img",
    }
}

/// Data a parameter: 22.6, 0.031.
pub(crate) fn per_parameter(ratio: f64) -> String {
    if ratio >= 0.1 { format!("{ratio:.1}") } else { self::number(ratio) }
}

/// Seconds as "1 h 02 min", "3 min 05 s", "4.2 s".
pub(crate) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "unknown".to_owned();
    }
    if seconds < 10.0 {
        return format!("{seconds:.1} s");
    }
    let whole = Duration::from_secs_f64(seconds.min(1e12)).as_secs();
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A number with about four significant digits, in plain or scientific form.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        // Also for −0, which an empty sum is.
        "0".to_owned()
    } else if !value.is_finite() {
        format!("{value}")
    } else if value.fract() == 0.0 && size < 1e15 {
        format!("{value:.0}")
    } else if !(1e-3..1e5).contains(&size) {
        format!("{value:.3e}")
    } else if size >= 100.0 {
        format!("{value:.1}")
    } else {
        let rounded = format!("{value:.4}");
        rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// 1 → "1 step", 3 → "3 steps".
pub(crate) fn counted(count: u64, noun: &str) -> String {
    wd_decay::counted(grouped(count), noun)
}

/// A sentence as lines of at most `width` characters, broken at spaces; a longer word stays whole.
pub(crate) fn broken(sentence: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in sentence.split_inclusive(' ') {
        let visible = word.trim_end().chars().count();
        if length > 0 && length + visible > width {
            lines.push(String::new());
            length = 0;
        }
        length += word.chars().count();
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// A table with aligned columns; the columns of `right` are numbers.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>], right: &[usize]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (column, cell) in cells.enumerate() {
            let pad = " ".repeat(widths[column].saturating_sub(cell.chars().count()));
            if right.contains(&column) {
                text.push_str(&pad);
                text.push_str(cell);
            } else {
                text.push_str(cell);
                text.push_str(&pad);
            }
            text.push_str("  ");
        }
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(&mut header.iter().copied());
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(169_728), "169,728");
        assert_eq!(grouped(12), "12");
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(12_268_339), "11.7 MiB");
        assert_eq!(rate(62_400.0), "62.4 k");
        assert_eq!(duration(185.0), "3 min 05 s");
        assert_eq!(number(0.1), "0.1");
        assert_eq!(number(8e-6), "8.000e-6");
        assert_eq!(number(-0.0), "0");
        assert_eq!(number(1911.0), "1911");
    }

    #[test]
    fn sentences_break_at_spaces() {
        assert_eq!(broken("one two  three", 8), ["one two", "three"]);
        assert_eq!(broken("overlong ab", 3), ["overlong", "ab"]);
        assert_eq!(broken("", 3), [""]);
    }

    #[test]
    fn tables_align() {
        let rows =
            vec![vec!["a".to_owned(), "1".to_owned()], vec!["bb".to_owned(), "10".to_owned()]];
        assert_eq!(table(&["x", "n"], &rows, &[1]), "x    n\na    1\nbb  10\n");
    }
}
