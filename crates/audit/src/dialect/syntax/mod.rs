//! Text into values: JSON, YAML, TOML, Python's literals, `key: value` lines and flags.
//!
//! The extension chooses; where it says nothing, the content does. Nothing is executed and nothing
//! constructed: a tag of YAML is passed over, a Python expression that is no literal is not read.

mod flags;
mod lines;
mod python;
mod tree;

use std::path::Path;

pub(super) use python::literal;
pub(super) use python::module as python_module;

use crate::AuditError;
use crate::checkpoint::Value;
use crate::limits::Limits;

/// A configuration as values, and the names that its text sets to something else than a literal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parsed {
    pub(super) value: Value,
    pub(super) unread: Vec<String>,
}

impl From<Value> for Parsed {
    fn from(value: Value) -> Self {
        Parsed { value, unread: Vec::new() }
    }
}

/// Reads a text by its extension, else by its content.
pub(super) fn parse(path: &Path, text: &str) -> Result<Parsed, AuditError> {
    let fail = |line: Option<usize>, reason: String| AuditError::Configuration {
        path: path.to_owned(),
        line,
        reason,
    };
    if text.len() > Limits::DEFAULT.text_bytes {
        return Err(fail(None, "the text is longer than the limit `text_bytes`".to_owned()));
    }
    // Windows editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "json" => json(text).map(Parsed::from).map_err(|(line, reason)| fail(line, reason)),
        "yaml" | "yml" => yaml(text).map(Parsed::from).map_err(|(line, reason)| fail(line, reason)),
        "toml" => toml(text).map(Parsed::from).map_err(|(line, reason)| fail(line, reason)),
        "py" => Ok(python_module(text)),
        "sh" | "args" => Ok(flags::parse(text).into()),
        _ => by_content(text).ok_or_else(|| {
            fail(
                None,
                "this is no JSON, TOML or YAML, no `key: value` lines, no \
                Python assignments and no flags"
                    .to_owned(),
            )
        }),
    }
}

/// The first syntax under which the text is a table that is not empty.
fn by_content(text: &str) -> Option<Parsed> {
    let is_table = |value: &Value| matches!(value, Value::Table(pairs) if !pairs.is_empty());
    if text.trim_start().starts_with('{')
        && let Some(value) = json(text).ok().filter(is_table)
    {
        return Some(value.into());
    }
    if let Some(value) = toml(text).ok().filter(is_table) {
        return Some(value.into());
    }
    let lines = lines::parse(text);
    if let Some(value) = lines.filter(is_table) {
        return Some(value.into());
    }
    if let Some(value) = yaml(text).ok().filter(is_table) {
        return Some(value.into());
    }
    let flags = flags::parse(text);
    if is_table(&flags) {
        return Some(flags.into());
    }
    Some(python_module(text)).filter(|parsed| is_table(&parsed.value))
}

type Failure = (Option<usize>, String);

fn json(text: &str) -> Result<Value, Failure> {
    let tree = serde_json::from_str::<tree::Tree>(text);
    tree.map(|tree| tree.0).map_err(|error| (Some(error.line()), error.to_string()))
}

fn toml(text: &str) -> Result<Value, Failure> {
    toml::from_str::<tree::Tree>(text).map(|tree| tree.0).map_err(|error| {
        let line = error.span().map(|span| line_of(text, span.start));
        (line, error.message().to_owned())
    })
}

fn yaml(text: &str) -> Result<Value, Failure> {
    // As PyYAML: the last of equal keys counts, and tags are passed over.
    let mut options = serde_saphyr::Options::default();
    options.duplicate_keys = serde_saphyr::DuplicateKeyPolicy::LastWins;
    options.with_snippet = false;
    let read = serde_saphyr::from_str_with_options::<tree::Tree>(text, options);
    read.map(|tree| tree.0).map_err(|error| {
        let line = error.location().map(|location| location.line() as usize);
        (line, error.to_string())
    })
}

/// The line, from 1, that holds a byte.
fn line_of(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|byte| *byte == b'\n').count() + 1
}
