//! A run as a person writes it: the raw form of `config.toml`.
//!
//! Unknown keys are refused; numbers are checked later, when the [`RunPlan`](crate::RunPlan) is made, because most
//! of them only make sense together with the corpus.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use wd_data::{Order, images::CorruptionKind};
pub use wd_decay::OptimizerKind;
use wd_decay::{Anchor, DecayRule, Preset, ScheduleKind};
use wd_nn::{Pool, Pooling, Position, Stem};

/// Every key with its default, as a commented configuration: the reference that the command shows.
pub const KEYS: &str = include_str!("../keys.toml");

/// The whole configuration of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// `[run]`: seed, length, how often to look.
    #[serde(default)]
    pub run: RunSection,
    /// `[data]`: the corpus, its split and order.
    pub data: DataSection,
    /// `[model]`: the network.
    pub model: ModelSection,
    /// `[optim]`: the optimizer's direction.
    pub optim: OptimSection,
    /// `[schedule]`: the learning rate over the run.
    #[serde(default)]
    pub schedule: ScheduleSection,
    /// `[decay]`: which tensors decay, how much and by which rule.
    #[serde(default)]
    pub decay: DecaySection,
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
    /// Images: evaluate the final weights on the test images under these corruptions, at every severity.
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
    /// Text: seed of the split; not the run's seed, so that all seeds are judged on the same documents.
    pub split_seed: Option<u64>,
    /// Text: `shuffled` (default) or `sequential`.
    pub order: Option<Order>,
    /// Text: windows of each evaluation (of the held-out and of the training text).
    pub validation_windows: Option<u64>,

    /// Images: images a step.
    pub batch: Option<usize>,
    /// Images: the test images; absent: the test part of `path`.
    pub test: Option<PathBuf>,
    /// Images: a second set of test images, from elsewhere or corrupted.
    pub shifted: Option<Shifted>,
    /// Images: train on so many, the same number of each class; absent: all.
    pub size: Option<usize>,
    /// Images: which ones; not the run's seed, so that all seeds learn from the same images.
    pub subset_seed: Option<u64>,
    /// Images: pad by so many pixels and cut out the original size at random.
    pub crop: Option<usize>,
    /// Images: mirror left and right with probability one half.
    pub flip: Option<bool>,
    /// Images: mix pairs of images and labels by a share drawn from Beta(α, α).
    pub mixup: Option<f64>,
    /// Images: blank a square of this side at random.
    pub cutout: Option<usize>,
    /// Images: test images of each evaluation, and as many training images; absent: all of the test part.
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
    /// Images of the same classes from elsewhere.
    Elsewhere(PathBuf),
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
    /// Seed of what is random in it; not the run's, so that all seeds are judged on the same images.
    #[serde(default)]
    pub seed: u64,
}

/// `[model]`; with `init_from`, what is absent here is read from the `config.json` beside that file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSection {
    /// The family of models.
    #[serde(default)]
    pub kind: ModelKind,
    /// Start from these weights (safetensors in the names of GPT-2, timm or torchvision) instead of random ones.
    pub init_from: Option<PathBuf>,
    /// Dropout probability.
    pub dropout: Option<f64>,
    /// Rows of the embedding; absent: the corpus' vocabulary.
    pub vocabulary: Option<usize>,
    /// Tokens a sequence.
    pub context: Option<usize>,
    /// Blocks.
    pub layers: Option<usize>,
    /// Width of the residual stream; channels of a ResNet's first stage.
    pub width: Option<usize>,
    /// Attention heads.
    pub heads: Option<usize>,
    /// Hidden width of the MLP; absent: 4 × width (GELU), 8/3 × width rounded up to 8 (SwiGLU).
    pub mlp_width: Option<usize>,
    /// `layernorm` or `rmsnorm`; of convolutions `batch`, `group` or `none`.
    pub norm: Option<NormName>,
    /// Added to the variance before the root.
    pub norm_epsilon: Option<f64>,
    /// `learned` or `rope`.
    pub position: Option<Position>,
    /// Base of the rotary frequencies.
    pub rope_base: Option<f64>,
    /// `gelu`, `swiglu`, `gelu-tanh` or `relu`.
    pub activation: Option<ActivationName>,
    /// Is the output head the token embedding?
    pub tied_head: Option<bool>,
    /// Do linear layers and LayerNorms have biases?
    pub bias: Option<bool>,
    /// Are queries and keys normalised per head?
    pub qk_norm: Option<bool>,
    /// Standard deviation of the initial weights.
    pub init_std: Option<f64>,
    /// Side of a patch, in pixels.
    pub patch: Option<usize>,
    /// What the head reads: the class `token`, or the `mean` of the patches.
    pub pool: Option<Pool>,
    /// Do queries, keys and values have a bias?
    pub qkv_bias: Option<bool>,
    /// Widths of the hidden layers.
    pub hidden: Option<Vec<usize>>,
    /// Channels of each block.
    pub channels: Option<Vec<usize>>,
    /// Convolutions in a block.
    pub convolutions: Option<usize>,
    /// Side of the kernels.
    pub kernel: Option<usize>,
    /// Groups of channels that do not see one another.
    pub groups: Option<usize>,
    /// What ends a block: `max` or `average`.
    pub pooling: Option<Pooling>,
    /// Layers with weights: 6n + 2, or 18 for torchvision's `resnet18`.
    pub depth: Option<usize>,
    /// What comes before the stages: `small` or `large`.
    pub stem: Option<Stem>,
    /// What is minimised over images.
    pub loss: Option<LossName>,
    /// Share of the target that is spread over all classes.
    pub label_smoothing: Option<f64>,
}

