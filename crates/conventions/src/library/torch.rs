//! PyTorch's own optimizers.

use super::entry::{
    Checked, KeyMeaning::*, LibraryEntry, Method, Optimizer, Variant, number, step, switch,
};
use wd_decay::DecayRule;

const ALL_TENSORS: &str = "every tensor handed over, norms and biases included";
const DECOUPLED: &str = "θ ← θ − γ_t λ θ, then θ ← θ − γ_t u_t";
const COUPLED: &str = "g_t ← g_t + λ θ, before the moments";
const fn golden(source: &'static str) -> Checked {
    Checked { version: "torch 2.15.0", method: Method::Golden, source }
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
            number("lr", LearningRate, 1e-3),
            number("momentum", Momentum, 0.0),
            number("dampening", Dampening, 0.0),
            switch("nesterov", Nesterov, false),
            number("weight_decay", WeightDecay, 0.0),
        ],
        decays: ALL_TENSORS,
        checked: golden("torch/optim/sgd.py, _single_tensor_sgd"),
        epsilon_before_correction: false,
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
                equation: COUPLED,
                call: "torch.optim.Adam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay})",
            },
            Variant {
                switches: &[("decoupled_weight_decay", true)],
                convention: step(DecayRule::Decoupled),
                equation: DECOUPLED,
                call: "torch.optim.Adam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay}, decoupled_weight_decay=True)",
            },
        ],
        keys: &[
            number("lr", LearningRate, 1e-3),
            number("beta1", Beta1, 0.9),
            number("beta2", Beta2, 0.999),
            number("eps", Epsilon, 1e-8),
            number("weight_decay", WeightDecay, 0.0),
            switch("decoupled_weight_decay", Switch, false),
        ],
        decays: ALL_TENSORS,
        checked: golden("torch/optim/adam.py, _single_tensor_adam"),
        epsilon_before_correction: false,
        quirks: &[],
    },
    LibraryEntry {
        name: "torch.AdamW",
        aliases: &[],
        optimizer: Optimizer::Adam,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: DECOUPLED,
            call: "torch.optim.AdamW(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay})",
        }],
        keys: &[
            number("lr", LearningRate, 1e-3),
            number("beta1", Beta1, 0.9),
            number("beta2", Beta2, 0.999),
            number("eps", Epsilon, 1e-8),
            number("weight_decay", WeightDecay, 1e-2),
        ],
        decays: ALL_TENSORS,
        checked: golden("torch/optim/adam.py, _single_tensor_adam; torch/optim/adamw.py"),
        epsilon_before_correction: false,
        quirks: &[
            "AdamW's paper (Loshchilov & Hutter 2019) multiplies λ by the schedule alone; here it is multiplied by the learning rate",
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
                equation: COUPLED,
                call: "torch.optim.NAdam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay})",
            },
            Variant {
                switches: &[("decoupled_weight_decay", true)],
                convention: step(DecayRule::Decoupled),
                equation: DECOUPLED,
                call: "torch.optim.NAdam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay}, decoupled_weight_decay=True)",
            },
        ],
        keys: &[
            number("lr", LearningRate, 2e-3),
            number("beta1", Beta1, 0.9),
            number("beta2", Beta2, 0.999),
            number("eps", Epsilon, 1e-8),
            number("weight_decay", WeightDecay, 0.0),
            switch("decoupled_weight_decay", Switch, false),
        ],
        decays: ALL_TENSORS,
        checked: golden("torch/optim/nadam.py, _single_tensor_nadam"),
        epsilon_before_correction: false,
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
                equation: COUPLED,
                call: "torch.optim.RAdam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay})",
            },
            Variant {
                switches: &[("decoupled_weight_decay", true)],
                convention: step(DecayRule::Decoupled),
                equation: DECOUPLED,
                call: "torch.optim.RAdam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay}, decoupled_weight_decay=True)",
            },
        ],
        keys: &[
            number("lr", LearningRate, 1e-3),
            number("beta1", Beta1, 0.9),
            number("beta2", Beta2, 0.999),
            number("eps", Epsilon, 1e-8),
            number("weight_decay", WeightDecay, 0.0),
            switch("decoupled_weight_decay", Switch, false),
        ],
        decays: ALL_TENSORS,
        checked: golden("torch/optim/radam.py, _single_tensor_radam"),
        epsilon_before_correction: false,
        quirks: &[],
    },
    LibraryEntry {
        name: "torch.Adafactor",
        aliases: &[],
        optimizer: Optimizer::Adafactor,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: DECOUPLED,
            call: "torch.optim.Adafactor(params, lr={lr}, weight_decay={weight_decay})",
        }],
        keys: &[number("lr", LearningRate, 1e-2), number("weight_decay", WeightDecay, 0.0)],
        decays: ALL_TENSORS,
        checked: golden("torch/optim/_adafactor.py, _single_tensor_adafactor"),
        epsilon_before_correction: false,
        quirks: &[
            "the documentation gives 1e-2 as the default of weight_decay; the code has 0",
            "λ is multiplied by lr, the update by min(lr, 1/√t)·max(ε₂, RMS(θ)), with θ before its decay: their ratio drifts with t",
        ],
    },
    LibraryEntry {
        name: "torch.Muon",
        aliases: &[],
        optimizer: Optimizer::Muon,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: DECOUPLED,
            call: "torch.optim.Muon(params, lr={lr}, momentum={momentum}, nesterov={nesterov}, weight_decay={weight_decay})",
        }],
        keys: &[
            number("lr", LearningRate, 1e-3),
            number("momentum", Momentum, 0.95),
            switch("nesterov", Nesterov, true),
            number("weight_decay", WeightDecay, 0.1),
        ],
        decays: "every matrix handed over; it takes no other tensor",
        checked: golden("torch/optim/_muon.py, _single_tensor_muon"),
        epsilon_before_correction: false,
        quirks: &[
            "the documentation calls weight_decay an L2 penalty; the code decouples it",
            "λ is multiplied by lr itself, not by the learning rate that adjust_lr_fn makes of the shape",
        ],
    },
];
