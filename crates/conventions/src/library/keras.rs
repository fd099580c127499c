//! Keras 3.

use super::entry::{
    Checked, Convention, KeyMeaning::*, LibraryEntry, Method, Optimizer, Variant, number, step,
};
use wd_decay::DecayRule;

const fn golden(source: &'static str) -> Checked {
    Checked { version: "keras 3.15.1", method: Method::Golden, source }
}

pub(super) const ENTRIES: &[LibraryEntry] = &[
    LibraryEntry {
        name: "keras.AdamW",
        aliases: &[],
        optimizer: Optimizer::Adam,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: "θ ← θ − lr_t wd θ, then Adam",
            call: "keras.optimizers.AdamW(learning_rate={learning_rate}, beta_1={beta_1}, beta_2={beta_2}, epsilon={epsilon}, weight_decay={weight_decay})",
        }],
        keys: &[
            number("learning_rate", LearningRate, 1e-3),
            number("beta_1", Beta1, 0.9),
            number("beta_2", Beta2, 0.999),
            number("epsilon", Epsilon, 1e-7),
            number("weight_decay", WeightDecay, 4e-3),
        ],
        decays: "every trainable variable, norms and biases included, unless exclude_from_weight_decay names it",
        checked: golden(
            "keras/src/optimizers/base_optimizer.py, _apply_weight_decay; keras/src/optimizers/adam.py",
        ),
        epsilon_before_correction: true,
        quirks: &[
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
        keys: &[number("l2", WeightDecay, 1e-2)],
        decays: "the weights of the layers it is given to, as kernel_regularizer or bias_regularizer",
        checked: golden("keras/src/regularizers/regularizers.py, L2"),
        epsilon_before_correction: false,
        quirks: &["there is no ½: l2 is half of the λ of torch.SGD"],
    },
];
