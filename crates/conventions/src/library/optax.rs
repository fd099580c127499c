//! Optax: decay is a transformation of the update, and its place in the chain is its meaning.

use super::entry::{
    Checked, KeyMeaning::*, LibraryEntry, Method, Optimizer, Variant, number, required, step,
    switch,
};
use wd_decay::DecayRule;

const ALL_TENSORS: &str = "every tensor, norms and biases included, unless `mask` leaves it out";
const DECOUPLED: &str = "p ← p − η_t (u_t + λ p)";
const fn golden(source: &'static str) -> Checked {
    Checked { version: "optax 0.2.8", method: Method::Golden, source }
}

pub(super) const ENTRIES: &[LibraryEntry] = &[
    LibraryEntry {
        name: "optax.adamw",
        aliases: &[],
        optimizer: Optimizer::Adam,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: DECOUPLED,
            call: "optax.adamw(learning_rate={learning_rate}, b1={b1}, b2={b2}, eps={eps}, weight_decay={weight_decay})",
        }],
        keys: &[
            required("learning_rate", LearningRate),
            number("b1", Beta1, 0.9),
            number("b2", Beta2, 0.999),
            number("eps", Epsilon, 1e-8),
            number("weight_decay", WeightDecay, 1e-4),
        ],
        decays: ALL_TENSORS,
        checked: golden(
            "optax/_src/alias.py, adamw; optax/transforms/_adding.py, add_decayed_weights",
        ),
        epsilon_before_correction: false,
        quirks: &["the default λ is a hundredth of torch.AdamW's"],
    },
    LibraryEntry {
        name: "optax.lion",
        aliases: &[],
        optimizer: Optimizer::Lion,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: DECOUPLED,
            call: "optax.lion(learning_rate={learning_rate}, b1={b1}, b2={b2}, weight_decay={weight_decay})",
        }],
        keys: &[
            required("learning_rate", LearningRate),
            number("b1", Beta1, 0.9),
            number("b2", Beta2, 0.99),
            number("weight_decay", WeightDecay, 1e-3),
        ],
        decays: ALL_TENSORS,
        checked: golden("optax/_src/alias.py, lion"),
        epsilon_before_correction: false,
        quirks: &[],
    },
    LibraryEntry {
        name: "optax.muon",
        aliases: &[],
        optimizer: Optimizer::Muon,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: DECOUPLED,
            call: "optax.contrib.muon(learning_rate={learning_rate}, beta={beta}, nesterov={nesterov}, weight_decay={weight_decay})",
        }],
        keys: &[
            required("learning_rate", LearningRate),
            number("beta", Momentum, 0.95),
            switch("nesterov", Nesterov, true),
            number("weight_decay", WeightDecay, 0.0),
        ],
        decays: "the matrices; the rest goes to Adam, whose λ is `adam_weight_decay`, 0 by default",
        checked: golden("optax/contrib/_muon.py, muon"),
        epsilon_before_correction: false,
        quirks: &[],
    },
    LibraryEntry {
        name: "optax.sgd",
        aliases: &["optax.add_decayed_weights"],
        optimizer: Optimizer::Sgd,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::CoupledL2),
            equation: "g_t ← g_t + λ p, then the trace t ← g_t + μ t, p ← p − η_t t",
            call: "optax.chain(optax.add_decayed_weights({weight_decay}), optax.sgd(learning_rate={learning_rate}, momentum={momentum}, nesterov={nesterov}))",
        }],
        keys: &[
            required("learning_rate", LearningRate),
            number("momentum", Momentum, 0.0),
            switch("nesterov", Nesterov, false),
            number("weight_decay", WeightDecay, 0.0),
        ],
        decays: ALL_TENSORS,
        checked: golden(
            "optax/_src/alias.py, sgd; optax/transforms/_adding.py, add_decayed_weights",
        ),
        epsilon_before_correction: false,
        quirks: &[
            "optax.sgd has no weight decay of its own: add_decayed_weights stands before it in the chain",
            "behind sgd in the chain, add_decayed_weights makes the weights grow: the update is already −η_t g there",
        ],
    },
];
