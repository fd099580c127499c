//! timm: PyTorch image models.

use super::entry::{
    Checked, KeyMeaning::*, LibraryEntry, Method, Optimizer, Variant, number, step, switch,
};
use wd_decay::DecayRule;

const DECAYS: &str = "every tensor handed over; timm's factory create_optimizer_v2 leaves out 1-D tensors and biases";
const fn golden(source: &'static str) -> Checked {
    Checked { version: "timm 1.0.31", method: Method::Golden, source }
}

pub(super) const ENTRIES: &[LibraryEntry] = &[
    LibraryEntry {
        name: "timm.AdamW",
        aliases: &["timm.AdamWLegacy", "timm.adamc"],
        optimizer: Optimizer::Adam,
        variants: &[
            Variant {
                switches: &[("corrected_weight_decay", false)],
                convention: step(DecayRule::Decoupled),
                equation: "θ ← θ − γ_t λ θ, then θ ← θ − γ_t u_t",
                call: "timm.optim.AdamWLegacy(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay})",
            },
            Variant {
                switches: &[("corrected_weight_decay", true)],
                convention: step(DecayRule::Corrected),
                equation: "θ ← θ − (γ_t²/γ_max) λ θ, then θ ← θ − γ_t u_t",
                call: "timm.optim.AdamWLegacy(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay}, corrected_weight_decay=True)",
            },
        ],
        keys: &[
            number("lr", LearningRate, 1e-3),
            number("beta1", Beta1, 0.9),
            number("beta2", Beta2, 0.999),
            number("eps", Epsilon, 1e-8),
            number("weight_decay", WeightDecay, 1e-2),
            switch("corrected_weight_decay", Switch, false),
        ],
        decays: DECAYS,
        checked: golden(
            "timm/optim/adamw.py, _single_tensor_adamw; timm/optim/_helpers.py, _max_lr_snapshot",
        ),
        epsilon_before_correction: false,
        quirks: &[
            "γ_max is the lr that the constructor was given: built with a warm-up's first rate, the corrected decay is too large",
            "the factory's name `adamw` is torch.optim.AdamW; `adamc` is this class with corrected_weight_decay",
        ],
    },
    LibraryEntry {
        name: "timm.SGDW",
        aliases: &["timm.sgdc"],
        optimizer: Optimizer::Sgd,
        variants: &[
            Variant {
                switches: &[("corrected_weight_decay", false)],
                convention: step(DecayRule::Decoupled),
                equation: "θ ← θ − γ_t λ θ, then θ ← θ − γ_t u_t",
                call: "timm.optim.SGDW(params, lr={lr}, momentum={momentum}, dampening={dampening}, nesterov={nesterov}, weight_decay={weight_decay})",
            },
            Variant {
                switches: &[("corrected_weight_decay", true)],
                convention: step(DecayRule::Corrected),
                equation: "θ ← θ − (γ_t²/γ_max) λ θ, then θ ← θ − γ_t u_t",
                call: "timm.optim.SGDW(params, lr={lr}, momentum={momentum}, dampening={dampening}, nesterov={nesterov}, weight_decay={weight_decay}, corrected_weight_decay=True)",
            },
        ],
        keys: &[
            number("lr", LearningRate, 1e-3),
            number("momentum", Momentum, 0.0),
            number("dampening", Dampening, 0.0),
            switch("nesterov", Nesterov, false),
            number("weight_decay", WeightDecay, 0.0),
            switch("corrected_weight_decay", Switch, false),
        ],
        decays: DECAYS,
        checked: golden("timm/optim/sgdw.py, _single_tensor_sgdw"),
        epsilon_before_correction: false,
        quirks: &[
            "γ_max is the lr that the constructor was given: built with a warm-up's first rate, the corrected decay is too large",
        ],
    },
];
