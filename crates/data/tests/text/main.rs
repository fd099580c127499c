//! Text: from files to batches of tokens.

mod corpus;
mod hostile_input;
mod loader;
mod prepare;
mod shipped_corpus;
mod source;
mod split;
mod support;
mod tokenizers;
