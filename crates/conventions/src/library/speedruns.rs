//! Training codes that are copied more than installed, read from their source.

use super::entry::{
    Checked, KeyMeaning::*, LibraryEntry, Method, Optimizer, Variant, cautious_step, number,
    required, step,
};
use wd_decay::DecayRule;

const fn read(version: &'static str, source: &'static str) -> Checked {
    Checked { version, method: Method::Source, source }
}

pub(super) const ENTRIES: &[LibraryEntry] = &[
    LibraryEntry {
        name: "nanochat.Muon",
        aliases: &[],
        optimizer: Optimizer::Muon,
        variants: &[Variant {
            switches: &[],
            convention: cautious_step(DecayRule::Decoupled),
            equation: "p ← p − lr_t (g + wd p·[g p ≥ 0])",
            call: "setup_optimizer(matrix_lr={lr}, weight_decay={weight_decay})",
        }],
        keys: &[required("lr", LearningRate), required("weight_decay", WeightDecay)],
        decays: "the matrices; what AdamW trains has groups of its own",
        checked: read(
            "karpathy/nanochat 0e4b3fa",
            "nanochat/optim.py, muon_step_fused and MuonAdamW._step_muon",
        ),
        epsilon_before_correction: false,
        quirks: &[
            "decay is cautious: only where the update and the weight agree in sign",
            "lr is first multiplied by √max(1, rows/columns), so that tall matrices decay faster",
            "base_train.py scales the typed λ by √(B/B_ref)·(D_ref/D) before it gets here",
        ],
    },
    LibraryEntry {
        name: "modded_nanogpt.NorMuon",
        aliases: &["modded-nanogpt.NorMuon"],
        optimizer: Optimizer::Muon,
        variants: &[Variant {
            switches: &[],
            convention: cautious_step(DecayRule::SquaredLearningRate),
            equation: "p ← p − lr_t g − lr_t² wd p·[g p ≥ 0]",
            call: "NorMuonAndAdam(lr={lr}, weight_decay={weight_decay})",
        }],
        keys: &[required("lr", LearningRate), required("weight_decay", WeightDecay)],
        decays: "the matrices of attention and MLP",
        checked: read(
            "KellerJordan/modded-nanogpt 93f0e6b",
            "train_gpt.py, NorMuonAndAdam._normuon_update",
        ),
        epsilon_before_correction: false,
        quirks: &[
            "λ is multiplied by the learning rate twice, once without and once with the tensor's lr_mul",
            "decay is cautious: only where the update and the weight agree in sign",
        ],
    },
    LibraryEntry {
        name: "llm_c.adamw",
        aliases: &["llm.c.adamw"],
        optimizer: Optimizer::Adam,
        variants: &[Variant {
            switches: &[],
            convention: step(DecayRule::Decoupled),
            equation: "param ← param − lr_t (m̂/(√v̂ + eps) + weight_decay param)",
            call: "./train_gpt2cu -l {lr} -c {weight_decay}",
        }],
        keys: &[
            required("lr", LearningRate),
            number("beta1", Beta1, 0.9),
            number("beta2", Beta2, 0.95),
            number("eps", Epsilon, 1e-8),
            required("weight_decay", WeightDecay),
        ],
        decays: "the 2-D tensors: both embeddings and the matrices of attention and MLP",
        checked: read(
            "karpathy/llm.c 046d001",
            "llmc/adamw.cuh, adamw_update; train_gpt2.cu, gpt2_update",
        ),
        epsilon_before_correction: false,
        quirks: &[
            "betas and eps are fixed: 0.9, 0.95, 1e-8",
            "the CPU program train_gpt2.c decays every tensor",
        ],
    },
];
