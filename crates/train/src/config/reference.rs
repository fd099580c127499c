//! Every key with its default, as a commented configuration.

/// The reference that a person is shown.
pub const KEYS: &str = include_str!("../../keys.toml");

#[cfg(test)]
mod tests {
    use super::KEYS;
    use crate::config::{ConfigSource, ModelKind, RunConfig};

    fn parse(text: &str) -> RunConfig {
        ConfigSource::parse("keys.toml", text.to_owned())
            .unwrap_or_else(|e| panic!("{e}: {text}"))
            .config
    }

    /// What stands behind a `#`, if it is a key with an example.
    fn example(line: &str) -> Option<&str> {
        line.strip_prefix("# ").filter(|rest| {
            let name = rest.split_once(" = ").map(|(name, _)| name);
            name.is_some_and(|name| !name.contains(' ') || name.starts_with('"'))
        })
    }

    /// The reference, with the examples for which `wanted(section, key)` holds.
    fn written(wanted: impl Fn(&str, &str) -> bool) -> String {
        let mut section = String::new();
        let mut out = String::new();
        for line in KEYS.lines() {
            if let Some(name) = line.strip_prefix('[') {
                section = name.split(']').next().unwrap_or_default().to_owned();
            }
            let key = |line: &str| line.split(" = ").next().unwrap_or_default().to_owned();
            let example = example(line).filter(|example| wanted(&section, &key(example)));
            out.push_str(example.unwrap_or(line));
            out.push('\n');
        }
        out
    }

    #[test]
    fn the_reference_shows_the_defaults() {
        let needed = ["context", "layers", "width", "heads"];
        let shown = parse(&written(|section, key| section == "model" && needed.contains(&key)));
        let least = "[data]\npath = \"runs/sotu\"\nsequences = 32\n[model]\ncontext = 64\nlayers = \
                     2\nwidth = 64\nheads = 4\n[optim]\nlr = 1e-3\n";
        assert_eq!(shown, parse(least), "a default is not what the reference shows");
    }

    #[test]
    fn the_reference_has_every_key() {
        for section in ["run", "data", "optim", "schedule", "decay"] {
            let text = format!("[{section}]\nno_such_key = 1\n");
            let error = toml::from_str::<RunConfig<toml::Table>>(&text).unwrap_err();
            let names = error.message().split('`').skip(1).step_by(2).skip(1);
            let known: Vec<&str> = names.collect();
            assert!(known.len() > 3, "{section}: {known:?}");
            assert_shown(section, known.into_iter().filter(|key| *key != "overrides"));
        }
        for kind in ModelKind::ALL {
            assert_shown("model", kind.keys().iter().copied().chain(["kind", "init_from"]));
        }
    }

    fn assert_shown<'a>(section: &str, keys: impl Iterator<Item = &'a str>) {
        let start = KEYS.find(&format!("\n[{section}]")).expect(section);
        let text = &KEYS[start + 1..];
        let text = &text[..text.find("\n\n").unwrap_or(text.len())];
        for key in keys {
            let is_shown = text.lines().any(|line| {
                let line = line.trim_start_matches("# ").split_once(" =");
                line.is_some_and(|(name, _)| name == key)
            });
            assert!(is_shown, "[{section}] does not show `{key}`");
        }
    }

    #[test]
    fn the_reference_fits_a_terminal() {
        // The help is wrapped at 100 columns, which would tear the comments apart.
        for line in KEYS.lines() {
            assert!(line.chars().count() <= 98, "{line}");
        }
    }

    #[test]
    fn what_is_behind_a_hash_can_be_written() {
        let text = written(|section, key| match section {
            "data" => {
                ["validation_fraction", "split_seed", "order", "validation_windows"].contains(&key)
            }
            // There is no such file to fill in the sizes.
            "model" => ModelKind::Gpt.keys().contains(&key),
            _ => true,
        });
        let config = parse(&text);
        assert_eq!(config.run.steps, Some(400));
        assert_eq!(config.decay.overrides, [("*.mlp.up.weight".to_owned(), 0.05)]);
        assert!(config.decay.schedule.is_some());
    }
}
