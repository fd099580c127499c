//! A value of a pickle as a plain value without handles.

use crate::checkpoint::Value;

use super::object::Object;

/// Containers within containers that are followed.
const DEPTH: usize = 32;

/// Values that one conversion makes. A dictionary that holds itself twice at each of 32 levels
/// would otherwise have no end.
const VALUES: usize = 200_000;

impl Object<'_> {
    /// Numbers, text, lists and tables as they are; anything else by the name of its class.
    pub fn to_value(self) -> Value {
        self.value(DEPTH, &mut { VALUES })
    }

    /// Recurses at most `depth` times.
    fn value(self, depth: usize, left: &mut usize) -> Value {
        let object = self.unwrapped();
        let Some(rest) = left.checked_sub(1) else { return Value::Other("…".to_owned()) };
        *left = rest;
        if object.is_none() {
            return Value::None;
        }
        if let Some(truth) = object.truth() {
            return Value::Bool(truth);
        }
        if let Some(number) = object.integer() {
            return Value::Integer(number);
        }
        if let Some(number) = object.number() {
            return Value::Number(number);
        }
        if let Some(text) = object.text() {
            return Value::Text(text.to_owned());
        }
        if object.is_tensor() {
            return Value::Other(object.describe_tensor());
        }
        if let Some(value) = object.enumeration_or_path(depth, left) {
            return value;
        }
        let Some(depth) = depth.checked_sub(1) else { return Value::Other("…".to_owned()) };
        if object.is_table() {
            let mut table = Vec::new();
            for (key, value) in object.items() {
                if *left == 0 {
                    break;
                }
                let key = match (key.text(), key.integer()) {
                    (Some(text), _) => text.to_owned(),
                    (None, Some(number)) => number.to_string(),
                    (None, None) => continue,
                };
                table.push((key, value.value(depth, left)));
            }
            return Value::Table(table);
        }
        if object.is_sequence() {
            let elements = object.elements().take(*left);
            return Value::List(elements.map(|element| element.value(depth, left)).collect());
        }
        match object.class() {
            Some(("torch", name)) if object.dtype().is_some() => {
                Value::Text(format!("torch.{name}"))
            }
            Some((module, name)) => Value::Other(format!("{module}.{name}")),
            None => Value::Other("object".to_owned()),
        }
    }

    fn describe_tensor(self) -> String {
        match self.tensor() {
            Some(Ok(tensor)) => {
                let sizes: Vec<String> = tensor.shape().iter().map(usize::to_string).collect();
                format!("tensor {} {}", tensor.dtype(), sizes.join("×"))
            }
            _ => "tensor".to_owned(),
        }
    }

    /// A member of an enumeration is its value, a path its text. Python 3.11 names a member where
    /// other versions give its value; the name in lower case is what such values look like.
    fn enumeration_or_path(self, depth: usize, left: &mut usize) -> Option<Value> {
        if !self.is_object() || self.state().is_some() || self.is_table() {
            return None;
        }
        let (module, name) = self.class()?;
        let arguments: Vec<_> = self.arguments().take(64).collect();
        let texts: Option<Vec<&str>> = arguments.iter().map(|argument| argument.text()).collect();
        if module.starts_with("pathlib") && name.ends_with("Path") {
            let texts = texts?;
            let joined = texts.join("/");
            return Some(Value::Text(match joined.strip_prefix("//") {
                Some(absolute) => format!("/{absolute}"),
                None => joined,
            }));
        }
        let &[member] = arguments.as_slice() else { return None };
        match member.text() {
            Some(text) if text.chars().any(char::is_lowercase) => {
                Some(Value::Text(text.to_owned()))
            }
            Some(text) => Some(Value::Text(text.to_lowercase())),
            None if member.integer().is_some() => member.value(depth.checked_sub(1)?, left).into(),
            None => None,
        }
    }
}
