//! How well-known trainers split a model's parameters into groups.
//!
//! Read in their sources: nanoGPT (`configure_optimizers`), timm (`param_groups_weight_decay`),
//! ultralytics (`build_optimizer`, in both orders), Megatron-LM (`_get_param_groups`) and open_clip
//! (`main.py`). Those of Hugging Face follow its patterns of names and types, decayed first.

use super::candidates::Candidate;
use super::kind::Kind;
use crate::convention::Convention;

/// A way to split: the trainer, and the group that it puts a tensor into.
pub(crate) struct Split {
    pub(crate) trainer: &'static str,
    pub(crate) group: fn(&Candidate) -> usize,
}

/// The ways that are tried.
pub(crate) const SPLITS: [Split; 11] = [
    Split { trainer: "nanoGPT", group: |tensor| usize::from(tensor.shape.len() < 2) },
    Split {
        trainer: "Hugging Face 5",
        group: |tensor| usize::from(!decays(Convention::HuggingFace5, tensor)),
    },
    Split {
        trainer: "Hugging Face 4",
        group: |tensor| usize::from(!decays(Convention::HuggingFace4, tensor)),
    },
    Split {
        trainer: "Hugging Face 4 with every normalisation known",
        group: |tensor| usize::from(tensor.name.contains("bias") || tensor.kind == Kind::Norm),
    },
    Split {
        trainer: "the examples of Hugging Face",
        group: |tensor| {
            let listed = ["bias", "LayerNorm.weight", "layer_norm.weight"];
            usize::from(listed.iter().any(|part| tensor.name.contains(part)))
        },
    },
    Split { trainer: "timm", group: |tensor| usize::from(decays(Convention::Timm, tensor)) },
    Split {
        trainer: "open_clip",
        group: |tensor| {
            let parts = ["bn", "ln", "bias", "logit_scale"];
            let spared = parts.iter().any(|part| tensor.name.contains(part));
            usize::from(tensor.shape.len() >= 2 && !spared)
        },
    },
    Split {
        trainer: "Megatron",
        group: |tensor| usize::from(!decays(Convention::Megatron, tensor)),
    },
    // For years biases came first, then weights, then gains; since MuSGD weights, gains, biases.
    Split { trainer: "ultralytics, biases first", group: |tensor| (ultralytics(tensor) + 1) % 3 },
    Split { trainer: "ultralytics, weights first", group: ultralytics },
    Split { trainer: "ultralytics with MuSGD", group: ultralytics_muon },
];

fn decays(convention: Convention, tensor: &Candidate) -> bool {
    let is_layer_norm = tensor.kind == Kind::Norm && tensor.has_bias;
    convention.decays_typed(&tensor.name, &tensor.shape, tensor.kind, Some(is_layer_norm))
}

/// Weights 0, gains 1, biases 2. A gain is what lies in a module of `torch.nn` whose class has
/// `Norm` in its name.
fn ultralytics(tensor: &Candidate) -> usize {
    if tensor.name.contains("bias") {
        2
    } else if tensor.kind == Kind::Norm || tensor.name.contains("logit_scale") {
        1
    } else {
        0
    }
}

/// With MuSGD, matrices and filters are a group of their own behind the others, and each group is
/// two: the class branches of the head at three times the rate, then the rest.
fn ultralytics_muon(tensor: &Candidate) -> usize {
    let is_muon = matches!(tensor.shape.len(), 2 | 4);
    let group = if is_muon { 3 } else { ultralytics(tensor) };
    let is_boosted = [".cv3.", ".one2one_cv3.", "proto.semseg", "SemanticSegment"]
        .iter()
        .any(|part| tensor.name.contains(part));
    2 * group + usize::from(!is_boosted)
}

/// Which tensors one of several optimizers may have been given.
pub(crate) struct Share {
    pub(crate) trainer: &'static str,
    pub(crate) holds: fn(&Candidate) -> bool,
}

/// The ways that models are shared out among optimizers.
pub(crate) const SHARES: [Share; 5] = [
    Share { trainer: "every tensor", holds: |_| true },
    Share { trainer: "adapters alone", holds: |tensor| tensor.kind == Kind::Adapter },
    Share { trainer: "Muon: hidden matrices", holds: is_hidden_matrix },
    Share { trainer: "what Muon leaves", holds: |tensor| !is_hidden_matrix(tensor) },
    Share {
        trainer: "the head alone",
        holds: |tensor| {
            let module = tensor.name.rsplit_once('.').map_or("", |(module, _)| module);
            tensor.kind == Kind::Head
                || Kind::of(&format!("{module}.weight"), &[2, 2]) == Kind::Head
        },
    },
];

fn is_hidden_matrix(tensor: &Candidate) -> bool {
    matches!(tensor.kind, Kind::Matrix | Kind::Convolution) && tensor.shape.len() >= 2
}
