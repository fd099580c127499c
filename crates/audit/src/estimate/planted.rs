//! A small training whose decay is known, for tests: an embedding with rows that nothing reaches and
//! rows that are reached now and then, a matrix, and a gain that does not decay. Gradients are a
//! pull towards a target and noise. Weights and moments are f32 and are computed as PyTorch's
//! optimizers compute them on a CPU.

use half::bf16;

use crate::bytes::Bytes;
use crate::case::{Parameter, Subject};
use crate::checkpoint::{
    Checkpoint, Clock, Format, Group, NamedTensor, OptimizerState, ParameterId, ParameterState,
    Value, Writer,
};
use crate::names::Naming;
use crate::tensor::{Dtype, Tensor};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Optimizer {
    AdamW {
        amsgrad: bool,
    },
    /// Adam with an L2 penalty.
    Adam,
    /// PyTorch's SGD, whose penalty is coupled.
    Sgd,
    /// SGD with decoupled decay, plain or after Nesterov.
    SgdW {
        nesterov: bool,
    },
    Lion,
}

pub(super) struct Plan {
    pub(super) optimizer: Optimizer,
    pub(super) lambda: f64,
    /// η of steps 1, 2, ….
    pub(super) rates: Vec<f64>,
    /// Steps after which a checkpoint is saved.
    pub(super) saved: Vec<u64>,
    pub(super) seed: u64,
    /// Rows of the embedding that never have a gradient.
    pub(super) dead: usize,
    /// Rows that have one only in steps divisible by this.
    pub(super) rare: (usize, u64),
    /// Form in which the weights are saved; they are trained in f32.
    pub(super) dtype: Dtype,
}

pub(super) const ROWS: usize = 256;
pub(super) const LENGTH: usize = 32;
pub(super) const MOMENTUM: f64 = 0.9;
const BETAS: (f64, f64) = (0.9, 0.95);
const EPSILON: f64 = 1e-8;
const NAMES: [&str; 3] = ["emb.weight", "w.weight", "n.weight"];

impl Default for Plan {
    fn default() -> Self {
        Plan {
            optimizer: Optimizer::AdamW { amsgrad: false },
            lambda: 0.1,
            rates: cosine(6e-4, 400),
            saved: vec![200, 201],
            seed: 1,
            dead: 32,
            rare: (32, 50),
            dtype: Dtype::Float32,
        }
    }
}

/// A cosine from a peak to a tenth of it.
pub(super) fn cosine(peak: f64, steps: usize) -> Vec<f64> {
    let factor = |t: usize| 0.55 + 0.45 * (std::f64::consts::PI * t as f64 / steps as f64).cos();
    (0..steps).map(|t| peak * factor(t)).collect()
}