/// `model.loss`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossName {
    /// Softmax cross-entropy.
    #[default]
    CrossEntropy,
    /// Squared error of the logits from 1 for the class and 0 for the others, the mean over both.
    MeanSquaredError,
}

/// `model.activation`; which of them a model has is checked when it is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActivationName {
    /// GELU: in a GPT its tanh form, as GPT-2; elsewhere the exact one, as PyTorch.
    Gelu,
    /// GELU in its tanh form.
    GeluTanh,
    /// SiLU with a gate.
    Swiglu,
    /// max(x, 0).
    Relu,
}

/// `model.norm`; which of them a model has is checked when it is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormName {
    /// LayerNorm.
    Layernorm,
    /// RMSNorm.
    Rmsnorm,
    /// Batch norm.
    Batch,
    /// Group norm.
    Group,
    /// None.
    None,
}

/// The families of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// A decoder-only transformer, on text.
    #[default]
    Gpt,
    /// A vision transformer.
    Vit,
    /// A residual network of convolutions.
    Resnet,
    /// A plain network of convolutions.
    Cnn,
    /// Fully connected layers, on images.
    Mlp,
}

impl ModelKind {
    /// The name as written in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            ModelKind::Gpt => "gpt",
            ModelKind::Vit => "vit",
            ModelKind::Resnet => "resnet",
            ModelKind::Cnn => "cnn",
            ModelKind::Mlp => "mlp",
        }
    }
}

/// `[optim]`. Keys that the chosen optimizer does not have are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimSection {
    /// `adamw`, `adam`, `sgd`, `lion`, `muon`.
    #[serde(default)]
    pub kind: OptimizerKind,
    /// Peak learning rate η_max.
    pub lr: f64,
    /// β₁ of Adam and Lion.
    pub beta1: Option<f64>,
    /// β₂ of Adam and Lion.
    pub beta2: Option<f64>,
    /// ε of Adam.
    pub epsilon: Option<f64>,
    /// Momentum of SGD and Muon.
    pub momentum: Option<f64>,
    /// Dampening of SGD's momentum.
    pub dampening: Option<f64>,
    /// Nesterov momentum for SGD and Muon.
    pub nesterov: Option<bool>,
    /// Muon: learning rate of its auxiliary AdamW over `lr`.
    pub auxiliary_lr_ratio: Option<f64>,
    /// Clip the global gradient norm to this; 0: never.
    #[serde(default = "default_clip")]
    pub clip: f64,
}

fn default_clip() -> f64 {
    1.0
}

/// `[schedule]` or `[decay.schedule]`: a factor on a peak, over the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = r#"a table, such as { kind = "cosine", warmup = 0.05, floor = 0.1 }"#
)]
pub struct ScheduleSection {
    /// `cosine`, `constant`, `linear`, `wsd`, `inverse-sqrt`.
    pub kind: ScheduleKind,
    /// Linear warm-up.
    pub warmup: Length,
    /// Where it ends, as a fraction of the peak.
    pub floor: f64,
    /// `wsd`: the part at the end over which it decays.
    pub decay: Length,
}

impl Default for ScheduleSection {
    fn default() -> Self {
        ScheduleSection {
            kind: ScheduleKind::Cosine,
            warmup: Length::Share(0.05),
            floor: 0.1,
            decay: Length::Share(0.2),
        }
    }
}

impl ScheduleSection {
    /// λ without a schedule of its own: constant from the first step.
    pub fn constant() -> Self {
        ScheduleSection {
            kind: ScheduleKind::Constant,
            warmup: Length::Steps(0),
            ..ScheduleSection::default()
        }
    }
}

