//! A value of any format that serde reads, in the order of the file.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::checkpoint::Value;

/// A value as it is, without a type to aim at.
pub(super) struct Tree(pub(super) Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The parsers bound the depth: serde_json at 128, YAML's and TOML's below that.
        deserializer.deserialize_any(Grow).map(Tree)
    }
}

/// Sets a key of a table: of equal keys the last one counts, as in PyYAML and in JSON.
pub(super) fn put(table: &mut Vec<(String, Value)>, key: String, value: Value) {
    match table.iter_mut().find(|(known, _)| *known == key) {
        Some((_, held)) => *held = value,
        None => table.push((key, value)),
    }
}

struct Grow;

impl<'de> Visitor<'de> for Grow {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number, a text, a list or a table")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Number(value as f64), Value::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::None)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(Grow)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Tree(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Value, A::Error> {
        let mut table = Vec::new();
        while let Some((Tree(key), Tree(value))) = pairs.next_entry()? {
            let key = match key {
                Value::Text(key) => key,
                // YAML allows numbers as keys: `0: person` in the names of ultralytics' classes.
                Value::Integer(key) => key.to_string(),
                Value::Bool(key) => key.to_string(),
                _ => continue,
            };
            put(&mut table, key, value);
        }
        Ok(Value::Table(table))
    }
}
