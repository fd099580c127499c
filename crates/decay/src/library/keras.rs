//! Keras 3.

use super::entry::{
    Checked, Convention, Key, KeyDefault::Number, KeyMeaning, LibraryEntry, Method, Optimizer,
    Variant,
};
use crate::DecayRule;

const fn golden(source: &'static str) -> Checked {
    Checked {
        version: "keras 3.15.1",
        method: Method::Golden,
        source,
    }
}

pub(super) const ENTRIES: &[LibraryEntry] = &[
    LibraryEntry {
        name: "keras.AdamW",
        aliases: &[],
        optimizer: Optimizer::Adam,
        variants: &[Variant {
            switches: &[],
            convention: Convention::Step {
                rule: DecayRule::Decoupled,
                per_unit: 1.0,
                cautious: false,
            },
            equation: "θ ← θ − lr_t wd θ, then Adam",
            call: "keras.optimizers.AdamW(learning_rate={learning_rate}, beta_1={beta_1}, beta_2={beta_2}, epsilon={epsilon}, weight_decay={weight_decay})",
        }],
        keys: &[
            Key {
                name: "learning_rate",
                meaning: KeyMeaning::LearningRate,
                default: Number(1e-3),
            },
            Key {
                name: "beta_1",
                meaning: KeyMeaning::Beta1,
                default: Number(0.9),
            },
            Key {
                name: "beta_2",
                meaning: KeyMeaning::Beta2,
                default: Number(0.999),
            },
            Key {
                name: "epsilon",
                meaning: KeyMeaning::Epsilon,
                default: Number(1e-7),
            },
            Key {
                name: "weight_decay",
                meaning: KeyMeaning::WeightDecay,
                default: Number(4e-3),
            },
        ],
        decays: "every trainable variable, norms and biases included, unless exclude_from_weight_decay names it",
        checked: golden(
            "keras/src/optimizers/base_optimizer.py, _apply_weight_decay; keras/src/optimizers/adam.py",
        ),
        quirks: &[
            "epsilon is added to √v before the bias correction, so that 1e-7 here is more than 1e-7 elsewhere early on",
            "weight_decay of the other Keras optimizers, Adam and SGD included, is decoupled like this one",
        ],
    },
    LibraryEntry {
        name: "keras.L2",
        aliases: &["keras.regularizers.L2"],
        optimizer: Optimizer::Any,
        variants: &[Variant {
            switches: &[],
            convention: Convention::Step {
                rule: DecayRule::CoupledL2,
                per_unit: 2.0,
                cautious: false,
            },
            equation: "loss ← loss + l2 Σ θ², so that g ← g + 2 l2 θ",
            call: "keras.regularizers.L2({l2})",
        }],
        keys: &[Key {
            name: "l2",
            meaning: KeyMeaning::WeightDecay,
            default: Number(1e-2),
        }],
        decays: "the weights of the layers it is given to, as kernel_regularizer or bias_regularizer",
        checked: golden("keras/src/regularizers/regularizers.py, L2"),
        quirks: &["there is no ½: l2 is half of the λ of torch.SGD"],
    },
];
