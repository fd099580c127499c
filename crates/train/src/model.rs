//! `[model]` → [`GptConfig`]: the section, the corpus' vocabulary, and the `config.json` beside `init_from`.

use wd_nn::{Activation, GptConfig, Norm, Position};

use crate::{ConfigSource, TrainError, gpt2::Gpt2Config};

/// Resolves the network of a configuration.
///
/// A value comes from the section; else from the `config.json` beside `model.init_from`; else from the defaults of
/// [`GptConfig`]. Context, layers, width and heads have no default.
pub(crate) fn resolve_model(
    source: &ConfigSource,
    corpus_vocabulary: usize,
) -> Result<GptConfig, TrainError> {
    let section = &source.config.model;
    let beside = match &section.init_from {
        Some(file) => Gpt2Config::beside(file)?,
        None => None,
    };
    let required = |name: &str, written: Option<usize>, inherited: Option<usize>| {
        written.or(inherited).ok_or_else(|| {
            source.invalid(
                &format!("model.{name}"),
                format!("model.{name} is missing"),
                format!("add `{name} = …` to [model]"),
            )
        })
    };
    let gpt2 = beside.as_ref();
    let vocabulary = section
        .vocabulary
        .or(gpt2.map(|c| c.vocab_size))
        .unwrap_or(corpus_vocabulary);
    if vocabulary < corpus_vocabulary {
        return Err(source.invalid(
            "model.vocabulary",
            format!("the corpus has {corpus_vocabulary} tokens, the model only {vocabulary}"),
            "leave model.vocabulary out, or prepare the corpus with the model's tokenizer",
        ));
    }
    let context = required("context", section.context, gpt2.map(|c| c.n_positions))?;
    let layers = required("layers", section.layers, gpt2.map(|c| c.n_layer))?;
    let width = required("width", section.width, gpt2.map(|c| c.n_embd))?;
    let heads = required("heads", section.heads, gpt2.map(|c| c.n_head))?;
    let defaults = GptConfig::new(vocabulary, context, layers, width, heads);
    let model = GptConfig {
        mlp_width: section.mlp_width.or(gpt2.and_then(|c| c.n_inner)),
        norm: section.norm.unwrap_or(Norm::LayerNorm),
        norm_epsilon: section
            .norm_epsilon
            .or(gpt2.map(|c| c.layer_norm_epsilon))
            .unwrap_or(defaults.norm_epsilon),
        position: section.position.unwrap_or(Position::Learned),
        rope_base: section.rope_base.unwrap_or(defaults.rope_base),
        activation: section.activation.unwrap_or(Activation::Gelu),
        tied_head: section
            .tied_head
            .or(gpt2.map(|c| c.tie_word_embeddings))
            .unwrap_or(defaults.tied_head),
        bias: section.bias.unwrap_or(defaults.bias),
        qk_norm: section.qk_norm.unwrap_or(defaults.qk_norm),
        dropout: section.dropout.unwrap_or(defaults.dropout),
        init_std: section
            .init_std
            .or(gpt2.map(|c| c.initializer_range))
            .unwrap_or(defaults.init_std),
        ..defaults
    };
    model.validate().map_err(|error| {
        source.invalid(
            "model",
            error.to_string(),
            "mend the [model] section; `wd plan` shows what follows from it",
        )
    })?;
    Ok(model)
}
