//! Flags of a command: `--weight-decay 0.1 --lr=3e-4 --bf16`.

use super::python::literal;
use crate::checkpoint::Value;

/// A table of all flags in the text, with `_` for `-`; a flag without a value is true.
pub(super) fn parse(text: &str) -> Value {
    let mut table: Vec<(String, Value)> = Vec::new();
    let mut open: Option<String> = None;
    let without_comments = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    for word in without_comments.flat_map(str::split_whitespace) {
        let word = word.trim_matches(|c| matches!(c, '"' | '\'' | '\\' | '(' | ')'));
        if let Some(flag) = word.strip_prefix("--") {
            if let Some(flag) = open.take() {
                table.push((flag, Value::Bool(true)));
            }
            match flag.split_once('=') {
                Some((key, value)) => table.push((name(key), read(value))),
                None if !flag.is_empty() => open = Some(name(flag)),
                None => {}
            }
        } else if let Some(flag) = open.take() {
            let value = if word.is_empty() { Value::Bool(true) } else { read(word) };
            table.push((flag, value));
        }
    }
    if let Some(flag) = open {
        table.push((flag, Value::Bool(true)));
    }
    Value::Table(table)
}

fn name(flag: &str) -> String {
    flag.replace('-', "_")
}

fn read(word: &str) -> Value {
    literal(word).unwrap_or_else(|| Value::Text(word.to_owned()))
}
