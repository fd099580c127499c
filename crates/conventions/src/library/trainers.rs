//! Training frameworks, read from their source.

use super::entry::{
    Checked, KeyMeaning::*, LibraryEntry, Method, Optimizer, Variant, number, required, step,
    switch,
};
use wd_decay::DecayRule;

const ALL_TENSORS: &str = "every tensor handed over, norms and biases included";
const fn read(version: &'static str, source: &'static str) -> Checked {
    Checked { version, method: Method::Source, source }
}

pub(super) const ENTRIES: &[LibraryEntry] = &[
    LibraryEntry {
        name: "composer.DecoupledAdamW",
        aliases: &["mosaicml.DecoupledAdamW"],
        optimizer: Optimizer::Adam,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Independent),
            equation: "θ ← θ − (lr_t/initial_lr) wd θ, then Adam",
            call: "composer.optim.DecoupledAdamW(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay})",
        }],
        keys: &[
            number("lr", LearningRate, 1e-3),
            number("beta1", Beta1, 0.9),
            number("beta2", Beta2, 0.95),
            number("eps", Epsilon, 1e-8),
            number("weight_decay", WeightDecay, 1e-5),
        ],
        decays: ALL_TENSORS,
        checked: read(
            "mosaicml 0.32.1",
            "composer/optim/decoupled_weight_decay.py, DecoupledAdamW.adamw",
        ),
        epsilon_before_correction: false,
        quirks: &[
            "initial_lr is the lr that the constructor was given",
            "λ of torch.AdamW must be multiplied by lr: 0.1 at 6e-4 is 6e-5 here",
        ],
    },
    LibraryEntry {
        name: "composer.DecoupledSGDW",
        aliases: &[],
        optimizer: Optimizer::Sgd,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Independent),
            equation: "θ ← θ − (lr_t/initial_lr) wd θ, then SGD",
            call: "composer.optim.DecoupledSGDW(params, lr={lr}, momentum={momentum}, dampening={dampening}, nesterov={nesterov}, weight_decay={weight_decay})",
        }],
        keys: &[
            required("lr", LearningRate),
            number("momentum", Momentum, 0.0),
            number("dampening", Dampening, 0.0),
            switch("nesterov", Nesterov, false),
            number("weight_decay", WeightDecay, 0.0),
        ],
        decays: ALL_TENSORS,
        checked: read(
            "mosaicml 0.32.1",
            "composer/optim/decoupled_weight_decay.py, DecoupledSGDW.sgdw",
        ),
        epsilon_before_correction: false,
        quirks: &["initial_lr is the lr that the constructor was given"],
    },
    LibraryEntry {
        name: "big_vision.adam",
        aliases: &["big_vision.scale_by_adam"],
        optimizer: Optimizer::Adam,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Independent),
            equation: "p ← p − sched_t (lr u_t + wd p), sched_t from 0 to 1",
            call: "config.optax_name = 'scale_by_adam'; config.optax = dict(b1={b1}, b2={b2}, eps={eps}); config.lr = {lr}; config.wd = {wd}",
        }],
        keys: &[
            required("lr", LearningRate),
            number("b1", Beta1, 0.9),
            number("b2", Beta2, 0.999),
            number("eps", Epsilon, 1e-8),
            number("wd", WeightDecay, 0.0),
        ],
        decays: "parameters whose path ends in /kernel, by the default of `wd_mults`: not norms, biases or position embeddings",
        checked: read("google-research/big_vision 11eea57", "big_vision/optax.py, make"),
        epsilon_before_correction: false,
        quirks: &["wd is not multiplied by lr: 1e-4 at lr 1e-3 is 0.1 of torch.AdamW"],
    },
    LibraryEntry {
        name: "transformers.Trainer",
        aliases: &["huggingface.Trainer", "hf.Trainer"],
        optimizer: Optimizer::Adam,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: "θ ← θ − γ_t λ θ, then Adam",
            call: "transformers.TrainingArguments(learning_rate={learning_rate}, adam_beta1={adam_beta1}, adam_beta2={adam_beta2}, adam_epsilon={adam_epsilon}, weight_decay={weight_decay})",
        }],
        keys: &[
            number("learning_rate", LearningRate, 5e-5),
            number("adam_beta1", Beta1, 0.9),
            number("adam_beta2", Beta2, 0.999),
            number("adam_epsilon", Epsilon, 1e-8),
            number("weight_decay", WeightDecay, 0.0),
        ],
        decays: "all but biases, nn.LayerNorm and parameters whose name contains layernorm, rmsnorm or norm; embeddings decay",
        checked: read(
            "transformers 5.23.0",
            "transformers/trainer.py, get_decay_parameter_names; transformers/trainer_optimizer.py; transformers/training_args.py",
        ),
        epsilon_before_correction: false,
        quirks: &[
            "the default λ is 0, although the default optimizer is torch.optim.AdamW, whose own default is 1e-2",
        ],
    },
    LibraryEntry {
        name: "megatron.adam",
        aliases: &["megatron_lm.adam", "Megatron-LM.adam"],
        optimizer: Optimizer::Adam,
        variants: &[
            Variant {
                switches: &[("decoupled_weight_decay", true)],
                convention: step(DecayRule::Decoupled),
                equation: "θ ← θ − γ_t λ θ, then Adam",
                call: "--optimizer adam --lr {lr} --adam-beta1 {adam_beta1} --adam-beta2 {adam_beta2} --adam-eps {adam_eps} --weight-decay {weight_decay}",
            },
            Variant {
                switches: &[("decoupled_weight_decay", false)],
                convention: step(DecayRule::CoupledL2),
                equation: "g ← g + λ θ, before the moments",
                call: "OptimizerConfig(optimizer='adam', lr={lr}, adam_beta1={adam_beta1}, adam_beta2={adam_beta2}, adam_eps={adam_eps}, weight_decay={weight_decay}, decoupled_weight_decay=False)",
            },
        ],
        keys: &[
            required("lr", LearningRate),
            number("adam_beta1", Beta1, 0.9),
            number("adam_beta2", Beta2, 0.999),
            number("adam_eps", Epsilon, 1e-8),
            number("weight_decay", WeightDecay, 0.01),
            switch("decoupled_weight_decay", Switch, true),
        ],
        decays: "all but 1-D tensors and biases; the norms of queries and keys decay with apply_wd_to_qk_layernorm",
        checked: read(
            "megatron-core 0.16.1",
            "megatron/core/optimizer/__init__.py; megatron/core/optimizer/optimizer_config.py; megatron/core/optimizer_param_scheduler.py, get_wd",
        ),
        epsilon_before_correction: false,
        quirks: &[
            "its documentation calls weight_decay an L2 coefficient; it is decoupled unless decoupled_weight_decay is off",
            "λ itself follows a schedule where start_weight_decay and end_weight_decay differ",
        ],
    },
    LibraryEntry {
        name: "mup.MuAdamW",
        aliases: &[],
        optimizer: Optimizer::Adam,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: "matrices: θ ← θ − (η_t/m)(mλ) θ = θ − η_t λ θ, then an update with η_t/m",
            call: "mup.MuAdamW(params, lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={weight_decay})",
        }],
        keys: &[
            required("lr", LearningRate),
            number("beta1", Beta1, 0.9),
            number("beta2", Beta2, 0.999),
            number("eps", Epsilon, 1e-8),
            number("weight_decay", WeightDecay, 0.0),
        ],
        decays: ALL_TENSORS,
        checked: read("microsoft/mup 0518b39", "mup/optim.py, MuAdam"),
        epsilon_before_correction: false,
        quirks: &[
            "with a width multiplier m the matrices get η/m and mλ: the shrink stays, the update does not, so λ in shares of the update grows with width",
            "the default λ is 0, not torch.AdamW's 1e-2",
        ],
    },
];
