//! False alarms: models that follow the convention of a trainer have nothing wrong with them.

use super::testing::{Entry, adamw, declared, one, two};
use super::{RULES, judge};
use crate::case::Case;
use crate::checkpoint::Writer;
use crate::convention::Convention;
use crate::finding::Severity;
use crate::names::Kind;

/// Names and shapes of a model.
type Model = &'static [(&'static str, &'static [usize])];

const GPT2: Model = &[
    ("transformer.wte.weight", &[96, 8]),
    ("transformer.wpe.weight", &[16, 8]),
    ("transformer.h.0.ln_1.weight", &[8]),
    ("transformer.h.0.ln_1.bias", &[8]),
    ("transformer.h.0.attn.c_attn.weight", &[8, 24]),
    ("transformer.h.0.attn.c_attn.bias", &[24]),
    ("transformer.h.0.attn.c_proj.weight", &[8, 8]),
    ("transformer.h.0.attn.c_proj.bias", &[8]),
    ("transformer.h.0.ln_2.weight", &[8]),
    ("transformer.h.0.ln_2.bias", &[8]),
    ("transformer.h.0.mlp.c_fc.weight", &[8, 32]),
    ("transformer.h.0.mlp.c_fc.bias", &[32]),
    ("transformer.h.0.mlp.c_proj.weight", &[32, 8]),
    ("transformer.h.0.mlp.c_proj.bias", &[8]),
    ("transformer.ln_f.weight", &[8]),
    ("transformer.ln_f.bias", &[8]),
];
const OLMO2: Model = &[
    ("model.embed_tokens.weight", &[96, 8]),
    ("model.layers.0.self_attn.q_proj.weight", &[8, 8]),
    ("model.layers.0.self_attn.k_proj.weight", &[8, 8]),
    ("model.layers.0.self_attn.v_proj.weight", &[8, 8]),
    ("model.layers.0.self_attn.o_proj.weight", &[8, 8]),
    ("model.layers.0.self_attn.q_norm.weight", &[8]),
    ("model.layers.0.self_attn.k_norm.weight", &[8]),
    ("model.layers.0.mlp.gate_proj.weight", &[24, 8]),
    ("model.layers.0.mlp.up_proj.weight", &[24, 8]),
    ("model.layers.0.mlp.down_proj.weight", &[8, 24]),
    ("model.layers.0.post_attention_layernorm.weight", &[8]),
    ("model.layers.0.post_feedforward_layernorm.weight", &[8]),
    ("model.norm.weight", &[8]),
    ("lm_head.weight", &[96, 8]),
];
const VIT: Model = &[
    ("cls_token", &[1, 1, 8]),
    ("pos_embed", &[1, 17, 8]),
    ("patch_embed.proj.weight", &[8, 3, 4, 4]),
    ("patch_embed.proj.bias", &[8]),
    ("blocks.0.norm1.weight", &[8]),
    ("blocks.0.norm1.bias", &[8]),
    ("blocks.0.attn.qkv.weight", &[24, 8]),
    ("blocks.0.attn.qkv.bias", &[24]),
    ("blocks.0.attn.proj.weight", &[8, 8]),
    ("blocks.0.attn.proj.bias", &[8]),
    ("blocks.0.norm2.weight", &[8]),
    ("blocks.0.norm2.bias", &[8]),
    ("blocks.0.mlp.fc1.weight", &[32, 8]),
    ("blocks.0.mlp.fc1.bias", &[32]),
    ("norm.weight", &[8]),
    ("norm.bias", &[8]),
    ("head.weight", &[10, 8]),
    ("head.bias", &[10]),
];
const RESNET: Model = &[
    ("conv1.weight", &[8, 3, 7, 7]),
    ("bn1.weight", &[8]),
    ("bn1.bias", &[8]),
    ("layer1.0.conv1.weight", &[8, 8, 3, 3]),
    ("layer1.0.bn1.weight", &[8]),
    ("layer1.0.bn1.bias", &[8]),
    ("layer2.0.downsample.0.weight", &[8, 8, 1, 1]),
    ("layer2.0.downsample.1.weight", &[8]),
    ("layer2.0.downsample.1.bias", &[8]),
    ("fc.weight", &[10, 8]),
    ("fc.bias", &[10]),
];

/// A model whose groups are those of a convention.
fn follows(convention: Convention, model: Model) -> crate::case::Subject {
    let entries: Vec<Entry> =
        model.iter().map(|&(name, shape)| (name, shape, Kind::of(name, shape))).collect();
    // Hugging Face decides by types, and those of this ResNet are `nn.BatchNorm2d`.
    let is_layer_norm = !model.iter().any(|(name, _)| *name == "bn1.weight");
    let (decayed, spared): (Vec<Entry>, Vec<Entry>) =
        entries.iter().partition(|(name, shape, kind)| {
            let is_layer_norm = Some(is_layer_norm && *kind == Kind::Norm);
            convention.decays_typed(name, shape, *kind, is_layer_norm)
        });
    let mut subject = match spared.is_empty() {
        true => adamw(&[(0.1, &[&decayed])]),
        false => adamw(&[(0.1, &[&decayed]), (0.0, &[&spared])]),
    };
    subject.checkpoint.writer = match convention {
        Convention::Everything => Writer::Torchtitan,
        Convention::Olmo2 => Writer::OlmoCore,
        _ => Writer::Unknown,
    };
    subject
}

#[test]
fn clean_checkpoints_have_no_error_and_at_most_one_warning() {
    for &convention in Convention::ALL {
        for (name, model) in [("GPT-2", GPT2), ("OLMo 2", OLMO2), ("ViT", VIT), ("ResNet", RESNET)]
        {
            let subject = || follows(convention, model);
            let given = Case { declarations: vec![declared(0.1)], ..one(subject()) };
            for case in [one(subject()), given, two(subject(), subject())] {
                let found = judge(&case, RULES.iter().copied());
                let grave = found.iter().filter(|one| one.severity >= Severity::Warning);
                let files = grave.clone().map(|one| &one.place.file);
                let warnings = files.clone().filter(|file| Some(*file) == files.clone().next());
                assert!(warnings.count() <= 1, "{convention}, {name}: {found:#?}");
                let errors = grave.filter(|one| one.severity == Severity::Error).count();
                assert_eq!(errors, 0, "{convention}, {name}: {found:#?}");
            }
        }
    }
}
