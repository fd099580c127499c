//! The recipes of `recipes.toml`.

use std::sync::OnceLock;

use serde::Deserialize;

use super::recipe::Recipe;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    recipe: Vec<Recipe>,
}

/// Every recipe, language models first, in the order of their publication.
pub fn all() -> impl Iterator<Item = &'static Recipe> {
    static TABLE: OnceLock<Vec<Recipe>> = OnceLock::new();
    let read = || {
        let read = toml::from_str::<Table>(include_str!("../../recipes.toml"));
        read.unwrap_or_else(|error| panic!("recipes.toml, which is a part of this crate: {error}"))
            .recipe
    };
    TABLE.get_or_init(read).iter()
}
