//! Optax: decay is a transformation of the update, and its place in the chain is its meaning.

use super::entry::{
    Checked, Convention, Key,
    KeyDefault::{Number, Required, Switch},
    KeyMeaning, LibraryEntry, Method, Optimizer, Variant,
};
use crate::DecayRule;

const ALL_TENSORS: &str = "every tensor, norms and biases included, unless `mask` leaves it out";
const DECOUPLED_EQUATION: &str = "p ← p − η_t (u_t + λ p)";

const fn golden(source: &'static str) -> Checked {
    Checked {
        version: "optax 0.2.8",
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
    name: "learning_rate",
    meaning: KeyMeaning::LearningRate,
    default: Required,
};
const B1: Key = Key {
    name: "b1",
    meaning: KeyMeaning::Beta1,
    default: Number(0.9),
};

const fn weight_decay(default: f64) -> Key {
    Key {
        name: "weight_decay",
        meaning: KeyMeaning::WeightDecay,
        default: Number(default),
    }
}

pub(super) const ENTRIES: &[LibraryEntry] = &[
    LibraryEntry {
        name: "optax.adamw",
        aliases: &[],
        optimizer: Optimizer::Adam,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: DECOUPLED_EQUATION,
            call: "optax.adamw(learning_rate={learning_rate}, b1={b1}, b2={b2}, eps={eps}, weight_decay={weight_decay})",
        }],
        keys: &[
            LR,
            B1,
            Key {
                name: "b2",
                meaning: KeyMeaning::Beta2,
                default: Number(0.999),
            },
            Key {
                name: "eps",
                meaning: KeyMeaning::Epsilon,
                default: Number(1e-8),
            },
            weight_decay(1e-4),
        ],
        decays: ALL_TENSORS,
        checked: golden(
            "optax/_src/alias.py, adamw; optax/transforms/_adding.py, add_decayed_weights",
        ),
        quirks: &["the default λ is a hundredth of torch.AdamW's"],
    },
    LibraryEntry {
        name: "optax.lion",
        aliases: &[],
        optimizer: Optimizer::Lion,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: DECOUPLED_EQUATION,
            call: "optax.lion(learning_rate={learning_rate}, b1={b1}, b2={b2}, weight_decay={weight_decay})",
        }],
        keys: &[
            LR,
            B1,
            Key {
                name: "b2",
                meaning: KeyMeaning::Beta2,
                default: Number(0.99),
            },
            weight_decay(1e-3),
        ],
        decays: ALL_TENSORS,
        checked: golden("optax/_src/alias.py, lion"),
        quirks: &[],
    },
    LibraryEntry {
        name: "optax.muon",
        aliases: &[],
        optimizer: Optimizer::Muon,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: DECOUPLED_EQUATION,
            call: "optax.contrib.muon(learning_rate={learning_rate}, beta={beta}, nesterov={nesterov}, weight_decay={weight_decay})",
        }],
        keys: &[
            LR,
            Key {
                name: "beta",
                meaning: KeyMeaning::Momentum,
                default: Number(0.95),
            },
            Key {
                name: "nesterov",
                meaning: KeyMeaning::Nesterov,
                default: Switch(true),
            },
            weight_decay(0.0),
        ],
        decays: "the matrices; the rest goes to Adam, whose λ is `adam_weight_decay`, 0 by default",
        checked: golden("optax/contrib/_muon.py, muon"),
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
            LR,
            Key {
                name: "momentum",
                meaning: KeyMeaning::Momentum,
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
        checked: golden(
            "optax/_src/alias.py, sgd; optax/transforms/_adding.py, add_decayed_weights",
        ),
        quirks: &[
            "optax.sgd has no weight decay of its own: add_decayed_weights stands before it in the chain",
            "behind sgd in the chain, add_decayed_weights makes the weights grow: the update is already −η_t g there",
        ],
    },
];
