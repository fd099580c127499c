//! What the study trains, beside the runs of the other studies.

use crate::{Definition, StudyError, force, vision};

/// What the study trains: of which study each grid is.
#[derive(Debug, Clone)]
pub struct Trained {
    /// Runs of the study of language models in one pass.
    pub force: Definition,
    /// Runs of the study of networks on images.
    pub vision: Definition,
    /// Language models of its own.
    pub language_models: Definition,
    /// Networks on images with wrong labels, of its own.
    pub wrong_labels: Definition,
    /// Language models that runs of the study in one pass are compared with.
    pub controls: Definition,
}

/// What the study trains.
///
/// # Errors
/// A program that was built with a damaged file of the study.
pub fn trained() -> Result<Trained, StudyError> {
    let read = Definition::read;
    Ok(Trained {
        force: read("crates/studies/src/claims/force.toml", include_str!("force.toml"))?,
        vision: read("crates/studies/src/claims/vision.toml", include_str!("vision.toml"))?,
        language_models: read(
            "crates/studies/src/claims/language_models.toml",
            include_str!("language_models.toml"),
        )?,
        wrong_labels: read(
            "crates/studies/src/claims/wrong_labels.toml",
            include_str!("wrong_labels.toml"),
        )?,
        controls: read("crates/studies/src/claims/controls.toml", include_str!("controls.toml"))?,
    })
}

/// The base configuration of its language models: that of [`force`].
pub const fn base_of_language_models() -> &'static str {
    force::BASE
}

/// The base configuration of its networks on images: that of [`vision`].
pub const fn base_of_wrong_labels() -> &'static str {
    vision::BASE
}