/// A part of the run: an integer is a number of steps, a fraction below 1 a share of the run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "a part of the run is a number of steps, such as 400, or a share of the run, such as 0.05"
)]
pub enum Length {
    /// Steps.
    Steps(u64),
    /// Share of the run, in [0, 1].
    Share(f64),
}

impl Length {
    /// The number of steps in a run of `total`; a share is rounded to the nearest step.
    pub fn steps(self, total: u64) -> u64 {
        match self {
            Length::Steps(steps) => steps,
            Length::Share(share) => (share * total as f64).round() as u64,
        }
    }
}

/// `[decay]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DecaySection {
    /// λ; absent: 0, and 1 (that is, on) under `hyperball`.
    pub lambda: Option<f64>,
    /// How λ becomes a per-step shrink; absent: what the optimizer's name stands for.
    pub rule: Option<DecayRule>,
    /// Decay only the coordinates that the update moves towards the anchor.
    pub cautious: bool,
    /// What the weights decay to.
    pub anchor: Anchor,
    /// Which tensors decay; absent: `nanogpt`, and `matrices` under `hyperball`.
    pub policy: Option<Preset>,
    /// λ over the run; absent: constant.
    pub schedule: Option<ScheduleSection>,
    /// λ of the tensors whose path matches a glob, in the order of the file: later ones win.
    pub overrides: Overrides,
}

impl DecaySection {
    /// Is a norm held, instead of a decay applied?
    pub fn holds(&self) -> bool {
        self.rule == Some(DecayRule::Hyperball)
    }

    /// λ, with its default.
    pub fn lambda(&self) -> f64 {
        self.lambda.unwrap_or(if self.holds() { 1.0 } else { 0.0 })
    }

    /// The policy, with its default.
    pub fn policy(&self) -> Preset {
        self.policy.unwrap_or(match self.holds() {
            true => Preset::Matrices,
            false => Preset::Nanogpt,
        })
    }
}

/// `[decay.overrides]`: glob → λ, in the order written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overrides(pub Vec<(String, f64)>);

impl Serialize for Overrides {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (glob, lambda) in &self.0 {
            map.serialize_entry(glob, lambda)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Overrides {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> de::Visitor<'de> for InOrder {
            type Value = Overrides;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a table of globs and the λ of the tensors they match")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Overrides, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry::<String, f64>()? {
                    entries.push(entry);
                }
                Ok(Overrides(entries))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys that serde knows in a section, from what it says of one that it does not.
    fn known(section: &str) -> Vec<String> {
        let text = format!("[{section}]\nno_such_key = 1\n");
        let error = toml::from_str::<RunConfig>(&text).unwrap_err();
        let names = error.message().split('`').skip(1).step_by(2);
        names.skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn the_reference_has_every_key_and_its_default() {
        let shown: RunConfig = toml::from_str(KEYS).expect("the reference is a configuration");
        let least = "[data]\npath = \"runs/sotu\"\nsequences = 32\n[model]\n[optim]\nlr = 1e-3\n";
        assert_eq!(
            shown,
            toml::from_str(least).unwrap(),
            "a default is not what the reference shows"
        );
        for section in ["run", "data", "model", "optim", "schedule", "decay"] {
            let known = known(section);
            assert!(known.len() > 3, "{section}: {known:?}");
            let start = KEYS.find(&format!("\n[{section}]")).expect(section);
            let text = &KEYS[start + 1..];
            let text = &text[..text.find("\n\n").unwrap_or(text.len())];
            for key in known.iter().filter(|key| *key != "overrides") {
                let is_shown = text.lines().any(|line| {
                    line.trim_start_matches("# ")
                        .split_once(" =")
                        .is_some_and(|(name, _)| name == key)
                });
                assert!(is_shown, "[{section}] does not show `{key}`");
            }
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
        let written: String = KEYS
            .lines()
            .map(|line| {
                let example = line.strip_prefix("# ").filter(|rest| {
                    rest.split_once(" = ")
                        .is_some_and(|(name, _)| !name.contains(' ') || name.starts_with('"'))
                });
                format!("{}\n", example.unwrap_or(line))
            })
            .collect();
        let config: RunConfig = toml::from_str(&written).expect(&written);
        assert_eq!(config.run.steps, Some(400));
        assert_eq!(config.decay.overrides.0, [("block.*.mlp.*".to_owned(), 0.05)]);
        assert!(config.decay.schedule.is_some() && config.model.init_from.is_some());
    }
}
