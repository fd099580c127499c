//! The conventions of trainers as S10 compares with them, until [`crate::convention`] has them.

use crate::names::Kind;

/// A trainer's convention of which tensors decay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Convention {
    NanoGpt,
    HuggingFace4,
    HuggingFace5,
    Olmo,
    Olmo2,
    Levanter,
    Megatron,
    Timm,
    Everything,
}

impl Convention {
    pub(super) fn decays(self, _name: &str, shape: &[usize], kind: Kind) -> bool {
        match self {
            Convention::NanoGpt | Convention::Megatron | Convention::Timm => shape.len() >= 2,
            Convention::HuggingFace4 | Convention::HuggingFace5 | Convention::Levanter => {
                !matches!(kind, Kind::Norm | Kind::Bias)
            }
            Convention::Olmo => shape.len() >= 2 && kind != Kind::Embedding,
            Convention::Olmo2 => kind != Kind::Embedding,
            Convention::Everything => true,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Convention::NanoGpt => "nanoGPT",
            Convention::HuggingFace4 => "Hugging Face 4",
            Convention::HuggingFace5 => "Hugging Face 5",
            Convention::Olmo => "OLMo",
            Convention::Olmo2 => "OLMo 2",
            Convention::Levanter => "levanter",
            Convention::Megatron => "Megatron",
            Convention::Timm => "timm",
            Convention::Everything => "everything (torchtitan, litgpt)",
        }
    }
}
