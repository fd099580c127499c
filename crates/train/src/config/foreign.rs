//! Which keys of `[data]` and `[model]` belong to which kind of model: one that has no effect is refused.

use serde::Serialize;

use crate::{ConfigSource, TrainError, config::ModelKind};
use ModelKind::{Cnn, Gpt, Mlp, Resnet, Vit};

const TEXT: &[ModelKind] = &[Gpt];
const IMAGES: &[ModelKind] = &[Vit, Resnet, Cnn, Mlp];
const TRANSFORMERS: &[ModelKind] = &[Gpt, Vit];

/// A key, the kinds that have it, and the key that does the same for the others.
type Key = (&'static str, &'static [ModelKind], Option<&'static str>);

/// Keys that not every kind has.
const DATA: [Key; 15] = [
    ("sequences", TEXT, Some("batch")),
    ("validation_fraction", TEXT, Some("test")),
    ("split_seed", TEXT, Some("subset_seed")),
    ("order", TEXT, None),
    ("validation_windows", TEXT, Some("evaluation_images")),
    ("batch", IMAGES, Some("sequences")),
    ("test", IMAGES, Some("validation_fraction")),
    ("shifted", IMAGES, None),
    ("size", IMAGES, None),
    ("subset_seed", IMAGES, Some("split_seed")),
    ("crop", IMAGES, None),
    ("flip", IMAGES, None),
    ("mixup", IMAGES, None),
    ("cutout", IMAGES, None),
    ("evaluation_images", IMAGES, Some("validation_windows")),
];

/// Keys that not every kind has.
const MODEL: [Key; 29] = [
    ("vocabulary", TEXT, None),
    ("context", TEXT, None),
    ("layers", TRANSFORMERS, Some("depth")),
    ("width", &[Gpt, Vit, Resnet], Some("channels")),
    ("heads", TRANSFORMERS, None),
    ("mlp_width", TRANSFORMERS, Some("hidden")),
    ("dropout", &[Gpt, Vit, Mlp], None),
    ("activation", &[Gpt, Vit, Mlp], None),
    ("norm", &[Gpt, Resnet, Cnn], None),
    ("norm_epsilon", TRANSFORMERS, None),
    ("position", TEXT, None),
    ("rope_base", TEXT, None),
    ("tied_head", TEXT, None),
    ("bias", TEXT, Some("qkv_bias")),
    ("qk_norm", TEXT, None),
    ("init_std", TEXT, None),
    ("patch", &[Vit], None),
    ("pool", &[Vit], None),
    ("qkv_bias", &[Vit], Some("bias")),
    ("hidden", &[Mlp], Some("width")),
    ("channels", &[Cnn], Some("width")),
    ("convolutions", &[Cnn], None),
    ("kernel", &[Cnn], None),
    ("groups", &[Cnn], None),
    ("pooling", &[Cnn], Some("pool")),
    ("depth", &[Resnet], Some("layers")),
    ("stem", &[Resnet], None),
    ("loss", IMAGES, None),
    ("label_smoothing", IMAGES, None),
];

/// Refuses keys of other kinds of models than the configuration's.
pub(crate) fn refuse_foreign_keys(source: &ConfigSource) -> Result<(), TrainError> {
    let config = &source.config;
    refuse(source, "data", &config.data, &DATA)?;
    refuse(source, "model", &config.model, &MODEL)
}

fn refuse(
    source: &ConfigSource,
    section: &str,
    values: &impl Serialize,
    keys: &[Key],
) -> Result<(), TrainError> {
    let kind = source.config.model.kind;
    let written = toml::Table::try_from(values).unwrap_or_default();
    let has = |key: &str| {
        let known = keys.iter().find(|(name, ..)| *name == key);
        known.is_none_or(|(_, kinds, _)| kinds.contains(&kind))
    };
    for (key, kinds, instead) in keys {
        if !written.contains_key(*key) || kinds.contains(&kind) {
            continue;
        }
        let owner = match *kinds {
            TEXT => "text (model.kind = \"gpt\")".to_owned(),
            IMAGES => "images".to_owned(),
            kinds => {
                let names: Vec<String> =
                    kinds.iter().map(|kind| format!("model.kind = \"{}\"", kind.name())).collect();
                names.join(", ")
            }
        };
        let here = match kind {
            Gpt => "text has".to_owned(),
            _ if section == "data" => "images have".to_owned(),
            kind => format!("\"{}\" has", kind.name()),
        };
        let instead = match instead.filter(|instead| has(instead)) {
            Some(instead) => format!("; {here} {section}.{instead}"),
            None => String::new(),
        };
        return Err(source.invalid(
            &format!("{section}.{key}"),
            format!("{section}.{key} belongs to {owner}{instead}"),
            format!("remove `{key}`, or set model.kind to what it belongs to"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KEYS, RunConfig};

    fn complaint(kind: &str, data: &str, model: &str) -> String {
        let text = format!(
            "[data]\npath = \"x\"\n{data}\n[model]\nkind = \"{kind}\"\n{model}\n[optim]\nlr = 1e-3\n"
        );
        let source = ConfigSource::parse("run.toml", text).unwrap();
        refuse_foreign_keys(&source).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn a_key_of_another_kind_is_refused_with_the_one_that_takes_its_place() {
        assert_eq!(
            complaint("vit", "sequences = 4", ""),
            "data.sequences belongs to text (model.kind = \"gpt\"); images have data.batch"
        );
        assert_eq!(
            complaint("gpt", "batch = 4", ""),
            "data.batch belongs to images; text has data.sequences"
        );
        assert_eq!(
            complaint("vit", "batch = 4", "context = 8"),
            "model.context belongs to text (model.kind = \"gpt\")"
        );
        assert_eq!(
            complaint("vit", "batch = 4", "hidden = [8]"),
            "model.hidden belongs to model.kind = \"mlp\"; \"vit\" has model.width"
        );
        assert_eq!(complaint("mlp", "batch = 4", "hidden = [8]"), "");
        assert_eq!(complaint("gpt", "sequences = 4", "context = 8"), "");
    }

    /// A key that is added to a section is either of every kind or listed here.
    #[test]
    fn every_listed_key_is_a_key() {
        let written: String = KEYS
            .lines()
            .map(|line| format!("{}\n", line.strip_prefix("# ").unwrap_or(line)))
            .collect();
        for (section, keys) in [("data", &DATA[..]), ("model", &MODEL[..])] {
            let start = written.find(&format!("\n[{section}]")).unwrap();
            let text = &written[start + 1..];
            let text = &text[..text.find("\n\n").unwrap_or(text.len())];
            for (key, ..) in keys {
                let line = format!("\n{key} = ");
                assert!(text.contains(&line), "[{section}] has no `{key}`");
            }
        }
        let _: RunConfig = toml::from_str(KEYS).unwrap();
    }
}
