//! Names for an optimizer's numbers: every way, and every trap on the way.

use wd_audit::bytes::Bytes;
use wd_audit::case::Parameter;
use wd_audit::checkpoint::{
    Checkpoint, Format, Group, NamedTensor, OptimizerState, ParameterId, ParameterState, Writer,
};
use wd_audit::names::{Kind, Naming, resolve};
use wd_audit::tensor::{Dtype, Tensor};

fn tensor(shape: &[usize]) -> Tensor {
    let bytes = shape.iter().product::<usize>() * 4;
    Tensor::contiguous(Bytes::from(vec![0; bytes]), Dtype::Float32, shape.to_vec()).unwrap()
}

fn named(name: &str, shape: &[usize]) -> NamedTensor {
    NamedTensor { name: name.to_owned(), tensor: tensor(shape) }
}

fn model(tensors: &[(&str, &[usize])]) -> Vec<NamedTensor> {
    tensors.iter().map(|(name, shape)| named(name, shape)).collect()
}

fn checkpoint(model: Vec<NamedTensor>, optimizers: Vec<OptimizerState>) -> Checkpoint {
    Checkpoint {
        path: "model.pt".into(),
        format: Format::TorchZip,
        writer: Writer::Unknown,
        writer_version: None,
        model,
        is_in_module_order: true,
        optimizers,
        schedulers: Vec::new(),
        clocks: Vec::new(),
        rates: Vec::new(),
        embedded: Vec::new(),
        remarks: Vec::new(),
    }
}

fn state(id: ParameterId, shape: &[usize]) -> ParameterState {
    let tensors = vec![named("exp_avg", shape), named("exp_avg_sq", shape)];
    ParameterState { id, step: Some(7.0), tensors }
}

/// An optimizer of groups with λ and the shapes of their parameters, numbered from 0.
fn optimizer(groups: &[(f64, &[&[usize]])]) -> OptimizerState {
    let mut made = OptimizerState::default();
    let mut next = 0;
    for (lambda, shapes) in groups {
        let ids: Vec<ParameterId> =
            (next..next + shapes.len() as i64).map(ParameterId::Index).collect();
        next += shapes.len() as i64;
        made.states.extend(ids.iter().zip(*shapes).map(|(id, shape)| state(id.clone(), shape)));
        made.groups.push(Group { lambda: Some(*lambda), parameters: ids, ..Group::default() });
    }
    made
}

fn names(parameters: &[Parameter]) -> Vec<&str> {
    parameters.iter().map(|parameter| parameter.name.as_deref().unwrap_or("?")).collect()
}

/// A GPT of one layer with biases, as nanoGPT saves it.
const GPT: &[(&str, &[usize])] = &[
    ("transformer.wte.weight", &[20, 8]),
    ("transformer.wpe.weight", &[16, 8]),
    ("transformer.h.0.ln_1.weight", &[8]),
    ("transformer.h.0.ln_1.bias", &[8]),
    ("transformer.h.0.attn.c_attn.weight", &[24, 8]),
    ("transformer.h.0.attn.c_attn.bias", &[24]),
    ("transformer.ln_f.weight", &[8]),
    ("lm_head.weight", &[20, 8]),
];

#[test]
fn listed_names_come_first_and_lose_their_wrappers() {
    let mut adam = optimizer(&[(0.1, &[&[8]]), (0.0, &[&[20, 8]])]);
    adam.groups[0].names = Some(vec!["_orig_mod.transformer.ln_f.weight".to_owned()]);
    adam.groups[1].names = Some(vec!["transformer.wte.weight".to_owned()]);
    let (naming, found) = resolve(&checkpoint(model(GPT), vec![adam]));
    assert_eq!(naming, [Naming::Listed]);
    assert_eq!(names(&found), ["transformer.ln_f.weight", "transformer.wte.weight"]);
    assert_eq!(found[0].kind, Some(Kind::Norm));
    assert_eq!((found[0].lambda, found[1].lambda), (Some(0.1), Some(0.0)));
}

