//! `[run]` and `[data]`, and the whole.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wd_data::{images::CorruptionKind, text::Order};

use super::decay::DecaySection;
use super::model::ModelSection;
use super::optim::{OptimSection, ScheduleSection};

/// The whole configuration of one run; `M` is what is known of `[model]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig<M = ModelSection> {
    /// `[run]`: seed, length, how often to look.
    #[serde(default)]
    pub run: RunSection,
    /// `[data]`: the corpus, its split and order.
    pub data: DataSection,
    /// `[model]`: the network.
    pub model: M,
    /// `[optim]`: the optimizer's direction.
    pub optim: OptimSection,
    /// `[schedule]`: the learning rate over the run.
    #[serde(default)]
    pub schedule: ScheduleSection,
    /// `[decay]`: which tensors decay, how much and by which rule.
    #[serde(default)]
    pub decay: DecaySection,
}

impl<M> RunConfig<M> {
    /// The same with another form of `[model]`.
    pub(super) fn with_model<N>(self, model: N) -> RunConfig<N> {
        let RunConfig { run, data, optim, schedule, decay, .. } = self;
        RunConfig { run, data, model, optim, schedule, decay }
    }
}

/// `[run]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunSection {
    /// Seed of the initial weights, the data order and dropout.
    pub seed: u64,
    /// Optimizer steps; absent: as many as the data allow in `data.epochs` passes.
    pub steps: Option<u64>,
    /// Evaluate every so many steps (0: at the end only); absent: a tenth of the run.
    pub validate_every: Option<u64>,
    /// Record the per-tensor measurements every so many steps.
    pub measure_every: u64,
    /// Write a checkpoint every so many steps (0: at the end only).
    pub checkpoint_every: u64,
    /// Checkpoints to keep.
    pub keep_checkpoints: u64,
    /// Keep a moving average of the weights with this decay, and evaluate it too; absent: none.
    pub average: Option<f64>,
    /// Images: evaluate the final weights on the test images under these corruptions, at every
    /// severity.
    pub evaluate: Vec<CorruptionKind>,
}

impl Default for RunSection {
    fn default() -> Self {
        RunSection {
            seed: 0,
            steps: None,
            validate_every: None,
            measure_every: 10,
            checkpoint_every: 500,
            keep_checkpoints: 2,
            average: None,
            evaluate: Vec::new(),
        }
    }
}

/// `[data]`. Text and images have keys of their own: those of the other are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSection {
    /// A folder made by `wd data prepare`; for images, a folder or file that holds them.
    pub path: PathBuf,
    /// Passes over the training data that are allowed.
    #[serde(default = "default_epochs")]
    pub epochs: u64,

    /// Text: sequences a step, each of `model.context` tokens.
    pub sequences: Option<usize>,
    /// Text: share of the tokens held out, by whole documents.
    pub validation_fraction: Option<f64>,
    /// Text: seed of the split; not the run's seed, so that all seeds are judged on the same
    /// documents.
    pub split_seed: Option<u64>,
    /// Text: `shuffled` (default) or `sequential`.
    pub order: Option<Order>,
    /// Text: windows of each evaluation (of the held-out and of the training text).
    pub validation_windows: Option<u64>,

    /// Images: images a step.
    pub batch: Option<usize>,
    /// Images: the test images; absent: the test part of `path`.
    pub test: Option<PathBuf>,
    /// Images: a second set of test images, another one or corrupted.
    pub shifted: Option<Shifted>,
    /// Images: train on so many, the same number of each class; absent: all.
    pub size: Option<usize>,
    /// Images: which ones; not the run's seed, so that all seeds learn from the same images.
    pub subset_seed: Option<u64>,
    /// Images: give this share of the training images a wrong label, drawn by `subset_seed`.
    pub label_noise: Option<f64>,
    /// Images: pad by so many pixels and cut out the original size at random.
    pub crop: Option<usize>,
    /// Images: mirror left and right with probability one half.
    pub flip: Option<bool>,
    /// Images: mix pairs of images and labels by a share drawn from Beta(α, α).
    pub mixup: Option<f64>,
    /// Images: blank a square of this side at random.
    pub cutout: Option<usize>,
    /// Images: test images of each evaluation, and as many training images; absent: all of the test
    /// part.
    pub evaluation_images: Option<usize>,
}

fn default_epochs() -> u64 {
    1
}

impl DataSection {
    /// Share of the tokens held out, with its default.
    pub fn validation_fraction(&self) -> f64 {
        self.validation_fraction.unwrap_or(0.05)
    }

    /// Seed of the split, with its default.
    pub fn split_seed(&self) -> u64 {
        self.split_seed.unwrap_or(0)
    }

    /// Windows of each evaluation, with their default.
    pub fn validation_windows(&self) -> u64 {
        self.validation_windows.unwrap_or(1024)
    }
}

/// `data.shifted`: test images that differ in kind from the training images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = r#"it has to be a path of images with the same classes, or { corruption = "noise", severity = 3 }: the corruption is noise, blur, contrast, translation or occlusion, the severity a number from 1 to 5"#
)]
pub enum Shifted {
    /// Other images of the same classes.
    Path(PathBuf),
    /// The test images, made worse.
    Corrupted(CorruptedSection),
}

/// `data.shifted = { corruption = …, severity = … }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorruptedSection {
    /// What is done to the test images.
    pub corruption: CorruptionKind,
    /// How much, from 1 to 5.
    pub severity: u8,
    /// Seed of what is random in it; not the run's, so that all seeds are judged on the same
    /// images.
    #[serde(default)]
    pub seed: u64,
}
