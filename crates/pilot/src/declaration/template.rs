//! Words of a command with placeholders: `--lr={optim.lr}`.

use std::collections::BTreeMap;

/// What stands in braces besides the key of an axis, and what it becomes.
pub(crate) const PLACES: [(&str, &str); 6] = [
    ("dir", "the folder that the trial writes into"),
    ("home", "the folder of the study file"),
    ("name", "the name of the trial"),
    ("seed", "its seed"),
    ("attempt", "the number of this start"),
    ("settings", "a JSON file with the settings of the trial"),
];

/// A placeholder of `resume` alone: the folder of the attempt that is continued.
pub(crate) const PREVIOUS: &str = "previous";

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Placeholder(String),
}

/// A word with placeholders. `{{` and `}}` are braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    written: String,
    pieces: Vec<Piece>,
}

impl Template {
    /// Reads a word; the message says what is wrong with its braces.
    pub(crate) fn parse(word: &str) -> Result<Self, String> {
        let (mut pieces, mut text) = (Vec::new(), String::new());
        let mut rest = word;
        while let Some(at) = rest.find(['{', '}']) {
            text.push_str(&rest[..at]);
            let found = &rest[at..];
            if let Some(behind) = found.strip_prefix("{{").or_else(|| found.strip_prefix("}}")) {
                text.push_str(&found[..1]);
                rest = behind;
                continue;
            }
            let inner = found.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let Some((name, behind)) = inner else {
                return Err(format!("a brace of `{word}` has no partner"));
            };
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(Piece::Placeholder(name.to_owned()));
            rest = behind;
        }
        text.push_str(rest);
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Template { written: word.to_owned(), pieces })
    }

    /// The word as it was written.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// The names in braces.
    pub(crate) fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Placeholder(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The word with `values` in place of their names; a name without a value stays as it stands.
    pub(crate) fn fill(&self, values: &BTreeMap<String, String>) -> String {
        let mut filled = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Placeholder(name) => match values.get(name) {
                    Some(value) => filled.push_str(value),
                    None => filled.push_str(&format!("{{{name}}}")),
                },
            }
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_braces_kept() {
        let values = BTreeMap::from([("optim.lr".to_owned(), "0.1".to_owned())]);
        let filled = |word: &str| Template::parse(word).unwrap().fill(&values);
        assert_eq!(filled("--lr={optim.lr},{{x}}"), "--lr=0.1,{x}");
        assert_eq!(filled("{optim.lr}{dir}/a"), "0.1{dir}/a");
        assert_eq!(filled("plain"), "plain");
        assert!(Template::parse("--lr={optim.lr").is_err() && Template::parse("a}").is_err());
        let named = Template::parse("{a}-{b}").unwrap();
        assert_eq!(named.placeholders().collect::<Vec<_>>(), ["a", "b"]);
    }
}
