"""The two shapes of the benchmark, the same as `wd bench --shape`, and the layout of the AdamW benchmark."""

from gpt import GptConfig

# name → (sequences a step, model): LayerNorm, tanh GELU, tied head, learned positions, biases.
SHAPES = {
    "small": (16, GptConfig(vocabulary=4096, context=128, layers=4, width=192, heads=6)),
    "medium": (8, GptConfig(vocabulary=8192, context=256, layers=6, width=384, heads=6)),
}

# 50.1 M parameters in 100 tensors, cut as a GPT cuts them.
ADAMW_LAYOUT = GptConfig(vocabulary=16384, context=256, layers=8, width=640, heads=10)
