//! JSON as Python writes it: with `NaN`, `Infinity` and `-Infinity`.

use serde_json::Value;

/// Reads JSON in which numbers that are not finite stand bare, as `json.dumps` writes them. They
/// become texts, which [`number`] reads.
pub(crate) fn json(text: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(text).or_else(|error| match quoted(text) {
        Some(text) => serde_json::from_slice(&text),
        None => Err(error),
    })
}

/// A number, also one that is not finite: `NaN`, `Infinity` and their like as texts, as orjson and
/// [`json`] give them.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" | "nan" => Some(f64::NAN),
            "Infinity" | "inf" => Some(f64::INFINITY),
            "-Infinity" | "-inf" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// The text with quotes around bare words that are no finite numbers; absent where there is none.
fn quoted(text: &[u8]) -> Option<Vec<u8>> {
    const WORDS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
    let mut quoted = Vec::with_capacity(text.len() + 16);
    let (mut at, mut is_text, mut found) = (0, false, false);
    while let Some(&byte) = text.get(at) {
        let rest = &text[at..];
        if is_text && byte == b'\\' {
            quoted.extend_from_slice(&rest[..rest.len().min(2)]);
            at += 2;
            continue;
        }
        let word = WORDS.iter().find(|word| !is_text && rest.starts_with(word));
        match word {
            Some(word) => {
                quoted.push(b'"');
                quoted.extend_from_slice(word);
                quoted.push(b'"');
                at += word.len();
                found = true;
            }
            None => {
                is_text ^= byte == b'"';
                quoted.push(byte);
                at += 1;
            }
        }
    }
    found.then_some(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_not_finite_are_read() {
        let value = json(br#"{"a": NaN, "b": [-Infinity, Infinity], "c": "NaN \" NaN"}"#).unwrap();
        assert!(number(&value["a"]).unwrap().is_nan());
        assert_eq!(number(&value["b"][0]), Some(f64::NEG_INFINITY));
        assert_eq!(number(&value["b"][1]), Some(f64::INFINITY));
        assert_eq!(value["c"], "NaN \" NaN");
        assert!(json(b"{\"a\": Na}").is_err());
        assert!(json(b"\"\\").is_err());
    }
}
