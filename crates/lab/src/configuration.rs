//! A configuration as a flat list of keys, so that two can be compared.

use std::collections::BTreeMap;

use toml_edit::{DocumentMut, Item, TableLike};

use crate::LabError;
use crate::setting::{canonical, dotted};

/// Dotted key → value, in the spelling of [`Setting::value`](crate::Setting::value).
pub type Flat = BTreeMap<String, String>;

/// Reads a TOML text into a flat map. Comments, order and the way a number is written do not matter
/// to it.
///
/// # Errors
/// [`LabError::Toml`] when the text is not TOML.
pub fn flatten(text: &str) -> Result<Flat, LabError> {
    let document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| LabError::Toml(error.to_string()))?;
    let mut flat = Flat::new();
    collect(document.as_table(), &mut Vec::new(), &mut flat);
    Ok(flat)
}

fn collect(table: &dyn TableLike, path: &mut Vec<String>, flat: &mut Flat) {
    for (key, item) in table.iter() {
        path.push(key.to_owned());
        match item {
            Item::None => {}
            Item::Value(value) if !value.is_inline_table() => {
                flat.insert(dotted(path), canonical(value));
            }
            Item::ArrayOfTables(tables) => {
                for (index, inner) in tables.iter().enumerate() {
                    path.push(index.to_string());
                    collect(inner, path, flat);
                    path.pop();
                }
            }
            _ => {
                if let Some(inner) = item.as_table_like() {
                    collect(inner, path, flat);
                }
            }
        }
        path.pop();
    }
}

/// What differs between two configurations, in words: `optim.lr was 0.003, is 0.008`.
pub fn changes(old: &Flat, new: &Flat) -> Vec<String> {
    let absent = "absent".to_owned();
    let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    keys.into_iter()
        .filter(|key| old.get(*key) != new.get(*key))
        .map(|key| {
            let was = old.get(key).unwrap_or(&absent);
            let is = new.get(key).unwrap_or(&absent);
            format!("{key} was {was}, is {is}")
        })
        .collect()
}
