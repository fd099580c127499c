//! PyTorch's own optimizers.

use super::entry::{
    Checked, Convention, Key,
    KeyDefault::{Number, Switch},
    KeyMeaning, LibraryEntry, Method, Optimizer, Variant,
};
use crate::DecayRule;

const ALL_TENSORS: &str = "every tensor handed over, norms and biases included";
const DECOUPLED_EQUATION: &str = "θ ← θ − γ_t λ θ, then θ ← θ − γ_t u_t";
const COUPLED_EQUATION: &str = "g_t ← g_t + λ θ, before the moments";
const VERSION: &str = "torch 2.15.0";

const fn golden(source: &'static str) -> Checked {
    Checked {
        version: VERSION,
        method: Method::Golden,
        source,
    }
}

const fn step(rule: DecayRule) -> Convention {
    Convention::Step {
        rule,
        per_unit: 1.0,
        cautious: false,
    }
}

const LR: Key = Key {
    name: "lr",
    meaning: KeyMeaning::LearningRate,
    default: Number(1e-3),
};
const BETA1: Key = Key {
    name: "beta1",
    meaning: KeyMeaning::Beta1,
    default: Number(0.9),
};
const BETA2: Key = Key {
    name: "beta2",
    meaning: KeyMeaning::Beta2,
    default: Number(0.999),
};
const EPS: Key = Key {
    name: "eps",
    meaning: KeyMeaning::Epsilon,
    default: Number(1e-8),
};
const DECOUPLED: Key = Key {
    name: "decoupled_weight_decay",
    meaning: KeyMeaning::Switch,
    default: Switch(false),
};

const fn weight_decay(default: f64) -> Key {
    Key {
        name: "weight_decay",
        meaning: KeyMeaning::WeightDecay,
        default: Number(default),
    }
}

const fn lr(default: f64) -> Key {
    Key {
        name: "lr",
        meaning: KeyMeaning::LearningRate,
        default: Number(default),
    }
}

