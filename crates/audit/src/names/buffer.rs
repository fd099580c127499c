//! Which tensors of a model are no parameters.

use super::path::Path;
use crate::tensor::Tensor;

/// Tensors that modules keep beside their parameters, by the last part of their names.
const LEAVES: [&str; 33] = [
    "running_mean",
    "running_var",
    "num_batches_tracked",
    "masked_bias",
    "inv_freq",
    "original_inv_freq",
    "position_ids",
    "token_type_ids",
    "relative_position_index",
    "relative_coords_table",
    "relative_position_bucket",
    "attn_mask",
    "causal_mask",
    "freqs_cis",
    "freqs",
    "cos",
    "sin",
    "cos_cached",
    "sin_cached",
    "rope_cache",
    "anchors",
    "anchor_grid",
    "strides",
    "pixel_mean",
    "pixel_std",
    "betas",
    "alphas_cumprod",
    "sqrt_alphas_cumprod",
    "sqrt_one_minus_alphas_cumprod",
    "_float_tensor",
    "_extra_state",
    "tril",
    "mask",
];

/// Whether a tensor of a state dictionary is a buffer, which no optimizer updates.
pub fn is_buffer(name: &str, tensor: &Tensor) -> bool {
    let path = Path::new(name);
    let leaf = path.last();
    if !tensor.dtype().is_float() || LEAVES.contains(&leaf) {
        return true;
    }
    // GPT-2's causal mask is called `attn.bias` and has the axes 1 × 1 × context × context.
    leaf == "bias" && tensor.shape().len() == 4 && tensor.shape().starts_with(&[1, 1])
}
