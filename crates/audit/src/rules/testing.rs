//! Synthetic evidence for the tests of rules: a small language model, its optimizer and
//! configuration, without a fault; a test plants one.

use std::path::PathBuf;

use wd_decay::Declared;

use super::{RULES, judge};
use crate::bytes::Bytes;
use crate::case::{Case, Parameter, Subject};
use crate::checkpoint::{
    Checkpoint, Format, Group, NamedTensor, OptimizerState, ParameterId, ParameterState, Value,
    Writer,
};
use crate::dialect::Declaration;
use crate::estimate::{Drift, Estimate, Method, TensorEstimate};
use crate::finding::Finding;
use crate::names::{Kind, Naming};
use crate::tensor::{Dtype, Tensor};

/// A tensor: its name, shape and kind.
pub(crate) type Entry = (&'static str, &'static [usize], Kind);

pub(crate) const MATRICES: &[Entry] = &[
    ("h.0.attn.c_attn.weight", &[12, 4], Kind::Matrix),
    ("h.0.mlp.c_fc.weight", &[16, 4], Kind::Matrix),
    ("h.1.attn.c_attn.weight", &[12, 4], Kind::Matrix),
    ("h.1.mlp.c_fc.weight", &[16, 4], Kind::Matrix),
];
pub(crate) const NORMS: &[Entry] = &[
    ("h.0.ln_1.weight", &[4], Kind::Norm),
    ("h.0.ln_2.weight", &[4], Kind::Norm),
    ("h.1.ln_1.weight", &[4], Kind::Norm),
    ("h.1.ln_2.weight", &[4], Kind::Norm),
    ("ln_f.weight", &[4], Kind::Norm),
];
pub(crate) const BIASES: &[Entry] = &[
    ("h.0.attn.c_attn.bias", &[12], Kind::Bias),
    ("h.0.mlp.c_fc.bias", &[16], Kind::Bias),
    ("h.1.attn.c_attn.bias", &[12], Kind::Bias),
    ("h.1.mlp.c_fc.bias", &[16], Kind::Bias),
];
pub(crate) const EMBEDDING: &[Entry] = &[("wte.weight", &[32, 4], Kind::Embedding)];
pub(crate) const HEAD: &[Entry] = &[("lm_head.weight", &[32, 4], Kind::Head)];

/// A training by AdamW at a constant rate of 1e-3, saved after 1000 steps: its groups with their λ.
pub(crate) fn adamw(groups: &[(f64, &[&[Entry]])]) -> Subject {
    let mut optimizer = OptimizerState::default();
    let mut parameters = Vec::new();
    let mut model = Vec::new();
    for (group, (lambda, entries)) in groups.iter().enumerate() {
        let entries: Vec<&Entry> = entries.iter().copied().flatten().collect();
        let first = parameters.len();
        for (name, shape, kind) in &entries {
            parameters.push(Parameter {
                name: Some((*name).to_owned()),
                candidates: Vec::new(),
                optimizer: 0,
                group,
                index: parameters.len(),
                shape: Some(shape.to_vec()),
                kind: Some(*kind),
                lambda: Some(*lambda),
                has_state: true,
            });
            model.push(named(name, filled(Dtype::Float32, 0.02, shape)));
        }
        let ids = (first..parameters.len()).map(|index| ParameterId::Index(index as i64));
        optimizer
            .states
            .extend(ids.clone().zip(&entries).map(|(id, (_, shape, _))| state(id, shape)));
        optimizer.groups.push(adamw_group(*lambda, ids.collect(), &entries));
    }
    subject_of(model, vec![optimizer], parameters)
}

/// A checkpoint of the given parts, named by the optimizer's own list.
pub(crate) fn subject_of(
    model: Vec<NamedTensor>,
    optimizers: Vec<OptimizerState>,
    parameters: Vec<Parameter>,
) -> Subject {
    let checkpoint = Checkpoint {
        path: PathBuf::from("run/ckpt.pt"),
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
    };
    let naming = checkpoint.optimizers.iter().map(|_| Naming::Listed).collect();
    Subject { checkpoint, naming, parameters, declarations: Vec::new() }
}

fn adamw_group(lambda: f64, parameters: Vec<ParameterId>, entries: &[&Entry]) -> Group {
    Group {
        lambda: Some(lambda),
        lambda_key: Some("weight_decay".to_owned()),
        rate: Some(1e-3),
        initial_rate: Some(1e-3),
        betas: Some((0.9, 0.95)),
        epsilon: Some(1e-8),
        decoupled: Some(true),
        parameters,
        names: Some(entries.iter().map(|(name, ..)| (*name).to_owned()).collect()),
        settings: vec![
            ("lr".to_owned(), Value::Number(1e-3)),
            ("weight_decay".to_owned(), Value::Number(lambda)),
        ],
        ..Group::default()
    }
}

fn state(id: ParameterId, shape: &[usize]) -> ParameterState {
    let tensors = vec![
        named("exp_avg", filled(Dtype::Float32, 0.1, shape)),
        named("exp_avg_sq", filled(Dtype::Float32, 0.04, shape)),
    ];
    ParameterState { id, step: Some(1000.0), tensors }
}

