//! What each convention decays, on names of real models.

use wd_audit::bytes::Bytes;
use wd_audit::case::Subject;
use wd_audit::checkpoint::{
    Checkpoint, Format, Group, NamedTensor, OptimizerState, ParameterId, Writer,
};
use wd_audit::convention::Convention::{self, *};
use wd_audit::convention::{decayed_kinds, differences};
use wd_audit::names::{Kind, resolve};
use wd_audit::tensor::{Dtype, Tensor};

/// Tensors, and the conventions that decay each.
const TABLE: &[(&str, &[usize], &[Convention])] = &[
    // GPT-2, whose normalisations are nn.LayerNorm.
    (
        "transformer.wte.weight",
        &[50257, 768],
        &[NanoGpt, HuggingFace4, HuggingFace5, Megatron, Timm, Everything],
    ),
    (
        "transformer.wpe.weight",
        &[1024, 768],
        &[NanoGpt, HuggingFace4, HuggingFace5, Olmo2, Megatron, Timm, Everything],
    ),
    ("transformer.h.0.ln_1.weight", &[768], &[Olmo2, Everything]),
    ("transformer.h.0.attn.c_attn.bias", &[2304], &[Olmo2, Everything]),
    (
        "transformer.h.0.attn.c_attn.weight",
        &[768, 2304],
        &[NanoGpt, HuggingFace4, HuggingFace5, Olmo, Olmo2, Levanter, Megatron, Timm, Everything],
    ),
    // Llama's RMSNorm.
    ("model.layers.0.input_layernorm.weight", &[4096], &[Olmo2, Everything]),
    // ResNet: batch normalisations are no nn.LayerNorm.
    ("layer1.0.bn1.weight", &[64], &[HuggingFace4, HuggingFace5, Olmo2, Everything]),
    // ViT of timm.
    (
        "pos_embed",
        &[1, 197, 768],
        &[NanoGpt, HuggingFace4, HuggingFace5, Olmo2, Megatron, Everything],
    ),
    (
        "cls_token",
        &[1, 1, 768],
        &[NanoGpt, HuggingFace4, HuggingFace5, Olmo, Olmo2, Levanter, Megatron, Everything],
    ),
    // Mamba.
    (
        "backbone.layers.0.mixer.A_log",
        &[1536, 16],
        &[NanoGpt, HuggingFace4, HuggingFace5, Olmo, Olmo2, Levanter, Megatron, Timm, Everything],
    ),
    (
        "backbone.layers.0.mixer.D",
        &[1536],
        &[HuggingFace4, HuggingFace5, Olmo, Olmo2, Levanter, Everything],
    ),
    // An expert's bias with two axes.
    ("model.layers.0.mlp.experts.down_proj.bias", &[32, 2880], &[NanoGpt, Olmo2, Everything]),
];

#[test]
fn each_convention_decays_what_its_source_says() {
    for (name, shape, decaying) in TABLE {
        let kind = Kind::of(name, shape);
        for convention in Convention::ALL {
            assert_eq!(
                convention.decays(name, shape, kind),
                decaying.contains(convention),
                "{convention}: {name}"
            );
        }
    }
}

#[test]
fn hugging_face_5_decays_an_rmsnorm_whose_name_it_does_not_know() {
    let rms = |name: &str| HuggingFace5.decays_typed(name, &[64], Kind::Norm, Some(false));
    for decaying in ["layers.0.norm1.weight", "layers.0.ln1.weight", "transformer.ln_f.weight"] {
        assert!(rms(decaying), "{decaying}");
        assert!(!HuggingFace5.decays_typed(decaying, &[64], Kind::Norm, Some(true)));
    }
    for spared in [
        "model.norm.weight",
        "layers.0.q_norm.weight",
        "layers.0.input_layernorm.weight",
        "layers.0.rmsnorm.weight",
        "norm.weight",
    ] {
        assert!(!rms(spared), "{spared}");
    }
    // The type alone decided in version 4.
    assert!(HuggingFace4.decays_typed("model.norm.weight", &[64], Kind::Norm, Some(false)));
}

