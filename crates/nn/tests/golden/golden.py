"""Writes the golden models of this folder: loss and gradients of tiny GPTs, by PyTorch autograd in f64.

Run from anywhere with the Python environment of `bench/peers/setup.sh`:

    bench/peers/venv/bin/python crates/nn/tests/golden/golden.py

Parameters are drawn as f32 numbers and only then widened, so the stored `param/…` are exactly those the f64 loss and
gradients belong to. Each file holds `param/<path>`, `grad/<path>` (f32, [out, in]), `inputs` and `targets` (int32
[sequences, context]), `loss` (f32 [1]), `loss_f64` (f64 [1]), and the metadata `config`, a JSON `GptConfig`.

The seven two-valued options stand in a covering array of six rows: every pair of options meets in all four
combinations of their values. Each option keeps GPT-2's value in the first row and in one pair of the other five, no
two options in the same pair.
"""

import itertools
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[3] / "bench" / "peers"))

from gpt import Gpt, GptConfig  # noqa: E402

# Sizes are chosen to leave remainders in every vector width and tile; `default` stands for an MLP of default width.
MODELS = {
    "gpt2": dict(
        sequences=3, vocabulary=37, context=13, layers=2, width=20, heads=2, mlp_width="default",
        norm="layernorm", position="learned", activation="gelu", tied_head=True, bias=True, qk_norm=False,
    ),
    "layernorm-learned-swiglu": dict(
        sequences=2, vocabulary=53, context=17, layers=2, width=21, heads=3, mlp_width=45,
        norm="layernorm", position="learned", activation="swiglu", tied_head=False, bias=False, qk_norm=False,
    ),
    "layernorm-rope-gelu": dict(
        sequences=2, vocabulary=40, context=70, layers=2, width=16, heads=2, mlp_width="default", rope_base=500.0,
        norm="layernorm", position="rope", activation="gelu", tied_head=False, bias=False, qk_norm=True,
    ),
    "rmsnorm-learned-gelu": dict(
        sequences=5, vocabulary=131, context=8, layers=1, width=24, heads=4, mlp_width=50, norm_epsilon=1e-6,
        norm="rmsnorm", position="learned", activation="gelu", tied_head=True, bias=False, qk_norm=True,
    ),
    "rmsnorm-rope-swiglu-tied": dict(
        sequences=2, vocabulary=61, context=33, layers=2, width=20, heads=1, mlp_width=50,
        norm="rmsnorm", position="rope", activation="swiglu", tied_head=True, bias=True, qk_norm=False,
    ),
    "rmsnorm-rope-swiglu-untied": dict(
        sequences=4, vocabulary=29, context=11, layers=3, width=18, heads=3, mlp_width="default",
        norm="rmsnorm", position="rope", activation="swiglu", tied_head=False, bias=True, qk_norm=True,
    ),
}

OPTIONS = ("norm", "position", "activation", "tied_head", "bias", "qk_norm", "default_mlp_width")


def assert_pairwise():
    """Fails unless every pair of options meets in all four combinations."""
    rows = [{**model, "default_mlp_width": model["mlp_width"] == "default"} for model in MODELS.values()]
    for one, other in itertools.combinations(OPTIONS, 2):
        seen = {(row[one], row[other]) for row in rows}
        assert len(seen) == 4, f"{one} × {other}: only {sorted(map(str, seen))}"


def draw_parameters(model, random):
    """Numbers which make every gradient matter: large weights, uneven gains, non-zero biases. All f32."""
    for path, parameter in model.parameters_by_path().items():
        normal = random.standard_normal(tuple(parameter.shape))
        if path.endswith("bias"):
            value = 0.1 * normal
        elif "norm." in path:
            value = 1.0 + 0.25 * normal
        elif path.startswith("embedding.position"):
            value = 0.15 * normal
        else:
            value = 0.25 * normal
        yield path, value.astype(np.float32)


def golden(name, index, options):
    options = dict(options)
    sequences = options.pop("sequences")
    if options["mlp_width"] == "default":
        options["mlp_width"] = None
    config = GptConfig(**options)
    random = np.random.default_rng(20260 + index)
    model = Gpt(config).double()
    values = dict(draw_parameters(model, random))
    with torch.no_grad():
        for path, parameter in model.parameters_by_path().items():
            parameter.copy_(torch.from_numpy(values[path]))
    shape = (sequences, config.context)
    inputs = random.integers(0, config.vocabulary, shape, dtype=np.int64)
    targets = random.integers(0, config.vocabulary, shape, dtype=np.int64)

    loss = model(torch.from_numpy(inputs), torch.from_numpy(targets))
    loss.backward()

    tensors = {f"param/{path}": value for path, value in values.items()}
    for path, parameter in model.parameters_by_path().items():
        gradient = parameter.grad.numpy()
        assert np.isfinite(gradient).all() and np.sqrt(np.mean(gradient**2)) > 1e-5, f"{name}: {path} is trivial"
        tensors[f"grad/{path}"] = gradient.astype(np.float32)
    tensors["inputs"] = inputs.astype(np.int32)
    tensors["targets"] = targets.astype(np.int32)
    tensors["loss"] = np.array([loss.item()], dtype=np.float32)
    tensors["loss_f64"] = np.array([loss.item()], dtype=np.float64)
    file = HERE / f"{name}.safetensors"
    save_file(tensors, file, metadata={"config": config.to_json()})
    size = file.stat().st_size
    assert size < 150_000, f"{file.name}: {size} bytes"
    parameters = sum(value.size for value in values.values())
    print(f"{file.name}: {parameters} parameters, {size} bytes, loss {loss.item():.6f}")


def main():
    assert_pairwise()
    torch.set_num_threads(1)
    for index, (name, options) in enumerate(MODELS.items()):
        golden(name, index, options)


if __name__ == "__main__":
    main()
