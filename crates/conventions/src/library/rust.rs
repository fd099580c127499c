//! Rust libraries, read from their source.

use super::entry::{
    Checked, KeyMeaning::*, LibraryEntry, Method, Optimizer, Variant, cautious_step, number,
    required, step, switch,
};
use wd_decay::DecayRule;

const fn read(version: &'static str, source: &'static str) -> Checked {
    Checked { version, method: Method::Source, source }
}

pub(super) const ENTRIES: &[LibraryEntry] = &[
    LibraryEntry {
        name: "burn.AdamW",
        aliases: &[],
        optimizer: Optimizer::Adam,
        variants: &[
            Variant {
                switches: &[("cautious_weight_decay", false)],
                convention: step(DecayRule::Decoupled),
                equation: "w ← w (1 − lr_t weight_decay), then Adam",
                call: "AdamWConfig::new().with_beta_1({beta_1}).with_beta_2({beta_2}).with_epsilon({epsilon}).with_weight_decay({weight_decay}).init() // lr {lr} at each step",
            },
            Variant {
                switches: &[("cautious_weight_decay", true)],
                convention: cautious_step(DecayRule::Decoupled),
                equation: "w ← w − lr_t weight_decay w·[sign m = sign w], then Adam",
                call: "AdamWConfig::new().with_beta_1({beta_1}).with_beta_2({beta_2}).with_epsilon({epsilon}).with_weight_decay({weight_decay}).with_cautious_weight_decay(true).init() // lr {lr} at each step",
            },
        ],
        keys: &[
            required("lr", LearningRate),
            number("beta_1", Beta1, 0.9),
            number("beta_2", Beta2, 0.999),
            number("epsilon", Epsilon, 1e-5),
            number("weight_decay", WeightDecay, 1e-4),
            switch("cautious_weight_decay", Cautious, false),
        ],
        decays: "every float parameter of the module",
        checked: read("tracel-ai/burn 01832cc", "crates/burn-optim/src/optim/adamw.rs"),
        epsilon_before_correction: false,
        quirks: &["epsilon is 1e-5 by default, a thousand times torch's"],
    },
    LibraryEntry {
        name: "burn.Sgd",
        aliases: &[],
        optimizer: Optimizer::Sgd,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::CoupledL2),
            equation: "grad ← grad + penalty w, then momentum",
            call: "SgdConfig::new().with_weight_decay(Some(WeightDecayConfig::new({penalty}))).with_momentum(Some(MomentumConfig { momentum: {momentum}, dampening: {dampening}, nesterov: {nesterov} })).init() // lr {lr} at each step",
        }],
        keys: &[
            required("lr", LearningRate),
            number("momentum", Momentum, 0.0),
            number("dampening", Dampening, 0.0),
            switch("nesterov", Nesterov, false),
            number("penalty", WeightDecay, 0.0),
        ],
        decays: "every float parameter of the module",
        checked: read("tracel-ai/burn 050c750", "crates/burn-optim/src/optim/sgd.rs and decay.rs"),
        epsilon_before_correction: false,
        quirks: &[],
    },
    LibraryEntry {
        name: "candle.AdamW",
        aliases: &[],
        optimizer: Optimizer::Adam,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: "theta ← theta (1 − lr_t weight_decay), then Adam",
            call: "candle_nn::AdamW::new(vars, ParamsAdamW { lr: {lr}, beta1: {beta1}, beta2: {beta2}, eps: {eps}, weight_decay: {weight_decay} })",
        }],
        keys: &[
            number("lr", LearningRate, 1e-3),
            number("beta1", Beta1, 0.9),
            number("beta2", Beta2, 0.999),
            number("eps", Epsilon, 1e-8),
            number("weight_decay", WeightDecay, 1e-2),
        ],
        decays: "every float variable handed over",
        checked: read("huggingface/candle 00eba4a", "candle-nn/src/optim.rs"),
        epsilon_before_correction: false,
        quirks: &["its SGD has neither momentum nor decay"],
    },
];