#[test]
fn every_convention_says_where_it_stands() {
    for convention in Convention::ALL {
        assert!(convention.source().contains('/'), "{convention}");
        assert!(convention.statement().ends_with('.'), "{convention}");
    }
}

/// Names and shapes.
type Tensors<'a> = &'a [(&'a str, &'a [usize])];

fn subject(groups: &[(f64, Tensors)]) -> Subject {
    let mut model = Vec::new();
    let mut optimizer = OptimizerState::default();
    for (lambda, tensors) in groups {
        let mut group = Group { lambda: Some(*lambda), ..Group::default() };
        let mut names = Vec::new();
        for (name, shape) in *tensors {
            let bytes = Bytes::from(vec![0; shape.iter().product::<usize>() * 4]);
            let tensor = Tensor::contiguous(bytes, Dtype::Float32, shape.to_vec()).unwrap();
            group.parameters.push(ParameterId::Index(model.len() as i64));
            names.push((*name).to_owned());
            model.push(NamedTensor { name: (*name).to_owned(), tensor });
        }
        group.names = Some(names);
        optimizer.groups.push(group);
    }
    let checkpoint = Checkpoint {
        path: "a.pt".into(),
        format: Format::TorchZip,
        writer: Writer::Unknown,
        writer_version: None,
        model,
        is_in_module_order: true,
        optimizers: vec![optimizer],
        schedulers: Vec::new(),
        clocks: Vec::new(),
        rates: Vec::new(),
        embedded: Vec::new(),
        remarks: Vec::new(),
    };
    let (naming, parameters) = resolve(&checkpoint);
    Subject { checkpoint, naming, parameters, declarations: Vec::new() }
}

#[test]
fn differences_name_the_tensors_on_either_side() {
    let decayed: Tensors = &[("wte.weight", &[5, 4]), ("h.0.fc.weight", &[4, 4])];
    let spared: Tensors = &[("h.0.fc.bias", &[4]), ("ln_f.weight", &[4])];
    let found = differences(&subject(&[(0.1, decayed), (0.0, spared)]));
    let of = |convention| found.iter().find(|found| found.convention == convention).unwrap();
    assert!(of(NanoGpt).is_none());
    assert_eq!(of(NanoGpt).compared, 4);
    // ln_f has no bias, so it is no nn.LayerNorm: version 5 would decay it.
    assert_eq!(of(HuggingFace5).decays, ["ln_f.weight"]);
    assert!(of(HuggingFace5).spares.is_empty());
    assert_eq!(of(Levanter).spares, ["wte.weight"]);
    assert_eq!(of(Everything).decays, ["h.0.fc.bias", "ln_f.weight"]);
}

#[test]
fn adapters_are_in_no_convention() {
    let adapters: Tensors = &[("q_proj.lora_A.weight", &[8, 4])];
    let found = differences(&subject(&[(0.1, adapters)]));
    assert!(found.iter().all(|found| found.compared == 0 && !found.is_none()));
}

#[test]
fn kinds_are_counted_here_and_under_each_convention() {
    let decayed: Tensors = &[("wte.weight", &[5, 4]), ("h.0.fc.weight", &[4, 4])];
    let spared: Tensors = &[("h.1.fc.weight", &[4, 4]), ("ln_f.weight", &[4])];
    let kinds = decayed_kinds(&subject(&[(0.1, decayed), (0.0, spared)]));
    let under = |kind: Kind, convention: Convention| {
        let found = kinds.iter().find(|found| found.kind == kind).unwrap();
        let at = Convention::ALL.iter().position(|&one| one == convention).unwrap();
        (found.tensors, found.here, found.under[at])
    };
    assert_eq!(kinds.len(), 3);
    assert_eq!(under(Kind::Embedding, Levanter), (1, 1, 0));
    assert_eq!(under(Kind::Matrix, NanoGpt), (2, 1, 2));
    assert_eq!(under(Kind::Norm, NanoGpt), (1, 0, 0));
    assert_eq!(under(Kind::Norm, Everything), (1, 0, 1));
}
