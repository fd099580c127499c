//! Text → [`RunConfig`], and the place in the text of every complaint.

use std::{ops::Range, path::Path};

use wd_data::DataError;

use crate::{ConfigError, RunConfig, TrainError};

/// A configuration and the text it was read from.
#[derive(Debug, Clone)]
pub struct ConfigSource {
    /// Name of the file, for messages.
    pub name: String,
    /// The text, overrides applied.
    pub text: String,
    /// What it says.
    pub config: RunConfig,
}

impl ConfigSource {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// Unreadable file, TOML syntax, unknown keys (with the nearest known one), values of the wrong type.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| TrainError::ReadConfig { path: path.to_owned(), source })?;
        Self::parse(&path.display().to_string(), text)
    }

    /// Parses a configuration.
    ///
    /// # Errors
    /// As [`ConfigSource::read`].
    pub fn parse(name: &str, text: String) -> Result<Self, TrainError> {
        match toml::from_str(&text) {
            Ok(config) => Ok(ConfigSource { name: name.to_owned(), text, config }),
            Err(error) => Err(Box::new(ConfigError {
                name: name.to_owned(),
                span: error.span(),
                help: suggestion(error.message()),
                message: error.message().to_owned(),
                text,
            })
            .into()),
        }
    }

    /// An error about the value of `key` (for example `optim.lr`).
    pub fn invalid(
        &self,
        key: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> TrainError {
        Box::new(ConfigError {
            name: self.name.clone(),
            span: self.span_of(key),
            text: self.text.clone(),
            message: message.into(),
            help: Some(help.into()),
        })
        .into()
    }

    /// For `map_err`: what the data refused is the value of `key`.
    pub(crate) fn refused(&self, key: &str) -> impl Fn(DataError) -> TrainError {
        let key = key.to_owned();
        move |error| {
            let help = match &error {
                DataError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                    Some(
                        "a relative path starts in the folder in which the command is run"
                            .to_owned(),
                    )
                }
                _ => None,
            };
            Box::new(ConfigError {
                name: self.name.clone(),
                span: self.span_of(&key),
                text: self.text.clone(),
                message: error.to_string(),
                help,
            })
            .into()
        }
    }

    /// Where `key` stands in the text; its section where the key itself is absent.
    fn span_of(&self, key: &str) -> Option<Range<usize>> {
        let document = toml_edit::Document::parse(self.text.as_str()).ok()?;
        let mut item = document.as_item();
        let mut span = None;
        for part in key.split('.') {
            match item.get(part) {
                Some(next) => {
                    item = next;
                    span = next.span().or(span);
                }
                None => break,
            }
        }
        span
    }
}

/// What people write, in any section, for a key of another name or section.
const ELSEWHERE: [(&str, &str); 16] = [
    ("weight_decay", "decay.lambda"),
    ("wd", "decay.lambda"),
    ("lambda", "decay.lambda"),
    ("learning_rate", "optim.lr"),
    ("lr", "optim.lr"),
    ("betas", "optim.beta1 and optim.beta2"),
    ("eps", "optim.epsilon"),
    ("grad_clip", "optim.clip"),
    ("optimizer", "optim.kind"),
    ("batch_size", "data.batch for images, data.sequences for text"),
    ("label_smoothing", "model.label_smoothing"),
    ("epochs", "data.epochs"),
    ("steps", "run.steps"),
    ("seed", "run.seed"),
    ("warmup", "schedule.warmup"),
    ("dropout", "model.dropout"),
];

/// For "unknown field `x`, expected one of …": the expected key that is nearest to what was typed.
fn suggestion(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let typed = quoted.next()?;
    if !message.starts_with("unknown") {
        return None;
    }
    if let Some((_, key)) = ELSEWHERE.iter().find(|(name, _)| *name == typed) {
        return Some(format!("it is {key} here"));
    }
    let known: Vec<&str> = quoted.collect();
    let nearest = known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(typed, candidate), candidate))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.7);
    match nearest {
        Some((_, candidate)) => Some(format!("did you mean `{candidate}`?")),
        None if known.is_empty() => None,
        None => Some(format!("known here: {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = r#"
[data]
path = "corpus"
sequences = 4
[model]
context = 8
layers = 1
width = 8
heads = 2
[optim]
lr = 1e-3
"#;

    fn complaint(text: &str) -> Box<ConfigError> {
        match ConfigSource::parse("run.toml", text.to_owned()) {
            Err(TrainError::Config(error)) => error,
            other => panic!("expected a configuration error, got {other:?}"),
        }
    }

    #[test]
    fn minimal_configuration_has_the_documented_defaults() {
        let source = ConfigSource::parse("run.toml", MINIMAL.to_owned()).unwrap();
        assert_eq!(source.config.optim.clip, 1.0);
        assert_eq!(source.config.data.epochs, 1);
        assert_eq!(source.config.decay.lambda(), 0.0);
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place_and_the_nearest_key() {
        let text = format!("{MINIMAL}\n[decay]\nlamda = 0.1\n");
        let error = complaint(&text);
        assert_eq!(&text[error.span.clone().unwrap()], "lamda");
        assert_eq!(error.help.as_deref(), Some("did you mean `lambda`?"));
    }

    #[test]
    fn an_unknown_rule_lists_what_there_is() {
        let text = format!("{MINIMAL}\n[decay]\nrule = \"decoupledd\"\n");
        let error = complaint(&text);
        assert_eq!(error.help.as_deref(), Some("did you mean `decoupled`?"));
    }

    #[test]
    fn a_complaint_about_a_value_points_at_it() {
        let source = ConfigSource::parse("run.toml", MINIMAL.to_owned()).unwrap();
        match source.invalid("optim.lr", "bad", "mend") {
            TrainError::Config(error) => {
                assert_eq!(&source.text[error.span.clone().unwrap()], "1e-3");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn overrides_keep_their_order() {
        let text = format!("{MINIMAL}\n[decay.overrides]\n\"z*\" = 0.1\n\"a*\" = 0.2\n");
        let source = ConfigSource::parse("run.toml", text).unwrap();
        let globs: Vec<&str> =
            source.config.decay.overrides.0.iter().map(|(glob, _)| glob.as_str()).collect();
        assert_eq!(globs, ["z*", "a*"]);
    }
}
