"""Makes golden.json: 100 steps of each optimizer, by PyTorch where PyTorch has it.

    python crates/optim/tests/golden/golden.py

Needs PyTorch 2.15 (CPU) and numpy. Two tensors are trained in f32, a 7×5 matrix and a vector of 33. Neither their start nor their
gradients are stored, since both have a formula (`start` and `gradient` below, in f64, rounded to f32 at the end) that the Rust
test evaluates as well. A gradient depends on the parameters, so that an error in one step would show in all later ones.

PyTorch's Muon orthogonalises in bf16. Here its iteration is run in f64 (the same lines with another cast), since no other
implementation could agree with a bf16 one within 1e-6. Lion is not in PyTorch: `Lion` below is algorithm 2 of Chen et al.
2023 (arXiv 2302.06675) in numpy's f32.
"""

import json
import math
import pathlib

import numpy as np
import torch
import torch.optim._muon as torch_muon

STEPS = 100
CHECKPOINTS = (1, 10, 100)
PEAK = 0.02


def start(length, seed):
    index = np.arange(length, dtype=np.float64)
    return (0.5 * np.sin(1.3 * index + seed)).astype(np.float32)


def gradient(parameters, step, seed):
    index = np.arange(parameters.size, dtype=np.float64)
    pull = 0.5 + 0.1 * (index % 7)
    noise = 0.5 * np.sin(0.37 * (step + 1) + 1.7 * index + seed)
    return (pull * parameters.reshape(-1).astype(np.float64) + noise).astype(np.float32)


def learning_rate(step, peak):
    """Falls linearly to half."""
    return peak * (1.0 - step / (2.0 * STEPS))


def newton_schulz_f64(grad, ns_coefficients, ns_steps, eps):
    """torch.optim._muon._zeropower_via_newtonschulz with f64 in the place of bf16."""
    a, b, c = ns_coefficients
    x = grad.double()
    if grad.size(0) > grad.size(1):
        x = x.T
    x = x / x.norm().clamp(min=eps)
    for _ in range(ns_steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.T if grad.size(0) > grad.size(1) else x).to(grad.dtype)


torch_muon._zeropower_via_newtonschulz = newton_schulz_f64


class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr, betas, weight_decay):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    def step(self):
        for group in self.param_groups:
            beta1, beta2 = (np.float32(beta) for beta in group["betas"])
            for p in group["params"]:
                state = self.state[p]
                w, g = p.detach().numpy(), p.grad.numpy()
                m = state.get("m", np.zeros_like(w))
                u = np.sign(beta1 * m + np.float32(1 - group["betas"][0]) * g)
                w *= np.float32(1 - group["lr"] * group["weight_decay"])
                w -= np.float32(group["lr"]) * u
                state["m"] = beta2 * m + np.float32(1 - group["betas"][1]) * g


def run(make, shapes, clip=None, peak=PEAK):
    tensors = [
        torch.from_numpy(start(math.prod(shape), seed).reshape(shape)).requires_grad_() for seed, shape in enumerate(shapes)
    ]
    optimizers = make(tensors)
    weights = {}
    for step in range(STEPS):
        for seed, tensor in enumerate(tensors):
            tensor.grad = torch.from_numpy(gradient(tensor.detach().numpy(), step, seed).reshape(tensor.shape))
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(tensors, clip)
        for optimizer, ratio in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, peak) * ratio
            optimizer.step()
        if step + 1 in CHECKPOINTS:
            flat = torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
            # The shortest decimal that reads back as the same f32.
            weights[str(step + 1)] = [float(str(value)) for value in flat.numpy()]
    return weights


def main():
    pair = [(7, 5), (33,)]
    adam = {"betas": (0.9, 0.95), "eps": 1e-8, "foreach": False}

    def single(kind, **options):
        return lambda tensors: [(kind(tensors, lr=PEAK, **options), 1.0)]

    def muon(nesterov):
        def make(tensors):
            auxiliary = torch.optim.AdamW(tensors[1:], lr=PEAK, weight_decay=0.1, **adam)
            matrices = torch.optim.Muon(tensors[:1], lr=PEAK, weight_decay=0.1, momentum=0.95, nesterov=nesterov)
            return [(matrices, 1.0), (auxiliary, 0.25)]

        return make

    optim = torch.optim
    cases = {
        "adamw": (single(optim.AdamW, weight_decay=0.1, **adam), {}),
        "adamw_fused": (single(optim.AdamW, weight_decay=0.1, **{**adam, "foreach": None, "fused": True}), {}),
        "adamw_without_decay": (single(optim.AdamW, weight_decay=0.0, **adam), {}),
        "adamw_clipped": (single(optim.AdamW, weight_decay=0.1, **adam), {"clip": 1.0}),
        "adam_coupled": (single(optim.Adam, weight_decay=0.1, **adam), {}),
        "adam_coupled_clipped": (single(optim.Adam, weight_decay=0.1, **adam), {"clip": 1.0}),
        "sgd": (single(optim.SGD, weight_decay=0.1), {}),
        "sgd_without_decay": (single(optim.SGD), {}),
        "sgd_momentum": (single(optim.SGD, momentum=0.9, weight_decay=0.1), {}),
        "sgd_momentum_clipped": (single(optim.SGD, momentum=0.9, weight_decay=0.1), {"clip": 1.0}),
        "sgd_dampening": (single(optim.SGD, momentum=0.9, dampening=0.5, weight_decay=0.1), {}),
        "sgd_nesterov": (single(optim.SGD, momentum=0.9, nesterov=True, weight_decay=0.1), {}),
        "lion": (single(Lion, betas=(0.9, 0.99), weight_decay=0.1), {}),
        "muon": (muon(False), {}),
        "muon_nesterov": (muon(True), {}),
        "muon_wide": (muon(True), {"shapes": [(5, 7), (33,)]}),
    }
    golden = {"torch": torch.__version__, "steps": STEPS, "peak": PEAK, "cases": {}}
    for name, (make, options) in cases.items():
        shapes = options.pop("shapes", pair)
        golden["cases"][name] = {"shapes": [list(shape) for shape in shapes], "weights": run(make, shapes, **options)}
    text = json.dumps(golden, separators=(",", ":")).replace('"weights":', '\n"weights":')
    pathlib.Path(__file__).with_name("golden.json").write_text(text + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