#[test]
fn states_under_names_need_no_guess() {
    let id = |name: &str| ParameterId::Name(name.to_owned());
    let group = Group {
        lambda: Some(0.1),
        parameters: vec![id("fc.weight"), id("fc.bias")],
        ..Group::default()
    };
    let adam = OptimizerState {
        groups: vec![group],
        states: vec![state(id("fc.weight"), &[3, 2])],
        ..OptimizerState::default()
    };
    let (naming, found) = resolve(&checkpoint(Vec::new(), vec![adam]));
    assert_eq!(naming, [Naming::Keyed]);
    assert_eq!(found[0].shape.as_deref(), Some(&[3, 2][..]));
    assert_eq!(found[1].shape, None);
    assert_eq!(found[1].kind, Some(Kind::Bias));
    assert!(found[0].has_state && !found[1].has_state);
}

#[test]
fn one_group_follows_the_modules_and_skips_buffers() {
    let tensors = model(&[
        ("conv.weight", &[4, 3, 3, 3]),
        ("bn.weight", &[4]),
        ("bn.bias", &[4]),
        ("bn.running_mean", &[4]),
        ("bn.running_var", &[4]),
        ("fc.weight", &[5, 4]),
    ]);
    let sgd = optimizer(&[(5e-4, &[&[4, 3, 3, 3], &[4], &[4], &[5, 4]])]);
    let (naming, found) = resolve(&checkpoint(tensors, vec![sgd]));
    assert_eq!(naming, [Naming::Order]);
    assert_eq!(names(&found), ["conv.weight", "bn.weight", "bn.bias", "fc.weight"]);
}

#[test]
fn numbers_may_be_addresses_with_gaps_and_states_in_another_order() {
    let mut adam = optimizer(&[(0.0, &[&[5, 4], &[5]])]);
    let addresses = [ParameterId::Index(140_234_881), ParameterId::Index(94_000_017)];
    adam.groups[0].parameters = addresses.to_vec();
    adam.states = vec![state(addresses[1].clone(), &[5]), state(addresses[0].clone(), &[5, 4])];
    let tensors = model(&[("fc.weight", &[5, 4]), ("fc.bias", &[5])]);
    let (naming, found) = resolve(&checkpoint(tensors, vec![adam]));
    assert_eq!(naming, [Naming::Order]);
    assert_eq!(names(&found), ["fc.weight", "fc.bias"]);
    assert_eq!(found[0].shape.as_deref(), Some(&[5, 4][..]));
}

#[test]
fn a_frozen_parameter_in_a_group_has_no_state_and_keeps_its_place() {
    let mut adam = optimizer(&[(0.1, &[&[5, 4], &[5], &[2, 5]])]);
    adam.states.remove(1);
    let tensors = model(&[("a.weight", &[5, 4]), ("a.bias", &[5]), ("b.weight", &[2, 5])]);
    let (_, found) = resolve(&checkpoint(tensors, vec![adam]));
    assert_eq!(names(&found), ["a.weight", "a.bias", "b.weight"]);
    assert!(!found[1].has_state);
    assert_eq!(found[1].shape.as_deref(), Some(&[5][..]));
}

#[test]
fn a_frozen_tensor_in_no_group_is_passed_over() {
    let tensors = model(&[("backbone.weight", &[9, 4]), ("fc.weight", &[5, 9]), ("fc.bias", &[5])]);
    let adam = optimizer(&[(0.1, &[&[5, 9], &[5]])]);
    let (naming, found) = resolve(&checkpoint(tensors, vec![adam]));
    assert_eq!(naming, [Naming::Order]);
    assert_eq!(names(&found), ["fc.weight", "fc.bias"]);
}

#[test]
fn tied_weights_count_once() {
    let embedding = tensor(&[20, 8]);
    let mut tensors = model(GPT);
    tensors[0].tensor = embedding.clone();
    tensors[7].tensor = embedding;
    let (naming, found) = resolve(&checkpoint(
        tensors,
        vec![optimizer(&[
            (0.1, &[&[20, 8], &[16, 8], &[24, 8]]),
            (0.0, &[&[8], &[8], &[24], &[8]]),
        ])],
    ));
    assert!(matches!(naming[0], Naming::Split { trainer: "nanoGPT" }), "{naming:?}");
    assert_eq!(found[0].name.as_deref(), Some("transformer.wte.weight"));
    assert!(names(&found).iter().all(|name| *name != "lm_head.weight"));
}

