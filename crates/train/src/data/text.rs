//! A prepared corpus, its split, and the loader of its windows.

use wd_data::text::{Corpus, Loader, LoaderConfig, Split};
use wd_decay::Unit;
use wd_store::PlannedText;

use super::planned::PlannedData;
use crate::{
    config::{ConfigFault, ConfigSource},
    error::TrainError,
};

/// The corpus of a configuration.
pub(crate) fn open(source: &ConfigSource) -> Result<Corpus, TrainError> {
    Ok(Corpus::open(&source.config.data.path)?)
}

/// Windows a step.
pub(crate) fn sequences(source: &ConfigSource) -> Result<usize, TrainError> {
    source.config.data.sequences.ok_or_else(|| {
        source.error(ConfigFault::Missing {
            key: "data.sequences".to_owned(),
            meaning: Some("how many windows of model.context tokens a step takes"),
        })
    })
}

/// The loader at the start of the run's data.
pub(crate) fn loader(
    source: &ConfigSource,
    corpus: Corpus,
    context: usize,
) -> Result<Loader, TrainError> {
    let data = &source.config.data;
    let split = Split::new(&corpus, data.validation_fraction(), data.split_seed())?;
    Ok(Loader::new(
        corpus,
        split,
        LoaderConfig {
            context,
            sequences: sequences(source)?,
            order: data.order.unwrap_or_default(),
            seed: source.config.run.seed,
            epochs: data.epochs,
        },
    )?)
}

/// What the corpus says to the plan of a model with this context.
pub(crate) fn plan(
    source: &ConfigSource,
    corpus: Corpus,
    context: usize,
) -> Result<PlannedData, TrainError> {
    let data = &source.config.data;
    let sidecar = corpus.sidecar();
    let hash = sidecar.hash.clone();
    let text = PlannedText {
        documents: sidecar.documents,
        tokens: sidecar.tokens,
        tokenizer: sidecar.tokenizer.to_string(),
        vocabulary: sidecar.vocabulary as u64,
        validation_fraction: data.validation_fraction(),
        split_seed: data.split_seed(),
    };
    let loader = loader(source, corpus, context)?;
    Ok(PlannedData {
        unit: Unit::Token,
        per_step: (sequences(source)? * context) as u64,
        training: loader.training_tokens(),
        validation: loader.validation_tokens(),
        steps_in_epoch: loader.steps_in_epoch(),
        hash,
        text: Some(text),
        images: None,
    })
}
