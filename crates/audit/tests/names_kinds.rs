//! Kinds of tensors by the names that well-known models give them.

use wd_audit::bytes::Bytes;
use wd_audit::names::Kind::{self, *};
use wd_audit::names::{is_buffer, without_wrappers};
use wd_audit::tensor::{Dtype, Tensor};

/// Names with shapes and kinds.
type Names = &'static [(&'static str, &'static [usize], Kind)];

/// The model, and its names.
const TABLE: &[(&str, Names)] = &[
    (
        "GPT-2 (nanoGPT, Hugging Face)",
        &[
            ("transformer.wte.weight", &[50257, 768], Embedding),
            ("transformer.wpe.weight", &[1024, 768], Position),
            ("transformer.h.0.ln_1.weight", &[768], Norm),
            ("transformer.h.0.ln_1.bias", &[768], Bias),
            ("transformer.h.0.attn.c_attn.weight", &[768, 2304], Matrix),
            ("transformer.h.0.attn.c_attn.bias", &[2304], Bias),
            ("transformer.h.0.attn.c_proj.weight", &[768, 768], Matrix),
            ("transformer.h.11.mlp.c_fc.weight", &[768, 3072], Matrix),
            ("transformer.h.11.ln_2.weight", &[768], Norm),
            ("transformer.ln_f.weight", &[768], Norm),
            ("lm_head.weight", &[50257, 768], Head),
            ("wte.weight", &[50257, 768], Embedding),
            ("model/h0/ln_1/g", &[768], Norm),
            ("model/h0/ln_1/b", &[768], Bias),
        ],
    ),
    (
        "Llama, Qwen, Gemma",
        &[
            ("model.embed_tokens.weight", &[32000, 4096], Embedding),
            ("model.layers.0.self_attn.q_proj.weight", &[4096, 4096], Matrix),
            ("model.layers.0.self_attn.q_proj.bias", &[4096], Bias),
            ("model.layers.0.self_attn.q_norm.weight", &[128], Norm),
            ("model.layers.0.self_attn.k_norm.weight", &[128], Norm),
            ("model.layers.0.mlp.gate_proj.weight", &[11008, 4096], Matrix),
            ("model.layers.0.mlp.down_proj.weight", &[4096, 11008], Matrix),
            ("model.layers.31.input_layernorm.weight", &[4096], Norm),
            ("model.layers.31.post_attention_layernorm.weight", &[4096], Norm),
            ("model.layers.31.pre_feedforward_layernorm.weight", &[4096], Norm),
            ("model.norm.weight", &[4096], Norm),
            ("tok_embeddings.weight", &[32000, 4096], Embedding),
            ("layers.0.attention.wq.weight", &[4096, 4096], Matrix),
            ("layers.0.attention_norm.weight", &[4096], Norm),
            ("layers.0.ffn_norm.weight", &[4096], Norm),
            ("layers.0.feed_forward.w1.weight", &[11008, 4096], Matrix),
            ("norm.weight", &[4096], Norm),
            ("output.weight", &[32000, 4096], Head),
            ("model.embed_tokens_per_layer.weight", &[262144, 8960], Embedding),
            ("model.layers.0.layer_scalar", &[1], Special),
            ("model.layers.0.self_attn.sinks", &[64], Special),
        ],
    ),
    (
        "Mixtral, DeepSeek, gpt-oss",
        &[
            ("model.layers.0.block_sparse_moe.gate.weight", &[8, 4096], Matrix),
            ("model.layers.0.block_sparse_moe.experts.7.w1.weight", &[14336, 4096], Matrix),
            ("model.layers.0.mlp.experts.gate_up_proj", &[32, 2880, 5760], Matrix),
            ("model.layers.0.mlp.experts.gate_up_proj_bias", &[32, 5760], Bias),
            ("model.layers.3.mlp.gate.e_score_correction_bias", &[256], Special),
            ("model.layers.3.self_attn.kv_a_layernorm.weight", &[512], Norm),
        ],
    ),
    (
        "OLMo",
        &[
            ("transformer.wte.weight", &[50304, 4096], Embedding),
            ("transformer.blocks.0.att_proj.weight", &[12288, 4096], Matrix),
            ("transformer.blocks.0.q_norm.weight", &[4096], Norm),
            ("transformer.blocks.0.ff_norm.weight", &[4096], Norm),
            ("transformer.ff_out.weight", &[50304, 4096], Head),
            ("transformer.blocks.0.ff_out.weight", &[4096, 11008], Matrix),
            ("embeddings.weight", &[100352, 4096], Embedding),
            ("blocks.0.attention.w_q.weight", &[4096, 4096], Matrix),
            ("blocks.0.feed_forward_norm.weight", &[4096], Norm),
            ("lm_head.norm.weight", &[4096], Norm),
            ("lm_head.w_out.weight", &[100352, 4096], Head),
        ],
    ),
    (
        "T5",
        &[
            ("shared.weight", &[32128, 512], Embedding),
            ("encoder.embed_tokens.weight", &[32128, 512], Embedding),
            ("encoder.block.0.layer.0.SelfAttention.q.weight", &[512, 512], Matrix),
            (
                "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
                &[32, 8],
                Position,
            ),
            ("encoder.block.0.layer.0.layer_norm.weight", &[512], Norm),
            ("decoder.block.5.layer.2.DenseReluDense.wi_0.weight", &[1024, 512], Matrix),
            ("decoder.final_layer_norm.weight", &[512], Norm),
        ],
    ),
    (
        "BERT, RoBERTa",
        &[
            ("bert.embeddings.word_embeddings.weight", &[30522, 768], Embedding),
            ("bert.embeddings.position_embeddings.weight", &[512, 768], Position),
            ("bert.embeddings.token_type_embeddings.weight", &[2, 768], Embedding),
            ("bert.embeddings.LayerNorm.weight", &[768], Norm),
            ("bert.embeddings.LayerNorm.gamma", &[768], Norm),
            ("bert.embeddings.LayerNorm.beta", &[768], Bias),
            ("bert.encoder.layer.0.attention.self.query.weight", &[768, 768], Matrix),
            ("bert.encoder.layer.0.attention.output.dense.weight", &[768, 768], Matrix),
            ("bert.encoder.layer.0.output.LayerNorm.bias", &[768], Bias),
            ("bert.pooler.dense.weight", &[768, 768], Matrix),
            ("cls.predictions.bias", &[30522], Bias),
            ("cls.predictions.transform.dense.weight", &[768, 768], Matrix),
            ("cls.predictions.transform.LayerNorm.weight", &[768], Norm),
            ("cls.predictions.decoder.weight", &[30522, 768], Head),
            ("cls.seq_relationship.weight", &[2, 768], Head),
            ("classifier.weight", &[2, 768], Head),
            ("qa_outputs.weight", &[2, 768], Head),
        ],
    ),
    (
        "ViT and DeiT (timm), DINOv2, Swin",
        &[
            ("cls_token", &[1, 1, 768], Special),
            ("reg_token", &[1, 4, 768], Special),
            ("dist_token", &[1, 1, 768], Special),
            ("pos_embed", &[1, 197, 768], Position),
            ("patch_embed.proj.weight", &[768, 3, 16, 16], Convolution),
            ("patch_embed.proj.bias", &[768], Bias),
            ("blocks.0.norm1.weight", &[768], Norm),
            ("blocks.0.attn.qkv.weight", &[2304, 768], Matrix),
            ("blocks.0.attn.q_norm.weight", &[64], Norm),
            ("blocks.0.attn.q_bias", &[768], Bias),
            ("blocks.0.ls1.gamma", &[768], Special),
            ("blocks.0.gamma_1", &[768], Special),
            ("blocks.0.mlp.fc1.weight", &[3072, 768], Matrix),
            ("norm.weight", &[768], Norm),
            ("fc_norm.weight", &[768], Norm),
            ("head.weight", &[1000, 768], Head),
            ("head.bias", &[1000], Bias),
            ("head_dist.weight", &[1000, 768], Head),
            ("encoder.layer.0.layer_scale1.lambda1", &[768], Special),
            ("embeddings.mask_token", &[1, 768], Special),
            ("layers.0.blocks.0.attn.relative_position_bias_table", &[169, 3], Position),
            ("layers.0.blocks.0.attn.logit_scale", &[3, 1, 1], Special),
            ("absolute_pos_embed", &[1, 3136, 96], Position),
        ],
    ),
    (
        "ConvNeXt (timm)",
        &[
            ("stem.0.weight", &[96, 3, 4, 4], Convolution),
            ("stem.1.weight", &[96], Norm),
            ("stages.0.blocks.0.gamma", &[96], Special),
            ("stages.0.blocks.0.conv_dw.weight", &[96, 1, 7, 7], Convolution),
            ("stages.0.blocks.0.norm.weight", &[96], Norm),
            ("stages.0.blocks.0.mlp.fc1.weight", &[384, 96], Matrix),
            ("stages.1.downsample.0.weight", &[96], Norm),
            ("head.norm.weight", &[768], Norm),
            ("head.fc.weight", &[1000, 768], Head),
        ],
    ),
    (
        "ResNet (torchvision), VGG",
        &[
            ("conv1.weight", &[64, 3, 7, 7], Convolution),
            ("bn1.weight", &[64], Norm),
            ("bn1.bias", &[64], Bias),
            ("layer1.0.conv1.weight", &[64, 64, 1, 1], Convolution),
            ("layer1.0.bn2.weight", &[64], Norm),
            ("layer1.0.downsample.0.weight", &[256, 64, 1, 1], Convolution),
            ("layer1.0.downsample.1.weight", &[256], Norm),
            ("layer1.0.downsample.1.bias", &[256], Bias),
            ("fc.weight", &[1000, 2048], Head),
            ("fc.bias", &[1000], Bias),
            ("classifier.6.weight", &[1000, 4096], Head),
        ],
    ),
    (
        "Mamba, RWKV",
        &[
            ("backbone.embedding.weight", &[50280, 768], Embedding),
            ("backbone.layers.0.norm.weight", &[768], Norm),
            ("backbone.layers.0.mixer.A_log", &[1536, 16], Special),
            ("backbone.layers.0.mixer.D", &[1536], Special),
            ("backbone.layers.0.mixer.dt_bias", &[24], Special),
            ("backbone.layers.0.mixer.dt_proj.bias", &[1536], Bias),
            ("backbone.layers.0.mixer.conv1d.weight", &[1536, 1, 4], Convolution),
            ("backbone.layers.0.mixer.in_proj.weight", &[3072, 768], Matrix),
            ("backbone.norm_f.weight", &[768], Norm),
            ("blocks.0.att.time_decay", &[768], Special),
            ("blocks.0.att.time_mix_k", &[1, 1, 768], Special),
            ("blocks.0.ln0.weight", &[768], Norm),
        ],
    ),
    (
        "CLIP, SigLIP, open_clip",
        &[
            ("logit_scale", &[], Special),
            ("logit_bias", &[], Special),
            ("text_model.embeddings.token_embedding.weight", &[49408, 512], Embedding),
            ("text_model.embeddings.position_embedding.weight", &[77, 512], Position),
            ("vision_model.embeddings.class_embedding", &[768], Special),
            ("vision_model.embeddings.patch_embedding.weight", &[768, 3, 32, 32], Convolution),
            ("vision_model.pre_layrnorm.weight", &[768], Norm),
            ("visual.ln_pre.weight", &[768], Norm),
            ("visual.positional_embedding", &[50, 768], Position),
            ("visual.proj", &[768, 512], Matrix),
            ("transformer.resblocks.0.attn.in_proj_weight", &[1536, 512], Matrix),
            ("transformer.resblocks.0.attn.in_proj_bias", &[1536], Bias),
            ("ln_final.weight", &[512], Norm),
            ("text_projection", &[512, 512], Matrix),
        ],
    ),
    (
        "Stable Diffusion's U-Net, DiT",
        &[
            ("time_embedding.linear_1.weight", &[1280, 320], Matrix),
            ("down_blocks.0.resnets.0.norm1.weight", &[320], Norm),
            ("down_blocks.0.resnets.0.conv1.weight", &[320, 320, 3, 3], Convolution),
            ("down_blocks.0.resnets.0.time_emb_proj.weight", &[320, 1280], Matrix),
            ("mid_block.attentions.0.norm.weight", &[1280], Norm),
            ("down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0.bias", &[320], Bias),
            (
                "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight",
                &[320, 320],
                Matrix,
            ),
            ("transformer_blocks.0.norm1.linear.weight", &[6912, 1152], Matrix),
            ("transformer_blocks.0.scale_shift_table", &[6, 1152], Special),
            ("conv_norm_out.weight", &[320], Norm),
            ("conv_out.weight", &[4, 320, 3, 3], Convolution),
        ],
    ),
    (
        "YOLOv8",
        &[
            ("model.0.conv.weight", &[16, 3, 3, 3], Convolution),
            ("model.0.bn.weight", &[16], Norm),
            ("model.0.bn.bias", &[16], Bias),
            ("model.22.cv3.0.2.weight", &[80, 80, 1, 1], Convolution),
            ("model.22.cv3.0.2.bias", &[80], Bias),
            ("model.22.dfl.conv.weight", &[1, 16, 1, 1], Convolution),
        ],
    ),
    (
        "LoRA (peft, kohya)",
        &[
            (
                "base_model.model.model.layers.0.self_attn.q_proj.lora_A.default.weight",
                &[8, 4096],
                Adapter,
            ),
            ("base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight", &[4096, 8], Adapter),
            (
                "base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector.weight",
                &[4096],
                Adapter,
            ),
            ("base_model.model.model.embed_tokens.lora_embedding_A", &[8, 32000], Adapter),
            ("lora_unet_mid_block_attentions_0_proj_in.lora_down.weight", &[4, 1280], Adapter),
            ("base_model.model.model.layers.0.self_attn.q_proj.base_layer.weight", &[8, 8], Matrix),
        ],
    ),
    (
        "Megatron, GPT-NeoX, LSTM, others",
        &[
            ("embedding.word_embeddings.weight", &[50304, 1024], Embedding),
            ("embedding.position_embeddings.weight", &[1024, 1024], Position),
            ("decoder.layers.self_attention.linear_qkv.layer_norm_weight", &[24, 1024], Norm),
            ("decoder.layers.0.self_attention.linear_qkv.layer_norm_bias", &[1024], Bias),
            ("decoder.layers.0.mlp.linear_fc1.weight", &[4096, 1024], Matrix),
            ("decoder.layers.0.self_attention.q_layernorm.weight", &[64], Norm),
            ("output_layer.weight", &[50304, 1024], Head),
            ("gpt_neox.embed_in.weight", &[50304, 512], Embedding),
            ("embed_out.weight", &[50304, 512], Head),
            ("lstm.weight_ih_l0", &[1024, 40], Matrix),
            ("lstm.bias_hh_l2", &[1024], Bias),
            ("prelu1.weight", &[10], Vector),
            ("_fsdp_wrapped_module._flat_param", &[81920], Flat),
            ("resid_lambdas", &[12], Special),
            ("value_embeds.3.weight", &[50304, 768], Embedding),
            ("conv.parametrizations.weight.original0", &[64, 1, 1], Norm),
            ("score.weight", &[2, 4096], Head),
            ("perceiver.layers.0.attn_gate", &[1], Special),
        ],
    ),
];