#[test]
fn timm_puts_what_does_not_decay_first() {
    let adam = optimizer(&[
        (0.0, &[&[8], &[8], &[24], &[8]]),
        (0.05, &[&[20, 8], &[16, 8], &[24, 8], &[20, 8]]),
    ]);
    let (naming, found) = resolve(&checkpoint(model(GPT), vec![adam]));
    assert_eq!(naming, [Naming::Split { trainer: "timm" }]);
    assert_eq!(found[0].name.as_deref(), Some("transformer.h.0.ln_1.weight"));
    assert_eq!(found[7].name.as_deref(), Some("lm_head.weight"));
    assert_eq!(found[7].index, 7);
    assert_eq!(found[7].group, 1);
}

#[test]
fn hugging_face_decays_an_rmsnorm_whose_name_it_does_not_know() {
    // Custom RMSNorms named norm1 decay in transformers 5; `norm` does not.
    let tensors = model(&[
        ("embed.weight", &[20, 8]),
        ("layers.0.norm1.weight", &[8]),
        ("layers.0.fc.weight", &[6, 8]),
        ("norm.weight", &[8]),
    ]);
    let adam = optimizer(&[(0.1, &[&[20, 8], &[8], &[6, 8]]), (0.0, &[&[8]])]);
    let (naming, found) = resolve(&checkpoint(tensors, vec![adam]));
    assert_eq!(naming, [Naming::Split { trainer: "Hugging Face 5" }]);
    assert_eq!(found[1].name.as_deref(), Some("layers.0.norm1.weight"));
    assert_eq!(found[1].lambda, Some(0.1));
}

const YOLO: &[(&str, &[usize])] = &[
    ("model.0.conv.weight", &[4, 3, 3, 3]),
    ("model.0.bn.weight", &[4]),
    ("model.0.bn.bias", &[4]),
    ("model.0.bn.running_mean", &[4]),
    ("model.0.bn.running_var", &[4]),
    ("model.22.cv3.weight", &[6, 4, 1, 1]),
    ("model.22.cv3.bias", &[6]),
];

#[test]
fn ultralytics_has_three_groups_in_the_order_of_its_version() {
    let weights: &[&[usize]] = &[&[4, 3, 3, 3], &[6, 4, 1, 1]];
    let (biases, gains): (&[&[usize]], &[&[usize]]) = (&[&[4], &[6]], &[&[4]]);
    let old = optimizer(&[(0.0, biases), (5e-4, weights), (0.0, gains)]);
    let (naming, found) = resolve(&checkpoint(model(YOLO), vec![old]));
    assert_eq!(naming, [Naming::Split { trainer: "ultralytics, biases first" }]);
    assert_eq!(
        names(&found),
        [
            "model.0.bn.bias",
            "model.22.cv3.bias",
            "model.0.conv.weight",
            "model.22.cv3.weight",
            "model.0.bn.weight"
        ]
    );
    let new = optimizer(&[(5e-4, weights), (0.0, gains), (0.0, biases)]);
    let (naming, found) = resolve(&checkpoint(model(YOLO), vec![new]));
    assert_eq!(naming, [Naming::Split { trainer: "ultralytics, weights first" }]);
    assert_eq!(found[2].name.as_deref(), Some("model.0.bn.weight"));
}

#[test]
fn several_optimizers_are_named_each() {
    let muon = optimizer(&[(0.1, &[&[24, 8]])]);
    let adam = optimizer(&[(0.0, &[&[20, 8], &[16, 8], &[8], &[8], &[24], &[8], &[20, 8]])]);
    let (naming, found) = resolve(&checkpoint(model(GPT), vec![muon, adam]));
    assert_eq!(naming, [Naming::Order, Naming::Order]);
    assert_eq!(found[0].name.as_deref(), Some("transformer.h.0.attn.c_attn.weight"));
    assert_eq!(found[0].optimizer, 0);
    assert_eq!((found[1].optimizer, found[1].index), (1, 0));
    assert_eq!(found[7].name.as_deref(), Some("lm_head.weight"));
}

