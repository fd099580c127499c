//! Text → [`RunConfig`], and the place in the text of every fault.

use std::{ops::Range, path::Path};

use wd_data::images::ImageError;

use super::fault::{ConfigError, ConfigFault};
use super::foreign::refuse_foreign_keys;
use super::model::Start;
use super::sections::RunConfig;
use crate::error::TrainError;

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
    /// Unreadable file, TOML syntax, unknown keys (with the nearest known one), keys of another
    /// kind of model, values of the wrong type; a `config.json` beside `model.init_from` that
    /// cannot be read.
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
        let refuse = |span, fault| located(name, &text, span, fault);
        let at_key = |(key, fault): (Option<String>, ConfigFault)| {
            let span = match key {
                Some(key) => span_of(&text, &format!("model.{key}"), &fault),
                None => fault.key().and_then(|key| span_of(&text, &key, &fault)),
            };
            refuse(span, fault)
        };
        let raw: RunConfig<toml::Table> = toml::from_str(&text)
            .map_err(|error| refuse(error.span(), ConfigFault::of_parser(error.message())))?;
        let start = Start::new(raw.model.clone()).map_err(at_key)?;
        refuse_foreign_keys(start.kind, &raw).map_err(|fault| at_key((None, fault)))?;
        let model = start.section()?.map_err(at_key)?;
        let config = raw.with_model(model);
        Ok(ConfigSource { name: name.to_owned(), text, config })
    }

    /// An error of this configuration, at its place in the text.
    pub fn error(&self, fault: ConfigFault) -> TrainError {
        let span = fault.key().and_then(|key| span_of(&self.text, &key, &fault));
        located(&self.name, &self.text, span, fault)
    }

    /// For `map_err`: what the images refused is the value of `key`.
    pub(crate) fn refused(&self, key: &str) -> impl Fn(ImageError) -> TrainError {
        let key = key.to_owned();
        move |source| self.error(ConfigFault::Data { key: key.clone(), source })
    }
}

fn located(name: &str, text: &str, span: Option<Range<usize>>, fault: ConfigFault) -> TrainError {
    let (name, text) = (name.to_owned(), text.to_owned());
    Box::new(ConfigError { name, text, span, fault }).into()
}

/// Where the value of `key` stands in the text, or an unknown key itself; its section where the key
/// is absent.
fn span_of(text: &str, key: &str, fault: &ConfigFault) -> Option<Range<usize>> {
    let is_name = matches!(fault, ConfigFault::Unknown { message, .. } if message.starts_with("unknown field"));
    let document = toml_edit::Document::parse(text).ok()?;
    let mut item = document.as_item();
    let mut span = None;
    for part in key.split('.') {
        let Some((name, next)) = item.as_table_like().and_then(|table| table.get_key_value(part))
        else {
            return span;
        };
        item = next;
        span = if is_name { name.span() } else { next.span() }.or(span);
    }
    span
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

    fn fault(text: &str) -> Box<ConfigError> {
        match ConfigSource::parse("run.toml", text.to_owned()) {
            Err(TrainError::Config(error)) => error,
            other => panic!("expected a configuration error, got {other:?}"),
        }
    }

    fn place(error: &ConfigError) -> &str {
        &error.text[error.span.clone().unwrap()]
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
        for (text, typed, nearest) in [
            (format!("{MINIMAL}\n[decay]\nlamda = 0.1\n"), "lamda", "`lambda`"),
            (format!("{MINIMAL}\n[decay]\nrule = \"decoupledd\"\n"), "decoupledd", "`decoupled`"),
            (MINIMAL.replace("heads", "headz"), "headz", "`heads`"),
        ] {
            let error = fault(&text);
            assert!(
                matches!(&error.fault, ConfigFault::Unknown { typed: name, .. } if name == typed)
            );
            assert_eq!(place(&error).trim_matches('"'), typed);
            let help = error.fault.help();
            assert!(help.as_ref().is_some_and(|help| help.contains(nearest)), "{help:?}");
        }
    }

    #[test]
    fn what_is_wrong_in_the_model_is_shown_at_its_place() {
        let error = fault(&MINIMAL.replace("heads = 2", "heads = \"two\""));
        assert!(matches!(error.fault, ConfigFault::Syntax { .. }));
        assert_eq!(place(&error), "\"two\"");

        let error = fault(&MINIMAL.replace("heads = 2", "norm = \"batch\"\nheads = 2"));
        assert!(
            matches!(&error.fault, ConfigFault::NotOfKind { kind: "gpt", known, .. } if known.len() == 2)
        );
        assert_eq!(place(&error), "\"batch\"");

        let error = fault(&MINIMAL.replace("heads = 2", ""));
        assert!(matches!(&error.fault, ConfigFault::Missing { key, .. } if key == "model.heads"));
        assert!(place(&error).starts_with("[model]"));

        let error = fault(&MINIMAL.replace("[model]", "[model]\nkind = \"gpd\""));
        assert!(
            matches!(&error.fault, ConfigFault::Unknown { typed, known, .. } if typed == "gpd" && known.len() == 5)
        );
        assert_eq!(place(&error), "\"gpd\"");
    }

    #[test]
    fn a_fault_of_a_value_points_at_it() {
        let source = ConfigSource::parse("run.toml", MINIMAL.to_owned()).unwrap();
        let (key, range, meaning) = ("optim.lr".to_owned(), "be large", "large");
        match source.error(ConfigFault::OutOfRange { key, value: 1e-3, range, meaning }) {
            TrainError::Config(error) => assert_eq!(place(&error), "1e-3"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn overrides_keep_their_order() {
        let text = format!("{MINIMAL}\n[decay.overrides]\n\"z*\" = 0.1\n\"a*\" = 0.2\n");
        let source = ConfigSource::parse("run.toml", text).unwrap();
        let globs: Vec<&str> =
            source.config.decay.overrides.iter().map(|(glob, _)| glob.as_str()).collect();
        assert_eq!(globs, ["z*", "a*"]);
    }
}
