//! torch-optimi: low-precision optimizers whose decay can leave the learning rate out.

use super::entry::{
    Checked, KeyMeaning::*, LibraryEntry, Method, Optimizer, Variant, number, required, step,
    switch,
};
use wd_decay::DecayRule;

const ALL_TENSORS: &str = "every tensor handed over, norms and biases included";
const fn golden(source: &'static str) -> Checked {
    Checked { version: "torch-optimi 0.3.3", method: Method::Golden, source }
}

pub(super) const ENTRIES: &[LibraryEntry] = &[
    LibraryEntry {
        name: "optimi.AdamW",
        aliases: &[],
        optimizer: Optimizer::Adam,
        variants: &[
            Variant {
                switches: &[("decouple_lr", false)],
                convention: step(DecayRule::Decoupled),
                equation: "θ ← θ − γ_t λ θ",
                call: "optimi.AdamW(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay})",
            },
            Variant {
                switches: &[("decouple_lr", true)],
                convention: step(DecayRule::Independent),
                equation: "θ ← θ − (γ_t/γ_max) λ θ",
                call: "optimi.AdamW(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay}, decouple_lr=True, max_lr={lr})",
            },
        ],
        keys: &[
            required("lr", LearningRate),
            number("beta1", Beta1, 0.9),
            number("beta2", Beta2, 0.99),
            number("eps", Epsilon, 1e-6),
            number("weight_decay", WeightDecay, 1e-2),
            switch("decouple_lr", Switch, false),
        ],
        decays: ALL_TENSORS,
        checked: golden("optimi/adam.py, adam; optimi/adamw.py"),
        epsilon_before_correction: false,
        quirks: &[
            "max_lr is the lr that the constructor was given unless it is set",
            "beta2 and eps have other defaults than torch.AdamW: 0.99 and 1e-6",
        ],
    },
    LibraryEntry {
        name: "optimi.Adam",
        aliases: &[],
        optimizer: Optimizer::Adam,
        variants: &[
            Variant {
                switches: &[("decouple_wd", false), ("decouple_lr", false)],
                convention: step(DecayRule::CoupledL2),
                equation: "g ← g + λ θ",
                call: "optimi.Adam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay})",
            },
            Variant {
                switches: &[("decouple_wd", true), ("decouple_lr", false)],
                convention: step(DecayRule::Decoupled),
                equation: "θ ← θ − γ_t λ θ",
                call: "optimi.Adam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay}, decouple_wd=True)",
            },
            Variant {
                switches: &[("decouple_lr", true)],
                convention: step(DecayRule::Independent),
                equation: "θ ← θ − (γ_t/γ_max) λ θ",
                call: "optimi.Adam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay}, decouple_lr=True, max_lr={lr})",
            },
        ],
        keys: &[
            required("lr", LearningRate),
            number("beta1", Beta1, 0.9),
            number("beta2", Beta2, 0.99),
            number("eps", Epsilon, 1e-6),
            number("weight_decay", WeightDecay, 0.0),
            switch("decouple_wd", Switch, false),
            switch("decouple_lr", Switch, false),
        ],
        decays: ALL_TENSORS,
        checked: golden("optimi/adam.py, adam"),
        epsilon_before_correction: false,
        quirks: &["max_lr is the lr that the constructor was given unless it is set"],
    },
    LibraryEntry {
        name: "optimi.SGD",
        aliases: &[],
        optimizer: Optimizer::Sgd,
        variants: &[
            Variant {
                switches: &[("decouple_wd", false), ("decouple_lr", false)],
                convention: step(DecayRule::CoupledL2),
                equation: "g ← g + λ θ",
                call: "optimi.SGD(params, lr={lr}, momentum={momentum}, weight_decay={weight_decay})",
            },
            Variant {
                switches: &[("decouple_wd", true), ("decouple_lr", false)],
                convention: step(DecayRule::Decoupled),
                equation: "θ ← θ − γ_t λ θ",
                call: "optimi.SGD(params, lr={lr}, momentum={momentum}, weight_decay={weight_decay}, decouple_wd=True)",
            },
            Variant {
                switches: &[("decouple_lr", true)],
                convention: step(DecayRule::Independent),
                equation: "θ ← θ − (γ_t/γ_max) λ θ",
                call: "optimi.SGD(params, lr={lr}, momentum={momentum}, weight_decay={weight_decay}, decouple_lr=True, max_lr={lr})",
            },
        ],
        keys: &[
            required("lr", LearningRate),
            number("momentum", Momentum, 0.0),
            number("weight_decay", WeightDecay, 0.0),
            switch("decouple_wd", Switch, false),
            switch("decouple_lr", Switch, false),
        ],
        decays: ALL_TENSORS,
        checked: golden("optimi/sgd.py, sgd"),
        epsilon_before_correction: false,
        quirks: &[
            "max_lr is the lr that the constructor was given unless it is set",
            "dampening is a switch here: it is 1 − momentum or 0",
        ],
    },
    LibraryEntry {
        name: "optimi.Lion",
        aliases: &[],
        optimizer: Optimizer::Lion,
        variants: &[
            Variant {
                switches: &[("decouple_lr", false)],
                convention: step(DecayRule::Decoupled),
                equation: "θ ← θ − γ_t λ θ",
                call: "optimi.Lion(params, lr={lr}, betas=({beta1}, {beta2}), weight_decay={weight_decay})",
            },
            Variant {
                switches: &[("decouple_lr", true)],
                convention: step(DecayRule::Independent),
                equation: "θ ← θ − (γ_t/γ_max) λ θ",
                call: "optimi.Lion(params, lr={lr}, betas=({beta1}, {beta2}), weight_decay={weight_decay}, decouple_lr=True, max_lr={lr})",
            },
        ],
        keys: &[
            required("lr", LearningRate),
            number("beta1", Beta1, 0.9),
            number("beta2", Beta2, 0.99),
            number("weight_decay", WeightDecay, 0.0),
            switch("decouple_lr", Switch, false),
        ],
        decays: ALL_TENSORS,
        checked: golden("optimi/lion.py, lion"),
        epsilon_before_correction: false,
        quirks: &["max_lr is the lr that the constructor was given unless it is set"],
    },
];
