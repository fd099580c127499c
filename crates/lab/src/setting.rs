//! One configuration key with a value: `optim.lr=3e-3`.
//!
//! The value is typed as in TOML (`3`, `3e-3`, `true`, `"text"`, `[1, 2]`); what is no TOML value
//! is taken as text, so that `schedule.kind=cosine` needs no quotes. [`apply`] writes settings into
//! a configuration.

use std::fmt;
use std::str::FromStr;

use toml_edit::{DocumentMut, Item, Key, Table, Value};

use crate::LabError;

/// A configuration key and the value that a trial gives it.
#[derive(Debug, Clone)]
pub struct Setting {
    path: Vec<String>,
    value: Value,
}

impl Setting {
    /// Joins a dotted key (parts with a dot or a star quoted: `decay.overrides."block.*"`) and a
    /// value's text.
    ///
    /// # Errors
    /// [`LabError::Argument`] when the key is not a dotted TOML key or the value is empty.
    pub fn new(key: &str, value: &str) -> Result<Self, LabError> {
        Ok(Setting {
            path: parse_key(key)?,
            value: parse_value(value).map_err(|problem| LabError::Argument {
                argument: format!("{key}={value}"),
                problem,
                fix: format!("write a value after `=`, as in {key}=0.1"),
            })?,
        })
    }

    /// A key already split into its parts, with a value.
    pub(crate) fn from_parts(path: Vec<String>, value: Value) -> Self {
        Setting { path, value }
    }

    /// The dotted key, for example `optim.lr`.
    pub fn key(&self) -> String {
        dotted(&self.path)
    }

    /// The last part of the key, without quotes: the whole key of another program.
    pub(crate) fn last_part(&self) -> String {
        self.path.last().cloned().unwrap_or_default()
    }

    /// The value in one spelling for equal numbers: `0.10`, `.1` and `1e-1` all give `0.1`; text
    /// has no quotes unless it would read as something else without them.
    pub fn value(&self) -> String {
        canonical(&self.value)
    }

    /// The value as a number, when it is one.
    pub fn number(&self) -> Option<f64> {
        number(&self.value)
    }
}

impl FromStr for Setting {
    type Err = LabError;

    fn from_str(argument: &str) -> Result<Self, LabError> {
        let (key, value) = split_argument(argument)?;
        Setting::new(key, value)
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.key(), self.value())
    }
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.value() == other.value()
    }
}

/// Writes `settings` into the TOML text `base`; comments and order of the rest are kept.
///
/// ```
/// let base = "[optim]\nlr = 1e-3 # tuned at λ = 0\n";
/// let settings = ["optim.lr=3e-3".parse()?, "run.seed=2".parse()?];
/// let text = wd_lab::setting::apply(base, &settings)?;
/// assert_eq!(text, "[optim]\nlr = 3e-3 # tuned at λ = 0\n\n[run]\nseed = 2\n");
/// # Ok::<(), wd_lab::LabError>(())
/// ```
///
/// # Errors
/// [`LabError::Toml`] when `base` is not TOML, [`LabError::Setting`] when a key leads through
/// something that is not a table.
pub fn apply(base: &str, settings: &[Setting]) -> Result<String, LabError> {
    let mut document: DocumentMut =
        base.parse().map_err(|error: toml_edit::TomlError| LabError::Toml(error.to_string()))?;
    for setting in settings {
        let Some((last, parents)) = setting.path.split_last() else {
            continue;
        };
        let mut item = document.as_item_mut();
        for (depth, part) in parents.iter().enumerate() {
            let not_a_table = || LabError::Setting {
                key: setting.key(),
                problem: format!(
                    "`{}` is not a table in the base configuration",
                    dotted(&parents[..=depth])
                ),
            };
            let table = item.as_table_like_mut().ok_or_else(not_a_table)?;
            item = table.entry(part).or_insert_with(|| {
                let mut table = Table::new();
                // No header of its own as long as it holds nothing but other tables.
                table.set_implicit(true);
                Item::Table(table)
            });
            if !item.is_table_like() {
                return Err(not_a_table());
            }
        }
        let Some(table) = item.as_table_like_mut() else {
            continue;
        };
        match table.get_mut(last) {
            Some(Item::Value(old)) => {
                let decor = old.decor().clone();
                *old = setting.value.clone();
                *old.decor_mut() = decor;
            }
            Some(old) => *old = Item::Value(setting.value.clone()),
            None => {
                table.insert(last, Item::Value(setting.value.clone()));
            }
        }
    }
    Ok(document.to_string())
}

