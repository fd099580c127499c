//! What each convention says, and where.

use super::Convention;

impl Convention {
    /// What decays under it: one sentence.
    pub const fn statement(self) -> &'static str {
        match self {
            Convention::NanoGpt => {
                "Tensors with two axes or more decay, embeddings and positions among them; gains \
                 and biases do not."
            }
            Convention::HuggingFace4 => {
                "Everything decays but tensors with `bias` in their name and modules of the type \
                 nn.LayerNorm; an RMSNorm decays unless its class was registered as one."
            }
            Convention::HuggingFace5 => {
                "Everything decays but modules of the type nn.LayerNorm and names with `bias`, \
                 `layernorm`, `rmsnorm`, `norm` as a part or `_norm` at the end of a part; an \
                 RMSNorm called `norm1` or `ln_f` decays."
            }
            Convention::Olmo => {
                "Linear layers decay, the head among them; gains, biases and embeddings do not \
                 unless decay_norm_and_bias or decay_embeddings is set."
            }
            Convention::Olmo2 => {
                "Everything decays, gains and biases included, but the token embedding."
            }
            Convention::Levanter => {
                "Everything decays but LayerNorm, RMSNorm, embeddings of tokens and positions, and \
                 biases."
            }
            Convention::Megatron => {
                "Everything decays but tensors with one axis and biases; gains of queries and keys \
                 decay where apply_wd_to_qk_layernorm is set."
            }
            Convention::Timm => {
                "Everything decays but tensors with one axis or none, biases, and what the model \
                 lists: positions, class and register tokens, tables of relative positions."
            }
            Convention::Everything => "Every tensor decays, gains and biases included.",
        }
    }

    /// Where its source says so: repository, file and function.
    pub const fn source(self) -> &'static str {
        match self {
            Convention::NanoGpt => "karpathy/nanoGPT, model.py, configure_optimizers",
            Convention::HuggingFace4 => {
                "huggingface/transformers 4, src/transformers/trainer.py, \
                 get_decay_parameter_names; src/transformers/pytorch_utils.py, \
                 ALL_LAYERNORM_LAYERS"
            }
            Convention::HuggingFace5 => {
                "huggingface/transformers 5.24, src/transformers/trainer.py, \
                 get_decay_parameter_names"
            }
            Convention::Olmo => "allenai/OLMo, olmo/optim.py, get_param_groups",
            Convention::Olmo2 => {
                "allenai/OLMo-core, src/scripts/train/OLMo2, OptimGroupOverride of \
                 embeddings.weight"
            }
            Convention::Levanter => {
                "stanford-crfm/levanter, src/levanter/optim/config.py, build_weight_decay_mask"
            }
            Convention::Megatron => {
                "NVIDIA/Megatron-LM, megatron/core/optimizer/__init__.py, \
                 get_standard_config_overrides"
            }
            Convention::Timm => {
                "huggingface/pytorch-image-models, timm/optim/_param_groups.py, \
                 param_groups_weight_decay"
            }
            Convention::Everything => {
                "pytorch/torchtitan, torchtitan/components/optimizer.py; Lightning-AI/litgpt, \
                 litgpt/pretrain.py"
            }
        }
    }
}
