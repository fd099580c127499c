"""Checks `gpt.py` against transformers: the same weights must give the same loss and gradients, in f64.

    bench/peers/venv/bin/python bench/peers/check_gpt.py

GPT-2 covers LayerNorm, learned positions, tanh GELU, biases and the tied head; Llama covers RMSNorm, RoPE, SwiGLU and
biases without the norms'; Qwen 3 adds QK-norm and the untied head.
"""

import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

from gpt import Gpt, GptConfig

TOLERANCE = 1e-6  # transformers computes the tables of RoPE in f32 even in an f64 model
SIZES = dict(vocabulary=37, context=19, layers=2, width=24, heads=3)


def gpt2():
    config = GptConfig(**SIZES)
    peer = GPT2LMHeadModel(GPT2Config(
        vocab_size=config.vocabulary, n_positions=config.context, n_embd=config.width, n_layer=config.layers,
        n_head=config.heads, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        bos_token_id=None, eos_token_id=None,
    ))
    names = {
        "embedding.token.weight": ["transformer.wte.weight"],
        "embedding.position.weight": ["transformer.wpe.weight"],
        "final_norm.weight": ["transformer.ln_f.weight"],
        "final_norm.bias": ["transformer.ln_f.bias"],
    }
    for i in range(config.layers):
        for ours, theirs in (
            ("attention.norm", "ln_1"), ("attention.qkv", "attn.c_attn"), ("attention.projection", "attn.c_proj"),
            ("mlp.norm", "ln_2"), ("mlp.up", "mlp.c_fc"), ("mlp.down", "mlp.c_proj"),
        ):
            for part in ("weight", "bias"):
                names[f"block.{i}.{ours}.{part}"] = [f"transformer.h.{i}.{theirs}.{part}"]
    return config, peer, names, lambda name: "c_" in name and name.endswith("weight")  # Conv1D: [in, out]


def rotary(config, peer):
    names = {
        "embedding.token.weight": ["model.embed_tokens.weight"],
        "final_norm.weight": ["model.norm.weight"],
    }
    if not config.tied_head:
        names["head.weight"] = ["lm_head.weight"]
    for i in range(config.layers):
        ours, theirs = f"block.{i}", f"model.layers.{i}"
        names[f"{ours}.attention.norm.weight"] = [f"{theirs}.input_layernorm.weight"]
        names[f"{ours}.mlp.norm.weight"] = [f"{theirs}.post_attention_layernorm.weight"]
        if config.qk_norm:
            names[f"{ours}.attention.query_norm.weight"] = [f"{theirs}.self_attn.q_norm.weight"]
            names[f"{ours}.attention.key_norm.weight"] = [f"{theirs}.self_attn.k_norm.weight"]
        for part in ("weight", "bias") if config.bias else ("weight",):
            names[f"{ours}.attention.qkv.{part}"] = [f"{theirs}.self_attn.{letter}_proj.{part}" for letter in "qkv"]
            names[f"{ours}.attention.projection.{part}"] = [f"{theirs}.self_attn.o_proj.{part}"]
            for name in ("up", "gate", "down"):
                names[f"{ours}.mlp.{name}.{part}"] = [f"{theirs}.mlp.{name}_proj.{part}"]
    return config, peer, names, lambda name: False


def common(config):
    return dict(
        vocab_size=config.vocabulary, max_position_embeddings=config.context, hidden_size=config.width,
        num_hidden_layers=config.layers, num_attention_heads=config.heads, num_key_value_heads=config.heads,
        head_dim=config.head_dimension, intermediate_size=config.hidden, rms_norm_eps=config.norm_epsilon,
        rope_parameters={"rope_type": "default", "rope_theta": config.rope_base},
        tie_word_embeddings=config.tied_head, attention_bias=config.bias,
    )


def llama():
    config = GptConfig(**SIZES, norm="rmsnorm", position="rope", activation="swiglu")
    return rotary(config, LlamaForCausalLM(LlamaConfig(**common(config), mlp_bias=True)))


def qwen3():
    config = GptConfig(
        **SIZES, norm="rmsnorm", position="rope", activation="swiglu", mlp_width=40, rope_base=500.0,
        norm_epsilon=1e-6, tied_head=False, bias=False, qk_norm=True,
    )
    return rotary(config, Qwen3ForCausalLM(Qwen3Config(**common(config))))


def difference(config, peer, names, transposed):
    """Largest relative difference of the loss and of any gradient."""
    ours, peer = Gpt(config).double(), peer.double().train()
    theirs = dict(peer.named_parameters())
    parameters = ours.parameters_by_path()
    assert sorted(names) == sorted(parameters), sorted(set(names) ^ set(parameters))
    assert sorted(sum(names.values(), [])) == sorted(theirs), sorted(set(sum(names.values(), [])) ^ set(theirs))
    with torch.no_grad():
        for name, parameter in theirs.items():
            norm = "norm" in name or ".ln_" in name
            parameter.normal_(1.0 if norm and name.endswith("weight") else 0.0, 0.25)

    def joined(path, of):
        return torch.cat([of(theirs[name]).T if transposed(name) else of(theirs[name]) for name in names[path]])

    with torch.no_grad():
        for path, parameter in parameters.items():
            parameter.copy_(joined(path, lambda tensor: tensor))
    inputs, targets = torch.randint(config.vocabulary, (2, 3, config.context))
    loss = ours(inputs, targets)
    loss.backward()
    # Not `labels=`: transformers would shift them and, in its loss, cast the logits to f32.
    peer_loss = torch.nn.functional.cross_entropy(peer(input_ids=inputs).logits.flatten(0, 1), targets.flatten())
    peer_loss.backward()
    worst = abs(loss.item() / peer_loss.item() - 1)
    for path, parameter in parameters.items():
        expected = joined(path, lambda tensor: tensor.grad)
        worst = max(worst, ((parameter.grad - expected).norm() / expected.norm()).item())
    return worst


def main():
    torch.manual_seed(1)
    for peer in (gpt2, llama, qwen3):
        worst = difference(*peer())
        print(f"{peer.__name__}: largest relative difference of loss and gradients {worst:.1e}")
        if worst > TOLERANCE:
            raise SystemExit(f"{peer.__name__} differs by more than {TOLERANCE}")


if __name__ == "__main__":
    main()