/// Splits `key=value` at the first `=` outside quotes.
pub(crate) fn split_argument(argument: &str) -> Result<(&str, &str), LabError> {
    let mut quote = None;
    for (index, character) in argument.char_indices() {
        match (quote, character) {
            (None, '=') => return Ok((argument[..index].trim(), argument[index + 1..].trim())),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
    }
    Err(LabError::Argument {
        argument: argument.to_owned(),
        problem: "there is no `=`".to_owned(),
        fix: "write key=value, for example decay.lambda=0,0.1".to_owned(),
    })
}

/// The parts of a dotted key.
pub(crate) fn parse_key(key: &str) -> Result<Vec<String>, LabError> {
    match Key::parse(key) {
        Ok(parts) if !parts.is_empty() => {
            Ok(parts.iter().map(|part| part.get().to_owned()).collect())
        }
        _ => Err(LabError::Argument {
            argument: key.to_owned(),
            problem: "this is not a configuration key".to_owned(),
            fix: "write a dotted key such as optim.lr, with quotes around parts that hold dots or \
                  stars"
                .to_owned(),
        }),
    }
}

/// The inverse of [`parse_key`].
pub(crate) fn dotted(parts: &[String]) -> String {
    let quoted: Vec<String> =
        parts.iter().map(|part| Key::new(part.as_str()).display_repr().into_owned()).collect();
    quoted.join(".")
}

/// A TOML value, or plain text; the message says why there is none.
pub(crate) fn parse_value(text: &str) -> Result<Value, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("the value is empty".to_owned());
    }
    if let Ok(mut value) = text.parse::<Value>() {
        // Without the blanks around it, so that it is written like its neighbours.
        value.decor_mut().clear();
        return Ok(value);
    }
    // TOML wants `0.1` where people type `.1`.
    let looks_numeric =
        text.starts_with(['.', '+', '-']) || text.starts_with(|c: char| c.is_ascii_digit());
    if looks_numeric && let Ok(number) = text.parse::<f64>() {
        return Ok(Value::from(number));
    }
    if text.starts_with(['"', '\'', '[', '{']) {
        return Err("a quote or bracket is not closed".to_owned());
    }
    Ok(Value::from(text))
}

/// The value as a number, when it is one.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(integer) => Some(*integer.value() as f64),
        Value::Float(float) => Some(*float.value()),
        _ => None,
    }
}

/// One spelling for values that mean the same.
pub(crate) fn canonical(value: &Value) -> String {
    match value {
        Value::Integer(integer) => integer.value().to_string(),
        Value::Float(float) => spell(*float.value()),
        Value::Boolean(boolean) => boolean.value().to_string(),
        Value::String(string) => {
            let text = string.value();
            match parse_value(text) {
                Ok(Value::String(read)) if read.value() == text => text.clone(),
                _ => value.to_string().trim().to_owned(),
            }
        }
        Value::Array(array) => {
            // A bare word is no TOML inside an array.
            let item = |value: &Value| match value {
                Value::String(_) => value.to_string().trim().to_owned(),
                _ => canonical(value),
            };
            let items: Vec<String> = array.iter().map(item).collect();
            format!("[{}]", items.join(", "))
        }
        _ => value.to_string().trim().to_owned(),
    }
}

/// A number as short as it reads back exactly: `0.1`, `3`, `1e-7`.
pub fn spell(number: f64) -> String {
    let size = number.abs();
    if number == 0.0 {
        "0".to_owned()
    } else if (1e-5..1e15).contains(&size) || !number.is_finite() {
        format!("{number}")
    } else {
        format!("{number:e}")
    }
}