#[test]
fn a_flat_tensor_is_known_by_its_length() {
    let adam = optimizer(&[(0.1, &[&[632]]), (0.0, &[&[48]])]);
    let (naming, found) = resolve(&checkpoint(model(GPT), vec![adam]));
    assert_eq!(naming, [Naming::Shapes]);
    assert_eq!(found[0].kind, Some(Kind::Flat));
    assert_eq!(found[1].kind, Some(Kind::Flat));
    assert_eq!(found[0].name, None);
}

#[test]
fn a_tensor_in_two_groups_is_the_same_tensor_twice() {
    let mut adam = optimizer(&[(0.1, &[&[5, 4], &[5]])]);
    adam.groups[0].names = Some(vec!["fc.weight".to_owned(), "fc.bias".to_owned()]);
    adam.groups.push(Group {
        lambda: Some(0.0),
        parameters: vec![ParameterId::Index(1)],
        names: Some(vec!["fc.bias".to_owned()]),
        ..Group::default()
    });
    let tensors = model(&[("fc.weight", &[5, 4]), ("fc.bias", &[5])]);
    let (_, found) = resolve(&checkpoint(tensors, vec![adam]));
    assert_eq!(names(&found), ["fc.weight", "fc.bias", "fc.bias"]);
    assert_eq!((found[1].group, found[2].group), (0, 1));
    assert!(found[2].has_state);
}

#[test]
fn what_shapes_cannot_tell_is_left_open() {
    let tensors = model(&[
        ("layers.0.q.weight", &[8, 8]),
        ("layers.0.k.weight", &[8, 8]),
        ("layers.0.up.weight", &[16, 8]),
        ("layers.0.ln.weight", &[8]),
    ]);
    let mut lost = checkpoint(
        tensors,
        vec![optimizer(&[(0.1, &[&[8, 8], &[8, 8], &[16, 8]]), (0.0, &[&[8]])])],
    );
    lost.is_in_module_order = false;
    let (naming, found) = resolve(&lost);
    assert_eq!(naming, [Naming::Shapes]);
    assert_eq!(found[0].candidates, ["layers.0.q.weight", "layers.0.k.weight"]);
    assert_eq!(found[0].kind, Some(Kind::Matrix));
    assert_eq!(found[0].lambda, Some(0.1));
    assert_eq!(found[2].name.as_deref(), Some("layers.0.up.weight"));
    assert_eq!(found[3].name.as_deref(), Some("layers.0.ln.weight"));
}

#[test]
fn safetensors_of_a_known_family_get_the_order_back() {
    let mut tensors = model(&GPT[..7]);
    tensors.sort_by(|left, right| left.name.cmp(&right.name));
    let mut sorted = checkpoint(
        tensors,
        vec![optimizer(&[
            (0.1, &[&[20, 8], &[16, 8], &[24, 8]]),
            (0.0, &[&[8], &[8], &[24], &[8]]),
        ])],
    );
    sorted.is_in_module_order = false;
    let (naming, found) = resolve(&sorted);
    assert!(matches!(naming[0], Naming::Family { family: "GPT-2", .. }), "{naming:?}");
    assert_eq!(found[0].name.as_deref(), Some("transformer.wte.weight"));
    assert_eq!(found[6].name.as_deref(), Some("transformer.ln_f.weight"));
}

#[test]
fn adafactors_factors_give_the_shape() {
    let mut adam = optimizer(&[(0.0, &[&[5, 4]])]);
    adam.states[0].tensors = vec![named("exp_avg_sq_row", &[5]), named("exp_avg_sq_col", &[4])];
    let (_, found) = resolve(&checkpoint(model(&[("fc.weight", &[5, 4])]), vec![adam]));
    assert_eq!(found[0].shape.as_deref(), Some(&[5, 4][..]));
    assert_eq!(found[0].name.as_deref(), Some("fc.weight"));
}

#[test]
fn an_optimizer_alone_has_shapes_and_no_names() {
    let (naming, found) =
        resolve(&checkpoint(Vec::new(), vec![optimizer(&[(0.1, &[&[5, 4], &[2_000_000]])])]));
    assert_eq!(naming, [Naming::Unknown]);
    assert_eq!(found[0].label(), "parameter 0 (5×4)");
    assert_eq!((found[0].kind, found[1].kind), (None, Some(Kind::Flat)));
}