/// Random numbers, the same for the same seed.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1);
        for _ in 0..8 {
            random.uniform();
        }
        random
    }

    fn uniform(&mut self) -> f64 {
        // SplitMix64 (Steele, Lea and Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((z ^ z >> 31) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// A tensor in training.
struct Trained {
    shape: Vec<usize>,
    lambda: f64,
    weights: Vec<f32>,
    target: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    largest: Vec<f32>,
}

/// Trains, and returns the checkpoints with all parameters named.
pub(super) fn train(plan: &Plan) -> Vec<Subject> {
    let mut random = Random::new(plan.seed);
    let shapes = [vec![ROWS, LENGTH], vec![64, 64], vec![64]];
    let mut tensors: Vec<Trained> = shapes
        .into_iter()
        .enumerate()
        .map(|(at, shape)| {
            let count: usize = shape.iter().product();
            let mut normal = |scale: f64| -> Vec<f32> {
                (0..count).map(|_| (scale * random.normal()) as f32).collect()
            };
            Trained {
                lambda: if at == 2 { 0.0 } else { plan.lambda },
                weights: if at == 2 { vec![1.0; count] } else { normal(0.05) },
                target: normal(0.05),
                first: vec![0.0; count],
                second: vec![0.0; count],
                largest: vec![0.0; count],
                shape,
            }
        })
        .collect();
    let mut subjects = Vec::new();
    let last = plan.saved.iter().copied().max().unwrap_or(0);
    for (step, &rate) in (1..=last).zip(&plan.rates) {
        for (at, tensor) in tensors.iter_mut().enumerate() {
            for element in 0..tensor.weights.len() {
                let row = element / LENGTH;
                let (rare, period) = plan.rare;
                let is_dead = at == 0
                    && (row < plan.dead
                        || (row < plan.dead + rare && !u64::is_multiple_of(step, period)));
                let noise = 0.02 * random.normal();
                let pull = 0.1 * f64::from(tensor.weights[element] - tensor.target[element]);
                let gradient = if is_dead { 0.0 } else { (pull + noise) as f32 };
                tensor.step(plan.optimizer, element, gradient, rate, step);
            }
        }
        if plan.saved.contains(&step) {
            subjects.push(subject(plan, &tensors, step, rate));
        }
    }
    subjects
}

impl Trained {
    fn step(&mut self, optimizer: Optimizer, at: usize, gradient: f32, rate: f64, step: u64) {
        let shrunk = (1.0 - rate * self.lambda) as f32;
        let (beta1, beta2) = BETAS;
        let weight = self.weights[at];
        let mix = |old: f32, new: f32, beta: f64| old + (1.0 - beta) as f32 * (new - old);
        match optimizer {
            Optimizer::AdamW { .. } | Optimizer::Adam => {
                let is_coupled = optimizer == Optimizer::Adam;
                let gradient =
                    if is_coupled { gradient + self.lambda as f32 * weight } else { gradient };
                let weight = if is_coupled { weight } else { weight * shrunk };
                self.first[at] = mix(self.first[at], gradient, beta1);
                self.second[at] =
                    beta2 as f32 * self.second[at] + (1.0 - beta2) as f32 * gradient * gradient;
                self.largest[at] = self.largest[at].max(self.second[at]);
                let is_amsgrad = optimizer == Optimizer::AdamW { amsgrad: true };
                let second = if is_amsgrad { self.largest[at] } else { self.second[at] };
                let time = step as f64;
                let root = (1.0 - beta2.powf(time)).sqrt();
                let denominator = second.sqrt() / root as f32 + EPSILON as f32;
                let size = rate / (1.0 - beta1.powf(time));
                self.weights[at] = weight - size as f32 * self.first[at] / denominator;
            }
            Optimizer::Sgd => {
                let gradient = gradient + self.lambda as f32 * weight;
                self.first[at] = MOMENTUM as f32 * self.first[at] + gradient;
                self.weights[at] = weight - rate as f32 * self.first[at];
            }
            Optimizer::SgdW { nesterov } => {
                self.first[at] = MOMENTUM as f32 * self.first[at] + gradient;
                let look = gradient + MOMENTUM as f32 * self.first[at];
                let update = if nesterov { look } else { self.first[at] };
                self.weights[at] = weight * shrunk - rate as f32 * update;
            }
            Optimizer::Lion => {
                let blend = mix(self.first[at], gradient, beta1);
                let sign = if blend == 0.0 { 0.0 } else { blend.signum() };
                self.weights[at] = weight * shrunk - rate as f32 * sign;
                self.first[at] = mix(self.first[at], gradient, beta2);
            }
        }
    }
}

fn stored(values: &[f32], dtype: Dtype, shape: &[usize]) -> Tensor {
    let bytes: Vec<u8> = match dtype {
        Dtype::Bfloat16 => values.iter().flat_map(|&x| bf16::from_f32(x).to_le_bytes()).collect(),
        _ => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
    };
    Tensor::contiguous(Bytes::from(bytes), dtype, shape.to_vec()).unwrap()
}

fn group(plan: &Plan, lambda: f64, rate: f64, parameters: &[usize]) -> Group {
    let is_adam = matches!(plan.optimizer, Optimizer::Adam | Optimizer::AdamW { .. });
    let is_sgd = matches!(plan.optimizer, Optimizer::Sgd | Optimizer::SgdW { .. });
    let is_amsgrad = plan.optimizer == Optimizer::AdamW { amsgrad: true };
    Group {
        lambda: Some(lambda),
        rate: Some(rate),
        betas: (!is_sgd).then_some(BETAS),
        epsilon: is_adam.then_some(EPSILON),
        momentum: is_sgd.then_some(MOMENTUM),
        dampening: is_sgd.then_some(0.0),
        nesterov: is_sgd.then_some(plan.optimizer == Optimizer::SgdW { nesterov: true }),
        amsgrad: is_adam.then_some(is_amsgrad),
        decoupled: Some(!matches!(plan.optimizer, Optimizer::Adam | Optimizer::Sgd)),
        parameters: parameters.iter().map(|&id| ParameterId::Index(id as i64)).collect(),
        settings: vec![("amsgrad".to_owned(), Value::Bool(is_amsgrad))],
        ..Group::default()
    }
}

fn state(plan: &Plan, tensor: &Trained, index: usize, step: u64) -> ParameterState {
    let kept: Vec<(&str, &[f32])> = match plan.optimizer {
        Optimizer::AdamW { amsgrad: true } => vec![
            ("exp_avg", &tensor.first),
            ("exp_avg_sq", &tensor.second),
            ("max_exp_avg_sq", &tensor.largest),
        ],
        Optimizer::AdamW { .. } | Optimizer::Adam => {
            vec![("exp_avg", &tensor.first), ("exp_avg_sq", &tensor.second)]
        }
        Optimizer::Sgd | Optimizer::SgdW { .. } => vec![("momentum_buffer", &tensor.first)],
        Optimizer::Lion => vec![("exp_avg", &tensor.first)],
    };
    ParameterState {
        id: ParameterId::Index(index as i64),
        step: Some(step as f64),
        tensors: kept
            .into_iter()
            .map(|(name, values)| NamedTensor {
                name: name.to_owned(),
                tensor: stored(values, Dtype::Float32, &tensor.shape),
            })
            .collect(),
    }
}

fn subject(plan: &Plan, tensors: &[Trained], step: u64, rate: f64) -> Subject {
    let optimizer = OptimizerState {
        name: None,
        groups: vec![group(plan, plan.lambda, rate, &[0, 1]), group(plan, 0.0, rate, &[2])],
        states: (0..).zip(tensors).map(|(at, tensor)| state(plan, tensor, at, step)).collect(),
    };
    let model = tensors.iter().zip(NAMES).map(|(tensor, name)| NamedTensor {
        name: name.to_owned(),
        tensor: stored(&tensor.weights, plan.dtype, &tensor.shape),
    });
    let parameters = tensors.iter().enumerate().map(|(at, tensor)| Parameter {
        name: Some(NAMES[at].to_owned()),
        candidates: Vec::new(),
        optimizer: 0,
        group: usize::from(at == 2),
        index: at,
        shape: Some(tensor.shape.clone()),
        kind: None,
        lambda: Some(tensor.lambda),
        has_state: true,
    });
    Subject {
        parameters: parameters.collect(),
        naming: vec![Naming::Listed],
        declarations: Vec::new(),
        checkpoint: Checkpoint {
            path: format!("step-{step}.pt").into(),
            format: Format::TorchZip,
            writer: Writer::Unknown,
            writer_version: None,
            model: model.collect(),
            is_in_module_order: true,
            optimizers: vec![optimizer],
            schedulers: Vec::new(),
            clocks: vec![Clock { name: "step".to_owned(), steps: step as f64 }],
            rates: Vec::new(),
            embedded: Vec::new(),
            remarks: Vec::new(),
        },
    }
}
