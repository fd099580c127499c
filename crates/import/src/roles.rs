//! Which setting is λ, η and the seed, and which curve is which loss: as asked for, or recognised
//! where there is one candidate, and never guessed between several.

use std::collections::{BTreeMap, BTreeSet};

use wd_lab::record::{Recording, TrainingLoss};

use crate::names::{GRADIENT_NORM, TRAINING, VALIDATION, is_lambda, is_rate, is_seed};
use crate::run::{Averaging, Run};
use crate::{Format, ImportError};

/// What the person says about the names of another program.
#[derive(Debug, Clone, Default)]
pub struct RoleOptions {
    /// The setting that is λ.
    pub lambda_from: Option<String>,
    /// The setting that is the peak learning rate.
    pub rate_from: Option<String>,
    /// The setting that is the seed.
    pub seed_from: Option<String>,
    /// The curve that is the training loss.
    pub train: Option<String>,
    /// The curve that is the validation loss.
    pub validation: Option<String>,
    /// What the training loss is.
    pub train_is: Option<TrainingLoss>,
    /// See [`Recording::pair_tolerance`].
    pub pair_tolerance: Option<f64>,
    /// Settings that do not tell runs apart.
    pub ignore: Vec<String>,
}

/// The roles of the names in some runs.
///
/// # Errors
/// [`ImportError::Role`] with the candidates when a role cannot be told.
pub fn assign(
    format: Format,
    runs: &[Run],
    options: &RoleOptions,
) -> Result<Recording, ImportError> {
    let settings = Settings::of(runs);
    let lambda = lambda(&settings, options)?;
    let learning_rate = optional(&settings, "rate_from", &options.rate_from, is_rate, "η")?;
    let seed = optional(&settings, "seed_from", &options.seed_from, is_seed, "the seed")?;
    let tags: BTreeSet<&str> =
        runs.iter().flat_map(|run| run.curves.keys().map(String::as_str)).collect();
    let training = curve(&tags, "train", &options.train, &TRAINING)?;
    let validation = curve(&tags, "validation", &options.validation, &VALIDATION)?;
    if training.is_none() && validation.is_none() {
        let problem = "no curve has the name of a training or validation loss; `train` and \
                       `validation` name them among these curves"
            .to_owned();
        let list = tags.iter().map(|tag| (*tag).to_owned()).collect();
        return Err(ImportError::Role { option: "validation", problem, list });
    }
    let averaged = runs.iter().any(|run| run.averaging == Averaging::Window);
    let training_is = options.train_is.unwrap_or(match averaged {
        true => TrainingLoss::RunningMean,
        false => TrainingLoss::Undeclared,
    });
    let tolerance = options.pair_tolerance.unwrap_or(Recording::PAIR_TOLERANCE);
    if !(0.0..1.0).contains(&tolerance) {
        return Err(ImportError::Option {
            option: "pair_tolerance",
            problem: format!("{tolerance} is no relative difference; it is at least 0 and below 1"),
        });
    }
    Ok(Recording {
        program: format.name().to_owned(),
        lambda,
        learning_rate,
        seed,
        training,
        training_is,
        validation,
        gradient_norm: GRADIENT_NORM.iter().find_map(|name| named(&tags, name)),
        pair_tolerance: tolerance,
        notes: Vec::new(),
    })
}

/// The settings of all runs, key by key.
struct Settings<'a> {
    values: BTreeMap<&'a str, Vec<Option<&'a str>>>,
}

impl<'a> Settings<'a> {
    fn of(runs: &'a [Run]) -> Self {
        let mut values: BTreeMap<&str, Vec<Option<&str>>> = BTreeMap::new();
        for (index, run) in runs.iter().enumerate() {
            for (key, value) in &run.settings {
                let all = values.entry(key).or_insert_with(|| vec![None; runs.len()]);
                if let Some(place) = all.get_mut(index) {
                    *place = Some(value);
                }
            }
        }
        Settings { values }
    }

    fn varies(&self, key: &str) -> bool {
        self.values.get(key).is_some_and(|values| values.iter().any(|value| *value != values[0]))
    }

    /// The candidates that are not a copy of another one.
    fn candidates(&self, is_one: fn(&str) -> bool) -> Vec<&'a str> {
        let mut kept: Vec<&str> = Vec::new();
        for (key, values) in self.values.iter().filter(|(key, _)| is_one(key)) {
            if !kept.iter().any(|known| self.values.get(known) == Some(values)) {
                kept.push(key);
            }
        }
        kept
    }

    /// The keys that vary, each with some of its values.
    fn varying(&self) -> Vec<String> {
        let keys = self.values.keys().filter(|key| self.varies(key));
        keys.map(|key| self.described(key)).collect()
    }

    fn described(&self, key: &str) -> String {
        let mut distinct: Vec<&str> = Vec::new();
        for value in self.values.get(key).into_iter().flatten() {
            let value = value.unwrap_or("absent");
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        let shown: Vec<String> =
            distinct.iter().take(6).map(|value| value.chars().take(40).collect()).collect();
        let more = if distinct.len() > 6 { ", …" } else { "" };
        format!("{key}: {}{more}", shown.join(", "))
    }
}

