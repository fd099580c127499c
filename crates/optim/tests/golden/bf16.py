"""Makes bf16.json: weights stored in bf16 and rounded to nearest, by PyTorch.

    python crates/optim/tests/golden/bf16.py

Needs PyTorch 2.15 (CPU) and numpy. Two things:

- `rounded`: f32 numbers by their bits, and the bits that `Tensor.bfloat16().float()` gives: ties, subnormal numbers, what
  overflows, infinities.
- `cases`: 100 steps on bf16 parameters with the start and the gradients of golden.py (the start rounded to bf16). The decay is
  PyTorch's own `param.mul_(1 - lr * weight_decay)` on a bf16 tensor, as in torch/optim/adamw.py and sgd.py with decoupled decay;
  the update is computed in f32 from moments in f32 and subtracted in f32 before the result is stored: `param.copy_(…)` rounds it.
  (torch.optim.AdamW itself would keep its moments in bf16 too.)
"""

import json
import math
import pathlib
import sys

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from golden import CHECKPOINTS, PEAK, STEPS, gradient, learning_rate, start  # noqa: E402

SHAPES = [(7, 5), (33,)]
BETAS = (0.9, 0.95)
EPS = 1e-8


def rounded():
    """Bits of f32 numbers with those of their nearest bf16 numbers."""
    corner = [
        0x00000000, 0x80000000, 0x3F808000, 0x3F818000, 0x3F808001, 0x3F807FFF, 0x7F7FFFFF, 0xFF7FFFFF, 0x7F7F8000, 0x7F7F7FFF,
        0x7F800000, 0xFF800000, 0x00000001, 0x00008000, 0x00018000, 0x00008001, 0x007FFFFF, 0x00800000,
    ]
    random = np.random.default_rng(20261130).integers(0, 1 << 32, size=400, dtype=np.uint64).astype(np.uint32)
    bits = np.concatenate([np.array(corner, dtype=np.uint32), random])
    numbers = bits.view(np.float32)
    bits, numbers = bits[~np.isnan(numbers)], numbers[~np.isnan(numbers)]
    found = torch.from_numpy(numbers.copy()).bfloat16().float().numpy().view(np.uint32)
    return [[int(given), int(nearest)] for given, nearest in zip(bits, found)]


def adamw(state, g, step, lr):
    beta1, beta2 = BETAS
    m, v = state.setdefault("m", torch.zeros_like(g)), state.setdefault("v", torch.zeros_like(g))
    m.lerp_(g, 1 - beta1)
    v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
    denominator = (v.sqrt() / math.sqrt(1 - beta2 ** (step + 1))).add_(EPS)
    return (lr / (1 - beta1 ** (step + 1))) * m / denominator


def sgd(state, g, step, lr):
    return np.float32(lr) * g


def lion(state, g, step, lr):
    m = state.setdefault("m", torch.zeros_like(g))
    u = torch.sign(np.float32(0.9) * m + np.float32(1 - 0.9) * g)
    state["m"] = np.float32(0.99) * m + np.float32(1 - 0.99) * g
    return np.float32(lr) * u


def run(update, weight_decay):
    params = [torch.from_numpy(start(math.prod(shape), seed)).bfloat16() for seed, shape in enumerate(SHAPES)]
    states = [{} for _ in params]
    weights = {}
    for step in range(STEPS):
        lr = learning_rate(step, PEAK)
        for seed, (param, state) in enumerate(zip(params, states)):
            g = torch.from_numpy(gradient(param.float().numpy(), step, seed))
            param.mul_(1 - lr * weight_decay)
            param.copy_(param.float() - update(state, g, step, lr))
        if step + 1 in CHECKPOINTS:
            flat = torch.cat([param.float() for param in params])
            weights[str(step + 1)] = [int(bits) for bits in flat.numpy().view(np.uint32)]
    return weights


def main():
    kinds = {"adamw": adamw, "sgd": sgd, "lion": lion}
    # At the peak, with λ = 0.05 a step takes 1e-3 off, which is lost; with λ = 1, 2e-2, which is not.
    cases = {f"{name}_{decay}": run(update, decay) for name, update in kinds.items() for decay in (0.05, 1.0)}
    for name in kinds:
        assert cases[f"{name}_0.05"] == run(kinds[name], 0.0), name
    out = {"torch": torch.__version__, "rounded": rounded(), "cases": cases}
    path = pathlib.Path(__file__).parent / "bf16.json"
    path.write_text(json.dumps(out, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
