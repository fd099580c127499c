"""Writes the golden convolutional networks: loss, gradients, running statistics and logits, by PyTorch in f64.

Run from anywhere with the Python environment of `bench/peers/setup.sh`:

    bench/peers/venv/bin/python crates/nn/tests/golden/convolutional.py

Parameters, images and running statistics are drawn as f32 numbers and only then widened. Each file of
`convolutional/` holds `param/<path>`, `grad/<path>`, `before/<path>` and `after/<path>` (f32; running statistics before
and after one training step), `images` (f32, NHWC), `first`, `second` (int32), `share` (f32), `loss_f64`, `logits_f64`
(in evaluation mode, with the statistics after the step), and the metadata `config`, a JSON object (`tests/support` reads it).

Where torchvision is installed, the reference ResNet-18 is compared with torchvision's first.
"""

import copy
import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[3] / "bench" / "peers"))

import convolutional  # noqa: E402

# Sizes leave remainders in every vector width and tile, and odd sides in strided layers.
MODELS = {
    "cnn": dict(
        kind="cnn", image=dict(channels=3, height=11, width=14), classes=5, channels=[7, 20],
        loss=dict(kind="cross_entropy", label_smoothing=0.1),
    ),
    "cnn-group-average": dict(
        kind="cnn", image=dict(channels=1, height=9, width=12), classes=4, channels=[8, 12], convolutions=2, kernel=5,
        groups=2, norm="group", pooling="average", loss=dict(kind="mean_squared_error"),
    ),
    "cnn-no-norm": dict(
        kind="cnn", image=dict(channels=2, height=8, width=8), classes=3, channels=[5, 33, 17], norm="none",
    ),
    "resnet20": dict(
        kind="resnet", image=dict(channels=3, height=13, width=12), classes=6, depth=20, width=3,
    ),
    "resnet8-group": dict(
        kind="resnet", image=dict(channels=3, height=10, width=7), classes=6, depth=8, width=6, norm="group",
    ),
    "resnet18-small-stem": dict(
        kind="resnet", image=dict(channels=3, height=18, width=17), classes=7, depth=18, width=2,
    ),
    "resnet18-large-stem": dict(
        kind="resnet", image=dict(channels=3, height=34, width=33), classes=7, depth=18, width=2, stem="large",
    ),
    # Its second layer is wide and even enough for Winograd's tiles.
    "cnn-wide": dict(
        kind="cnn", image=dict(channels=3, height=8, width=12), classes=5, channels=[32, 35],
    ),
}
BATCH = 10


def draw(path, shape, random):
    """Numbers which make every gradient matter. All f32."""
    normal = random.standard_normal(tuple(shape))
    if path.endswith("running_mean") or path.endswith("bias"):
        value = 0.2 * normal
    elif path.endswith("running_var"):
        value = 0.5 + random.random(tuple(shape))
    elif len(shape) == 1:
        value = 1.0 + 0.25 * normal
    else:
        value = normal * np.sqrt(2.0 / np.prod(shape[1:]))
    return value.astype(np.float32)


def statistics(model):
    return {path: buffer for path, buffer in model.named_buffers() if "num_batches" not in path}


def single_precision_error(model, config, tensors):
    """How far PyTorch's own f32 gradients are from its f64 ones: largest over tensors, relative to the norm.

    Where a ReLU's input or the difference of two pooled numbers is within rounding of zero, f32 and f64 differ by a
    whole path, and the example says nothing of either.
    """
    model = copy.deepcopy(model).float().train()
    with torch.no_grad():
        for path, buffer in statistics(model).items():
            buffer.copy_(torch.from_numpy(tensors[f"before/{path}"]))
    model.zero_grad()
    images = torch.from_numpy(tensors["images"]).permute(0, 3, 1, 2)
    first, second = (torch.from_numpy(tensors[key]).long() for key in ("first", "second"))
    convolutional.loss(config, model(images), first, second, torch.from_numpy(tensors["share"])).backward()
    worst = 0.0
    for path, parameter in model.named_parameters():
        exact = tensors[f"grad/{path}"]
        worst = max(worst, np.linalg.norm(parameter.grad.numpy() - exact) / np.linalg.norm(exact))
    return worst


def golden(name, index, config):
    for attempt in range(200):
        if write(name, 5150 + index + 100 * attempt, config):
            return
    raise AssertionError(f"{name}: no well-conditioned example")


def write(name, seed, config):
    """Writes the example of a seed, unless f32 is too coarse for it."""
    random = np.random.default_rng(seed)
    model = convolutional.build(config).double()
    tensors = {}
    with torch.no_grad():
        for path, parameter in model.named_parameters():
            tensors[f"param/{path}"] = draw(path, parameter.shape, random)
            parameter.copy_(torch.from_numpy(tensors[f"param/{path}"]))
        for path, buffer in statistics(model).items():
            tensors[f"before/{path}"] = draw(path, buffer.shape, random)
            buffer.copy_(torch.from_numpy(tensors[f"before/{path}"]))
    image = config["image"]
    shape = (BATCH, image["height"], image["width"], image["channels"])
    tensors["images"] = random.standard_normal(shape).astype(np.float32)
    tensors["first"] = random.integers(0, config["classes"], BATCH).astype(np.int32)
    tensors["second"] = random.integers(0, config["classes"], BATCH).astype(np.int32)
    tensors["share"] = np.where(np.arange(BATCH) < 3, 1.0, random.random(BATCH)).astype(np.float32)

    images = torch.from_numpy(tensors["images"]).double().permute(0, 3, 1, 2)
    first, second = (torch.from_numpy(tensors[key]).long() for key in ("first", "second"))
    loss = convolutional.loss(config, model(images), first, second, torch.from_numpy(tensors["share"]))
    loss.backward()
    for path, parameter in model.named_parameters():
        gradient = parameter.grad.numpy()
        assert np.isfinite(gradient).all() and np.sqrt(np.mean(gradient**2)) > 1e-6, f"{name}: {path} is trivial"
        tensors[f"grad/{path}"] = gradient.astype(np.float32)
    for path, buffer in statistics(model).items():
        tensors[f"after/{path}"] = buffer.numpy().astype(np.float32)
    model.eval()
    with torch.no_grad():
        tensors["logits_f64"] = model(images).numpy()
    tensors["loss_f64"] = np.array([loss.item()])
    error = single_precision_error(model, config, tensors)
    if error > 5e-6:
        return False
    file = HERE / "convolutional" / f"{name}.safetensors"
    save_file(tensors, file, metadata={"config": json.dumps(config)})
    size = file.stat().st_size
    assert size < 250_000, f"{file.name}: {size} bytes"
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(f"{file.name}: {parameters} parameters, {size} bytes, loss {loss.item():.6f}, f32 error {error:.1e}")
    return True


def compare_with_torchvision():
    try:
        import torchvision
    except ImportError:
        print("torchvision is not installed: the ResNet-18 is not compared with it")
        return
    torch.manual_seed(1)
    config = dict(kind="resnet", image=dict(channels=3), classes=1000, depth=18, stem="large")
    ours, theirs = convolutional.build(config).eval(), torchvision.models.resnet18().eval()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(2, 3, 96, 80)
    torch.testing.assert_close(ours(images), theirs(images))
    print(f"the reference ResNet-18 equals torchvision {torchvision.__version__}'s")


def main():
    torch.set_num_threads(1)
    compare_with_torchvision()
    for index, (name, config) in enumerate(MODELS.items()):
        golden(name, index, config)


if __name__ == "__main__":
    main()
