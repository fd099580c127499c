//! `key: value` lines, as open_clip writes its `params.txt`.

use super::python::literal;
use super::tree::put;
use crate::checkpoint::Value;

/// A table of the lines; nothing unless every line that is not empty or a comment is of the form.
pub(super) fn parse(text: &str) -> Option<Value> {
    let mut table = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        // An indent belongs to a structure, and that is YAML.
        let (key, value) = line.split_once(':')?;
        let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if key.is_empty() || !key.chars().all(is_key) || key.starts_with('-') {
            return None;
        }
        let value = value.trim();
        // Left open, as the head of a nested table is in YAML.
        if value.is_empty() {
            return None;
        }
        let written = value.split(" #").next().unwrap_or_default().trim();
        let read = literal(written).unwrap_or_else(|| Value::Text(written.to_owned()));
        put(&mut table, key.to_owned(), read);
    }
    Some(Value::Table(table))
}
