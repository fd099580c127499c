//! What a shipped study trains: `study.toml`, as data.

use std::collections::BTreeMap;

use serde::Deserialize;
use wd_lab::{Grid, LabError, Study, Trial};

use crate::StudyError;

/// How much of a study is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// A first look of about a minute.
    Quick,
    /// What the README quotes.
    Default,
    /// Larger models, more data, more seeds.
    Full,
}

impl Length {
    /// What the name of the study's folder ends with.
    pub const fn suffix(self) -> &'static str {
        match self {
            Length::Quick => "-quick",
            Length::Default => "",
            Length::Full => "-full",
        }
    }
}

/// A study: its title, its models, and the grids of each length.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Title of the study.
    pub title: String,
    /// Name of the tokenizer of a study on text.
    pub tokenizer: Option<String>,
    /// Settings that make each model that grids name.
    #[serde(default)]
    models: BTreeMap<String, Vec<String>>,
    quick: Variant,
    default: Variant,
    /// Absent where a study is never longer than its default.
    full: Option<Variant>,
}

/// What one length of a study trains.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    #[serde(default)]
    set: Vec<String>,
    grids: Vec<SeededGrid>,
}

/// A product of axes, repeated for seeds 0 … `seeds` − 1, and for each of some models.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeededGrid {
    #[serde(default)]
    models: Vec<String>,
    axes: Vec<String>,
    seeds: u64,
}

impl Definition {
    /// Reads `study.toml`; `file` is its place in the project.
    pub(crate) fn read(file: &'static str, text: &str) -> Result<Self, StudyError> {
        let shipped = |problem: String| StudyError::Shipped { file, problem };
        let definition: Definition =
            toml::from_str(text).map_err(|error| shipped(error.to_string()))?;
        let full = definition.full.iter();
        for variant in [&definition.quick, &definition.default].into_iter().chain(full) {
            let named = variant.grids.iter().flat_map(|grid| &grid.models);
            for model in named {
                if !definition.models.contains_key(model) {
                    return Err(shipped(format!("there is no model `{model}`")));
                }
            }
        }
        Ok(definition)
    }

    fn variant(&self, length: Length) -> &Variant {
        match length {
            Length::Quick => &self.quick,
            Length::Default => &self.default,
            Length::Full => self.full.as_ref().unwrap_or(&self.default),
        }
    }

    /// What all trials of a length change in the base configuration.
    pub fn set(&self, length: Length) -> &[String] {
        &self.variant(length).set
    }

    /// Adds all trials of a length to a study, seed by seed, so that one which is cut short has
    /// every arm at the same number of seeds. `seeds` holds for all grids.
    ///
    /// # Errors
    /// A grid that cannot be read, or does not fit into the base configuration.
    pub fn add_to(
        &self,
        study: &mut Study,
        length: Length,
        seeds: Option<u64>,
    ) -> Result<Vec<Trial>, LabError> {
        let grids: Vec<(Vec<String>, u64)> = self
            .variant(length)
            .grids
            .iter()
            .flat_map(|grid| {
                let seeds = seeds.unwrap_or(grid.seeds);
                self.axes(grid).into_iter().map(move |axes| (axes, seeds))
            })
            .collect();
        let most = grids.iter().map(|(_, seeds)| *seeds).max().unwrap_or(0);
        let mut seeded = Vec::new();
        for seed in 0..most {
            for (axes, _) in grids.iter().filter(|(_, seeds)| seed < *seeds) {
                let mut axes = axes.clone();
                axes.push(format!("run.seed={seed}"));
                seeded.push(Grid::parse(&axes)?);
            }
        }
        let mut all: Vec<Trial> = Vec::new();
        for trial in study.add_all(&seeded)? {
            if !all.iter().any(|known| known.name == trial.name) {
                all.push(trial);
            }
        }
        Ok(all)
    }

    /// The axes of a grid, for each of its models.
    fn axes(&self, grid: &SeededGrid) -> Vec<Vec<String>> {
        if grid.models.is_empty() {
            return vec![grid.axes.clone()];
        }
        let made_by = grid.models.iter().filter_map(|model| self.models.get(model));
        made_by.map(|made_by| [&made_by[..], &grid.axes].concat()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_not_there_is_an_error() {
        let text = "title = 'x'\n\
                    quick = { grids = [{ models = ['vit'], axes = [], seeds = 1 }] }\n\
                    default = { grids = [] }\nfull = { grids = [] }\n";
        let error = Definition::read("study.toml", text).unwrap_err();
        assert!(matches!(error, StudyError::Shipped { file: "study.toml", .. }), "{error}");
    }
}