#[test]
fn names_of_well_known_models_have_their_kinds() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (model, names) in TABLE {
        for (name, shape, kind) in *names {
            count += 1;
            let found = Kind::of(name, shape);
            if found != *kind {
                wrong.push(format!("{model}: {name} is {kind}, not {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 120, "only {count} names");
}

fn tensor(shape: &[usize], dtype: Dtype) -> Tensor {
    let bytes = shape.iter().product::<usize>() * dtype.size();
    Tensor::contiguous(Bytes::from(vec![0; bytes]), dtype, shape.to_vec()).unwrap()
}

#[test]
fn buffers_are_no_parameters() {
    let float = |name: &str, shape: &[usize]| is_buffer(name, &tensor(shape, Dtype::Float32));
    assert!(float("bn1.running_mean", &[4]));
    assert!(float("transformer.h.0.attn.bias", &[1, 1, 8, 8]));
    assert!(float("model.layers.0.self_attn.rotary_emb.inv_freq", &[4]));
    assert!(is_buffer("bn1.num_batches_tracked", &tensor(&[], Dtype::Int64)));
    assert!(is_buffer("embeddings.position_ids", &tensor(&[1, 8], Dtype::Int64)));
    assert!(!float("transformer.h.0.attn.c_attn.bias", &[24]));
    assert!(!float("pos_embed", &[1, 5, 4]));
}

#[test]
fn wrappers_leave_no_trace() {
    for name in [
        "module.fc.weight",
        "_orig_mod.fc.weight",
        "module._orig_mod.fc.weight",
        "_fsdp_wrapped_module.fc._checkpoint_wrapped_module.weight",
    ] {
        assert_eq!(without_wrappers(name), "fc.weight");
    }
    // A module that its author called `module` further in is no wrapper.
    assert_eq!(without_wrappers("encoder.module.weight"), "encoder.module.weight");
}
