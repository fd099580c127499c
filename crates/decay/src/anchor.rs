//! The point that a tensor decays to.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

#[doc = include_str!("../docs/anchor.md")]
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// a = 0.
    #[default]
    Zero,
    /// a = w₀.
    Initial,
    /// a = the weights of a file.
    Checkpoint(PathBuf),
    /// a = Rw/‖w‖, where R is this multiple of ‖w₀‖.
    Norm(f64),
}

/// What may be written, for errors.
const FORMS: &str = r#""zero", "initial", { checkpoint = "FILE.safetensors" } or { norm = 1.0 } (times the initial norm)"#;

impl fmt::Display for Anchor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Anchor::Zero => formatter.write_str("zero"),
            Anchor::Initial => formatter.write_str("the initial weights"),
            Anchor::Checkpoint(file) => write!(formatter, "the weights of {}", file.display()),
            Anchor::Norm(ratio) => write!(formatter, "{ratio} times the initial norm"),
        }
    }
}

impl<'de> Deserialize<'de> for Anchor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Anchor;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(FORMS)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Anchor, E> {
                match text {
                    "zero" => Ok(Anchor::Zero),
                    "initial" => Ok(Anchor::Initial),
                    _ => Err(E::custom(format!("no anchor is called `{text}`; write {FORMS}"))),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Anchor, A::Error> {
                let anchor = match map.next_key::<String>()?.as_deref() {
                    Some("checkpoint") => Anchor::Checkpoint(map.next_value()?),
                    Some("norm") => Anchor::Norm(map.next_value()?),
                    Some(other) => {
                        return Err(de::Error::custom(format!(
                            "an anchor has no `{other}`; write {FORMS}"
                        )));
                    }
                    None => {
                        return Err(de::Error::custom(format!("an empty anchor; write {FORMS}")));
                    }
                };
                match map.next_key::<String>()? {
                    None => Ok(anchor),
                    Some(second) => Err(de::Error::custom(format!(
                        "an anchor is one thing, so `{second}` cannot stand beside it; write \
                         {FORMS}"
                    ))),
                }
            }
        }
        deserializer.deserialize_any(Form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder {
        anchor: Anchor,
    }

    fn read(text: &str) -> Result<Anchor, String> {
        let read = toml::from_str::<Holder>(text);
        read.map(|holder| holder.anchor).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn the_forms_in_toml() {
        let forms = [
            ("anchor = \"zero\"", Anchor::Zero),
            ("anchor = \"initial\"", Anchor::Initial),
            ("anchor = { checkpoint = \"a/b\" }", Anchor::Checkpoint("a/b".into())),
            ("anchor = { norm = 1.5 }", Anchor::Norm(1.5)),
        ];
        for (text, anchor) in forms {
            assert_eq!(read(text).as_ref(), Ok(&anchor));
            // A configuration is written out again when runs are compared.
            let holder = Holder { anchor };
            assert_eq!(
                toml::from_str::<Holder>(&toml::to_string(&holder).unwrap()).unwrap(),
                holder
            );
        }
    }

    #[test]
    fn another_form_is_told_what_may_be_written() {
        let wrong = [
            ("anchor = \"elsewhere\"", "no anchor is called `elsewhere`"),
            ("anchor = \"checkpoint\"", "no anchor is called `checkpoint`"),
            ("anchor = { file = \"a\" }", "an anchor has no `file`"),
            ("anchor = {}", "an empty anchor"),
            ("anchor = { norm = 1.0, checkpoint = \"a\" }", "`checkpoint` cannot stand beside it"),
            ("anchor = 0.5", "invalid type"),
        ];
        for (text, expected) in wrong {
            let message = read(text).unwrap_err();
            assert!(
                message.contains(expected) && message.contains("\"initial\", {"),
                "{text}: {message}"
            );
        }
    }
}
