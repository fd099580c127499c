//! Settings from YAML. Nothing is constructed: a tag such as `!!python/object` is passed over.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::ImportError;
use crate::run::Run;

/// The keys of a YAML file, nested ones joined by dots.
pub(crate) fn settings(path: &Path, text: &str) -> Result<BTreeMap<String, String>, ImportError> {
    let mut run = Run::default();
    if let Value::Object(members) = value(path, text)? {
        for (key, value) in members {
            run.set(&key, &value);
        }
    }
    Ok(run.settings)
}

/// YAML as a value of JSON; numbers that are not finite become texts. `path` is for the error.
///
/// # Errors
/// [`ImportError::Damaged`] when it is no YAML.
pub fn value(path: &Path, text: &str) -> Result<Value, ImportError> {
    let mut options = serde_saphyr::Options::default();
    // As PyYAML: the last of equal keys counts.
    options.duplicate_keys = serde_saphyr::DuplicateKeyPolicy::LastWins;
    options.with_snippet = false;
    serde_saphyr::from_str_with_options::<Tree>(text, options)
        .map(|tree| tree.0)
        .map_err(|error| ImportError::damaged(path, format!("it is no YAML: {error}")))
}

/// A value as it is. `serde_json::Value` itself refuses keys that are numbers.
struct Tree(Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The parser bounds the depth.
        deserializer.deserialize_any(Grow).map(Tree)
    }
}

struct Grow;

impl<'de> Visitor<'de> for Grow {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number, a text, a list or a table")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        let finite = serde_json::Number::from_f64(value).map(Value::Number);
        Ok(finite.unwrap_or_else(|| Value::String(value.to_string())))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(Grow)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Tree(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Value, A::Error> {
        let mut table = Map::new();
        while let Some((Tree(key), Tree(value))) = pairs.next_entry()? {
            let key = match key {
                Value::String(key) => key,
                Value::Number(key) => key.to_string(),
                Value::Bool(key) => key.to_string(),
                _ => continue,
            };
            table.insert(key, value);
        }
        Ok(Value::Object(table))
    }
}