/// The model without a fault: matrices, embedding and head decay with λ = 0.1, all else does not.
pub(crate) fn clean() -> Subject {
    adamw(&[(0.1, &[MATRICES, EMBEDDING, HEAD]), (0.0, &[NORMS, BIASES])])
}

/// One checkpoint.
pub(crate) fn one(subject: Subject) -> Case {
    Case { subjects: vec![subject], ..Case::default() }
}

/// Two checkpoints of one run, the second saved 100 steps later.
pub(crate) fn two(first: Subject, mut second: Subject) -> Case {
    second.checkpoint.path = PathBuf::from("run/later.pt");
    for optimizer in &mut second.checkpoint.optimizers {
        optimizer.states.iter_mut().for_each(|state| state.step = Some(1100.0));
    }
    let mut case = Case { subjects: vec![first, second], ..Case::default() };
    case.proof.files = case.subjects.iter().map(|one| one.checkpoint.path.clone()).collect();
    case.proof.steps = Some(100.0);
    case.proof.rate_sum = Some(0.1);
    case
}

/// Two checkpoints of the faultless model, and what was proved from them.
pub(crate) fn proved(estimates: Vec<TensorEstimate>) -> Case {
    let mut case = two(clean(), clean());
    case.proof.estimates = estimates;
    case
}

/// A configuration that states λ.
pub(crate) fn declared(lambda: f64) -> Declaration {
    Declaration {
        dialect: "nanoGPT",
        file: PathBuf::from("run/train.py"),
        line: Some(3),
        lambda_key: Some("weight_decay".to_owned()),
        lambda: Some(Declared::stated(lambda)),
        applied_lambda: Some(lambda),
        rate: Some(Declared::stated(1e-3)),
        ..Declaration::default()
    }
}

/// Gives a group another λ.
pub(crate) fn set_lambda(subject: &mut Subject, group: usize, lambda: f64) {
    let settings = &mut subject.checkpoint.optimizers[0].groups[group];
    settings.lambda = Some(lambda);
    for (key, value) in &mut settings.settings {
        if key == "weight_decay" {
            *value = Value::Number(lambda);
        }
    }
    let inside = subject.parameters.iter_mut().filter(|parameter| parameter.group == group);
    inside.for_each(|parameter| parameter.lambda = Some(lambda));
}

/// Stores the weights, the optimizer's state or both in another format.
pub(crate) fn store_as(subject: &mut Subject, dtype: Dtype, weights: bool, states: bool) {
    if weights {
        for tensor in &mut subject.checkpoint.model {
            tensor.tensor = filled(dtype, 0.02, tensor.tensor.shape());
        }
    }
    if states {
        let optimizers = subject.checkpoint.optimizers.iter_mut();
        let kept = optimizers.flat_map(|optimizer| &mut optimizer.states);
        for tensor in kept.flat_map(|state| &mut state.tensors) {
            tensor.tensor = filled(dtype, 0.04, tensor.tensor.shape());
        }
    }
}

/// λ̂ of a tensor whose declared λ is 0.1, with half the width of its interval.
pub(crate) fn estimate(tensor: &str, method: Method, value: f64, half: f64) -> TensorEstimate {
    let interval = Estimate { value, low: value - half, high: value + half };
    TensorEstimate {
        tensor: tensor.to_owned(),
        method,
        lambda: Some(interval),
        shrink: Some(Estimate {
            value: 0.1 * value,
            low: 0.1 * interval.low,
            high: 0.1 * interval.high,
        }),
        rate: None,
        declared: Some(0.1),
        rows: 32,
        elements: 128,
        declared_before: None,
        remark: None,
    }
}

/// The drift of a tensor to `along` times itself.
pub(crate) fn drift(tensor: &str, along: f64, is_pure_factor: bool) -> Drift {
    Drift {
        tensor: tensor.to_owned(),
        along,
        norm_ratio: along,
        is_equal: is_pure_factor && along == 1.0,
        is_pure_factor,
    }
}

/// A tensor under a name.
pub(crate) fn named(name: &str, tensor: Tensor) -> NamedTensor {
    NamedTensor { name: name.to_owned(), tensor }
}

/// A tensor with one value everywhere.
pub(crate) fn filled(dtype: Dtype, value: f64, shape: &[usize]) -> Tensor {
    tensor(dtype, &vec![value; shape.iter().product()], shape)
}

/// A tensor of the given values.
pub(crate) fn tensor(dtype: Dtype, values: &[f64], shape: &[usize]) -> Tensor {
    let bytes: Vec<u8> = match dtype {
        Dtype::Bfloat16 => {
            values.iter().flat_map(|&x| half::bf16::from_f64(x).to_le_bytes()).collect()
        }
        Dtype::Float16 => {
            values.iter().flat_map(|&x| half::f16::from_f64(x).to_le_bytes()).collect()
        }
        Dtype::Uint8 => values.iter().map(|&x| x as u8).collect(),
        _ => values.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect(),
    };
    Tensor::contiguous(Bytes::from(bytes), dtype, shape.to_vec()).unwrap()
}

/// What one rule finds in a case.
pub(crate) fn findings_of(id: &str, case: &Case) -> Vec<Finding> {
    let rule = RULES.iter().filter(|rule| rule.id == id);
    judge(case, rule.copied())
}