fn lambda(settings: &Settings<'_>, options: &RoleOptions) -> Result<String, ImportError> {
    if let Some(key) = &options.lambda_from {
        return asked(settings, "lambda_from", key);
    }
    let candidates = settings.candidates(is_lambda);
    let varying: Vec<&str> =
        candidates.iter().copied().filter(|key| settings.varies(key)).collect();
    let ask = |problem: String, list: Vec<String>| {
        Err(ImportError::Role { option: "lambda_from", problem, list })
    };
    match (varying.as_slice(), candidates.as_slice()) {
        ([only], _) => Ok((*only).to_owned()),
        ([_, _, ..], _) => {
            let list = varying.iter().map(|key| settings.described(key)).collect();
            ask("several settings may be λ; `lambda_from` says which".to_owned(), list)
        }
        ([], [only]) if settings.varying().is_empty() => Ok((*only).to_owned()),
        ([], _) => {
            let list = settings.varying();
            let problem = match (candidates.as_slice(), list.is_empty()) {
                ([], true) => "no setting is called like λ, and none differs between the runs; \
                               `settings` reads further ones from a table"
                    .to_owned(),
                ([], false) => "no setting is called like λ; `lambda_from` says which of those \
                                that vary it is, and `settings` reads further ones from a table"
                    .to_owned(),
                (known, _) => format!(
                    "`{}` is the same in all runs; `lambda_from` names it, or one of the settings \
                     that vary",
                    known.join("`, `")
                ),
            };
            ask(problem, list)
        }
    }
}

/// A setting that was asked for.
fn asked(settings: &Settings<'_>, option: &'static str, key: &str) -> Result<String, ImportError> {
    if settings.values.contains_key(key) {
        return Ok(key.to_owned());
    }
    let problem = format!("no run has a setting `{key}`; these vary");
    Err(ImportError::Role { option, problem, list: settings.varying() })
}

/// A role that need not be played.
fn optional(
    settings: &Settings<'_>,
    option: &'static str,
    wanted: &Option<String>,
    is_one: fn(&str) -> bool,
    what: &str,
) -> Result<Option<String>, ImportError> {
    if let Some(key) = wanted {
        return asked(settings, option, key).map(Some);
    }
    let candidates = settings.candidates(is_one);
    let varying: Vec<&str> =
        candidates.iter().copied().filter(|key| settings.varies(key)).collect();
    match (varying.as_slice(), candidates.as_slice()) {
        ([only], _) | ([], [only]) => Ok(Some((*only).to_owned())),
        ([], _) => Ok(None),
        (several, _) => Err(ImportError::Role {
            option,
            problem: format!("several settings may be {what}; `{option}` says which"),
            list: several.iter().map(|key| settings.described(key)).collect(),
        }),
    }
}

/// The curve that was asked for, or the likeliest name there is.
fn curve(
    tags: &BTreeSet<&str>,
    option: &'static str,
    wanted: &Option<String>,
    names: &[&str],
) -> Result<Option<String>, ImportError> {
    match wanted {
        Some(tag) if tags.contains(tag.as_str()) => Ok(Some(tag.clone())),
        Some(tag) => Err(ImportError::Role {
            option,
            problem: format!("no run has a curve `{tag}`; these are there"),
            list: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        }),
        None => Ok(names.iter().find_map(|name| named(tags, name))),
    }
}

/// A curve by its name, whatever its capitals.
fn named(tags: &BTreeSet<&str>, name: &str) -> Option<String> {
    tags.iter().find(|tag| tag.eq_ignore_ascii_case(name)).map(|tag| (*tag).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(settings: &[&[(&str, &str)]]) -> Vec<Run> {
        settings
            .iter()
            .map(|settings| {
                let mut run = Run::default();
                settings.iter().for_each(|(key, value)| run.set_text(key, value));
                run.push("Loss/train", 1, 2.0);
                run
            })
            .collect()
    }

    fn roles(settings: &[&[(&str, &str)]]) -> Result<Recording, ImportError> {
        assign(Format::Csv, &runs(settings), &RoleOptions::default())
    }

    #[test]
    fn the_one_that_varies_is_taken() {
        let found = roles(&[
            &[("wd", "0"), ("embedding.wd", "0"), ("lr", "1e-3"), ("seed", "1")],
            &[("wd", "0.1"), ("embedding.wd", "0"), ("lr", "1e-3"), ("seed", "1")],
        ])
        .unwrap();
        assert_eq!((&found.lambda[..], found.seed.as_deref()), ("wd", Some("seed")));
        assert_eq!(found.training.as_deref(), Some("Loss/train"));
        assert_eq!(found.training_is, TrainingLoss::Undeclared);
    }

    #[test]
    fn a_copy_is_no_second_candidate() {
        let found = roles(&[
            &[("optim.weight_decay", "0"), ("weight_decay", "0")],
            &[("optim.weight_decay", "1"), ("weight_decay", "1")],
        ]);
        assert_eq!(found.unwrap().lambda, "optim.weight_decay");
    }

    #[test]
    fn between_several_nothing_is_guessed() {
        let error = roles(&[
            &[("muon_wd", "0"), ("adam_weight_decay", "1")],
            &[("muon_wd", "1"), ("adam_weight_decay", "2")],
        ])
        .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("adam_weight_decay: 1, 2") && text.contains("muon_wd: 0, 1"),
            "{text}"
        );
        assert_eq!(error.option(), Some("lambda_from"));
        let error = roles(&[&[("x", "0"), ("wd", "1")], &[("x", "2"), ("wd", "1")]]).unwrap_err();
        assert!(error.to_string().contains("x: 0, 2"), "{error}");
    }
}
