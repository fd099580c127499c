//! The `config.json` of a model of Hugging Face: no trainer's, but it holds σ₀ of the weights.

use super::reading::Reading;
use super::{Declaration, Dialect};

pub(super) static DIALECT: Dialect = Dialect {
    name: "Hugging Face model",
    matches: |clues| {
        let own = ["architectures", "initializer_range", "transformers_version"];
        clues.keys(&own, &["model_type", "hidden_size"]).min(2)
    },
    read,
};

fn read(reading: &Reading) -> Declaration {
    Declaration { init_std: reading.number("initializer_range"), ..Declaration::default() }
}