pub(super) const ENTRIES: &[LibraryEntry] = &[
    LibraryEntry {
        name: "torch.SGD",
        aliases: &[],
        optimizer: Optimizer::Sgd,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::CoupledL2),
            equation: "g_t ← g_t + λ θ, then b_t ← μ b_{t−1} + (1 − τ) g_t, θ ← θ − γ_t b_t",
            call: "torch.optim.SGD(params, lr={lr}, momentum={momentum}, dampening={dampening}, nesterov={nesterov}, weight_decay={weight_decay})",
        }],
        keys: &[
            LR,
            Key {
                name: "momentum",
                meaning: KeyMeaning::Momentum,
                default: Number(0.0),
            },
            Key {
                name: "dampening",
                meaning: KeyMeaning::Dampening,
                default: Number(0.0),
            },
            Key {
                name: "nesterov",
                meaning: KeyMeaning::Nesterov,
                default: Switch(false),
            },
            weight_decay(0.0),
        ],
        decays: ALL_TENSORS,
        checked: golden("torch/optim/sgd.py, _single_tensor_sgd"),
        quirks: &["the first step takes the whole gradient whatever the dampening is"],
    },
    LibraryEntry {
        name: "torch.Adam",
        aliases: &[],
        optimizer: Optimizer::Adam,
        variants: &[
            Variant {
                switches: &[("decoupled_weight_decay", false)],
                convention: step(DecayRule::CoupledL2),
                equation: COUPLED_EQUATION,
                call: "torch.optim.Adam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay})",
            },
            Variant {
                switches: &[("decoupled_weight_decay", true)],
                convention: step(DecayRule::Decoupled),
                equation: DECOUPLED_EQUATION,
                call: "torch.optim.Adam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay}, decoupled_weight_decay=True)",
            },
        ],
        keys: &[LR, BETA1, BETA2, EPS, weight_decay(0.0), DECOUPLED],
        decays: ALL_TENSORS,
        checked: golden("torch/optim/adam.py, _single_tensor_adam"),
        quirks: &[],
    },
    LibraryEntry {
        name: "torch.AdamW",
        aliases: &[],
        optimizer: Optimizer::Adam,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: DECOUPLED_EQUATION,
            call: "torch.optim.AdamW(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay})",
        }],
        keys: &[LR, BETA1, BETA2, EPS, weight_decay(1e-2)],
        decays: ALL_TENSORS,
        checked: golden("torch/optim/adam.py, _single_tensor_adam; torch/optim/adamw.py"),
        quirks: &[
            "the paper multiplies λ by the schedule alone; here it is multiplied by the learning rate",
        ],
    },
    LibraryEntry {
        name: "torch.NAdam",
        aliases: &[],
        optimizer: Optimizer::NAdam,
        variants: &[
            Variant {
                switches: &[("decoupled_weight_decay", false)],
                convention: step(DecayRule::CoupledL2),
                equation: COUPLED_EQUATION,
                call: "torch.optim.NAdam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay})",
            },
            Variant {
                switches: &[("decoupled_weight_decay", true)],
                convention: step(DecayRule::Decoupled),
                equation: DECOUPLED_EQUATION,
                call: "torch.optim.NAdam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay}, decoupled_weight_decay=True)",
            },
        ],
        keys: &[lr(2e-3), BETA1, BETA2, EPS, weight_decay(0.0), DECOUPLED],
        decays: ALL_TENSORS,
        checked: golden("torch/optim/nadam.py, _single_tensor_nadam"),
        quirks: &[],
    },
    LibraryEntry {
        name: "torch.RAdam",
        aliases: &[],
        optimizer: Optimizer::RAdam,
        variants: &[
            Variant {
                switches: &[("decoupled_weight_decay", false)],
                convention: step(DecayRule::CoupledL2),
                equation: COUPLED_EQUATION,
                call: "torch.optim.RAdam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay})",
            },
            Variant {
                switches: &[("decoupled_weight_decay", true)],
                convention: step(DecayRule::Decoupled),
                equation: DECOUPLED_EQUATION,
                call: "torch.optim.RAdam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay}, decoupled_weight_decay=True)",
            },
        ],
        keys: &[LR, BETA1, BETA2, EPS, weight_decay(0.0), DECOUPLED],
        decays: ALL_TENSORS,
        checked: golden("torch/optim/radam.py, _single_tensor_radam"),
        quirks: &[],
    },
    LibraryEntry {
        name: "torch.Adafactor",
        aliases: &[],
        optimizer: Optimizer::Adafactor,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: DECOUPLED_EQUATION,
            call: "torch.optim.Adafactor(params, lr={lr}, weight_decay={weight_decay})",
        }],
        keys: &[lr(1e-2), weight_decay(0.0)],
        decays: ALL_TENSORS,
        checked: golden("torch/optim/_adafactor.py, _single_tensor_adafactor"),
        quirks: &[
            "the documentation gives 1e-2 as the default of weight_decay; the code has 0",
            "λ is multiplied by lr, the update by min(lr, 1/√t)·max(ε₂, RMS(θ)): their ratio drifts with t",
        ],
    },
    LibraryEntry {
        name: "torch.Muon",
        aliases: &[],
        optimizer: Optimizer::Muon,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: DECOUPLED_EQUATION,
            call: "torch.optim.Muon(params, lr={lr}, momentum={momentum}, nesterov={nesterov}, weight_decay={weight_decay})",
        }],
        keys: &[
            LR,
            Key {
                name: "momentum",
                meaning: KeyMeaning::Momentum,
                default: Number(0.95),
            },
            Key {
                name: "nesterov",
                meaning: KeyMeaning::Nesterov,
                default: Switch(true),
            },
            weight_decay(0.1),
        ],
        decays: "every matrix handed over; it takes no other tensor",
        checked: golden("torch/optim/_muon.py, _single_tensor_muon"),
        quirks: &[
            "the documentation calls weight_decay an L2 penalty; the code decouples it",
            "λ is multiplied by lr itself, not by the learning rate that adjust_lr_fn makes of the shape",
        ],
    },
];
