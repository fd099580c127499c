//! Which keys of `[data]` and `[model]` belong to which kind of model: one that has no effect is
//! refused.

use super::fault::ConfigFault;
use super::model::ModelKind::{self, Cnn, Gpt, Mlp, Resnet, Vit};
use super::sections::RunConfig;

const TEXT: &[ModelKind] = &[Gpt];
const IMAGES: &[ModelKind] = &[Vit, Resnet, Cnn, Mlp];

/// Keys of `[data]` that not every kind has, the kinds that have them, and the key that does the
/// same for the others.
const DATA: [(&str, &[ModelKind], Option<&str>); 16] = [
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
    ("label_noise", IMAGES, None),
    ("crop", IMAGES, None),
    ("flip", IMAGES, None),
    ("mixup", IMAGES, None),
    ("cutout", IMAGES, None),
    ("evaluation_images", IMAGES, Some("validation_windows")),
];

/// Keys of `[model]` and the key that does the same in other kinds. Which kind has which key its
/// own structure says.
const COUNTERPARTS: [(&str, &str); 9] = [
    ("layers", "depth"),
    ("depth", "layers"),
    ("width", "channels"),
    ("channels", "width"),
    ("mlp_width", "hidden"),
    ("hidden", "width"),
    ("bias", "qkv_bias"),
    ("qkv_bias", "bias"),
    ("pooling", "pool"),
];

/// Refuses keys of other kinds of models than the configuration's.
pub(super) fn refuse_foreign_keys(
    kind: ModelKind,
    config: &RunConfig<toml::Table>,
) -> Result<(), ConfigFault> {
    let data = toml::Table::try_from(&config.data).unwrap_or_default();
    for (key, kinds, counterpart) in DATA {
        if data.contains_key(key) && !kinds.contains(&kind) {
            let here = if kind == Gpt { "text has" } else { "images have" };
            let instead = counterpart.map(|counterpart| format!("{here} data.{counterpart}"));
            return Err(foreign(format!("data.{key}"), kinds, instead));
        }
    }
    for key in config.model.keys() {
        let kinds: Vec<ModelKind> =
            ModelKind::ALL.into_iter().filter(|kind| kind.keys().contains(&key.as_str())).collect();
        if kinds.is_empty() || kinds.contains(&kind) {
            continue;
        }
        let counterpart =
            COUNTERPARTS.iter().find(|(name, _)| name == key).map(|(_, other)| *other);
        let instead = counterpart.filter(|other| kind.keys().contains(other));
        let here = if kind == Gpt { "text".to_owned() } else { format!("\"{}\"", kind.name()) };
        let instead = instead.map(|other| format!("{here} has model.{other}"));
        return Err(foreign(format!("model.{key}"), &kinds, instead));
    }
    Ok(())
}

fn foreign(key: String, kinds: &[ModelKind], instead: Option<String>) -> ConfigFault {
    let owner = match kinds {
        TEXT => "text (model.kind = \"gpt\")".to_owned(),
        IMAGES => "images".to_owned(),
        kinds => {
            let names: Vec<String> =
                kinds.iter().map(|kind| format!("model.kind = \"{}\"", kind.name())).collect();
            names.join(", ")
        }
    };
    ConfigFault::Foreign { key, owner, instead }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ConfigSource;
    use crate::error::TrainError;

    /// The key that is refused, who owns it, and what takes its place.
    fn refused(kind: &str, data: &str, model: &str) -> Option<(String, String, Option<String>)> {
        let text = format!(
            "[data]\npath = \"x\"\n{data}\n[model]\nkind = \"{kind}\"\n{model}\n[optim]\nlr = \
             1e-3\n"
        );
        match ConfigSource::parse("run.toml", text) {
            Err(TrainError::Config(error)) => match error.fault {
                ConfigFault::Foreign { key, owner, instead } => Some((key, owner, instead)),
                ConfigFault::Missing { .. } => None,
                other => panic!("{other:?}"),
            },
            other => other.map(|_| None).unwrap(),
        }
    }

    #[test]
    fn a_key_of_another_kind_is_refused_with_the_one_that_takes_its_place() {
        let text = "text (model.kind = \"gpt\")";
        let cases: [(&str, &str, &str, [&str; 3]); 4] = [
            ("vit", "sequences = 4", "", ["data.sequences", text, "images have data.batch"]),
            ("gpt", "batch = 4", "", ["data.batch", "images", "text has data.sequences"]),
            ("vit", "batch = 4", "context = 8", ["model.context", text, ""]),
            (
                "vit",
                "batch = 4",
                "hidden = [8]",
                ["model.hidden", "model.kind = \"mlp\"", "\"vit\" has model.width"],
            ),
        ];
        for (kind, data, model, [key, owner, instead]) in cases {
            let instead = (!instead.is_empty()).then(|| instead.to_owned());
            assert_eq!(
                refused(kind, data, model),
                Some((key.to_owned(), owner.to_owned(), instead))
            );
        }
        assert_eq!(refused("mlp", "batch = 4", "hidden = [8]"), None);
        assert_eq!(refused("gpt", "sequences = 4", "context = 8"), None);
    }

    #[test]
    fn every_listed_key_is_a_key() {
        let is_data = |key: &str| {
            let text = format!("path = \"x\"\n{key} = {{}}");
            let error = toml::from_str::<crate::config::DataSection>(&text).unwrap_err();
            !error.message().starts_with("unknown field")
        };
        let is_model = |key: &str| ModelKind::ALL.iter().any(|kind| kind.keys().contains(&key));
        assert!(DATA.iter().all(|(key, ..)| is_data(key)));
        assert!(COUNTERPARTS.iter().all(|(key, other)| is_model(key) && is_model(other)));
    }
}
