//! kozistr/pytorch_optimizer: one apply_weight_decay for most of its optimizers.

use super::entry::{
    Checked, Convention, KeyMeaning::*, LibraryEntry, Method, Optimizer, Variant, number, step,
    switch,
};
use wd_decay::DecayRule;

const ALL_TENSORS: &str = "every tensor handed over, norms and biases included";
const fn golden(source: &'static str) -> Checked {
    Checked { version: "pytorch_optimizer 4.1.0", method: Method::Golden, source }
}

pub(super) const ENTRIES: &[LibraryEntry] = &[
    LibraryEntry {
        name: "pytorch_optimizer.Lion",
        aliases: &[],
        optimizer: Optimizer::Lion,
        variants: &[
            Variant {
                switches: &[("weight_decouple", true), ("fixed_decay", false)],
                convention: step(DecayRule::Decoupled),
                equation: "θ ← θ − γ_t λ θ",
                call: "pytorch_optimizer.Lion(params, lr={lr}, betas=({beta1}, {beta2}), weight_decay={weight_decay})",
            },
            Variant {
                switches: &[("weight_decouple", true), ("fixed_decay", true)],
                convention: step(DecayRule::Constant),
                equation: "θ ← θ − λ θ at every step, whatever γ_t is",
                call: "pytorch_optimizer.Lion(params, lr={lr}, betas=({beta1}, {beta2}), weight_decay={weight_decay}, fixed_decay=True)",
            },
            Variant {
                switches: &[("weight_decouple", false)],
                convention: step(DecayRule::CoupledL2),
                equation: "g ← g + λ θ",
                call: "pytorch_optimizer.Lion(params, lr={lr}, betas=({beta1}, {beta2}), weight_decay={weight_decay}, weight_decouple=False)",
            },
        ],
        keys: &[
            number("lr", LearningRate, 1e-4),
            number("beta1", Beta1, 0.9),
            number("beta2", Beta2, 0.99),
            number("weight_decay", WeightDecay, 0.0),
            switch("weight_decouple", Switch, true),
            switch("fixed_decay", Switch, false),
        ],
        decays: ALL_TENSORS,
        checked: golden(
            "pytorch_optimizer/optimizer/lion.py; pytorch_optimizer/base/optimizer.py, apply_weight_decay",
        ),
        epsilon_before_correction: false,
        quirks: &[
            "fixed_decay follows neither the learning rate nor its schedule: it decays through the warm-up and past the schedule's end",
        ],
    },
    LibraryEntry {
        name: "pytorch_optimizer.RAdam",
        aliases: &[],
        optimizer: Optimizer::RAdam,
        variants: &[
            Variant {
                switches: &[("weight_decouple", true), ("fixed_decay", false)],
                convention: step(DecayRule::Decoupled),
                equation: "θ ← θ − γ_t λ θ",
                call: "pytorch_optimizer.RAdam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay})",
            },
            Variant {
                switches: &[("weight_decouple", true), ("fixed_decay", true)],
                convention: step(DecayRule::Constant),
                equation: "θ ← θ − λ θ at every step, whatever γ_t is",
                call: "pytorch_optimizer.RAdam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay}, fixed_decay=True)",
            },
            Variant {
                switches: &[("weight_decouple", false)],
                convention: Convention::Step {
                    rule: DecayRule::CoupledL2,
                    per_unit: 0.0,
                    cautious: false,
                },
                equation: "nothing: weight_decay is read and never applied",
                call: "pytorch_optimizer.RAdam(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay}, weight_decouple=False)",
            },
        ],
        keys: &[
            number("lr", LearningRate, 1e-3),
            number("beta1", Beta1, 0.9),
            number("beta2", Beta2, 0.999),
            number("eps", Epsilon, 1e-8),
            number("weight_decay", WeightDecay, 0.0),
            switch("weight_decouple", Switch, true),
            switch("fixed_decay", Switch, false),
        ],
        decays: ALL_TENSORS,
        checked: golden(
            "pytorch_optimizer/optimizer/radam.py; pytorch_optimizer/base/optimizer.py, apply_weight_decay",
        ),
        epsilon_before_correction: false,
        quirks: &[
            "fixed_decay follows neither the learning rate nor its schedule: it decays through the warm-up and past the schedule's end",
            "weight_decouple=False decays nothing at all, although the documentation says that λ goes into the gradient",
            "the first steps do not decay: five of them at beta2 = 0.999, until RAdam's variance can be rectified",
        ],
    },
];
