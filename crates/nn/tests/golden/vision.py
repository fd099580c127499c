"""Writes the golden image classifiers of `vision/`: loss, gradients and logits by PyTorch autograd in f64.

The vision transformers are timm's own `VisionTransformer`; the MLPs are `torch.nn.Sequential`. Run from anywhere:

    pip install torch timm && python crates/nn/tests/golden/vision.py      # torch 2.15.0, timm 1.0.31 were used

Parameters are drawn as f32 numbers and only then widened. Each file holds `param/<path>`, `grad/<path>` (f32, our
paths, PyTorch's shapes but for timm's leading ones), `images` (f32 [image, row, column, channel]), `first`, `second`
(int32), `share` (f32), `logits` and `loss` (f64), and the metadata `config`, a JSON object (`tests/support` reads it).
"""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from timm.models.vision_transformer import VisionTransformer

HERE = Path(__file__).resolve().parent / "vision"
CROSS_ENTROPY = {"kind": "cross_entropy", "label_smoothing": 0.0}
SMOOTHED = {"kind": "cross_entropy", "label_smoothing": 0.1}
SQUARED = {"kind": "mean_squared_error"}


def image(channels, height, width):
    return {"channels": channels, "height": height, "width": width}


# Sizes leave remainders in every vector width; the last ViT has more tokens than a block of queries.
MODELS = {
    "vit-token": (5, {"kind": "vit", "image": image(3, 8, 12), "classes": 7, "patch": 4, "layers": 2, "width": 18,
                      "heads": 3, "mlp_width": 36, "pool": "token", "loss": SMOOTHED}),
    "vit-mean": (4, {"kind": "vit", "image": image(1, 12, 12), "classes": 10, "patch": 4, "layers": 3, "width": 20,
                     "heads": 2, "mlp_width": 50, "pool": "mean", "activation": "gelu-tanh", "qkv_bias": False,
                     "loss": SQUARED}),
    "vit-long": (2, {"kind": "vit", "image": image(2, 10, 10), "classes": 3, "patch": 1, "layers": 1, "width": 16,
                     "heads": 2, "mlp_width": 64, "pool": "token", "loss": CROSS_ENTROPY}),
    "mlp-relu": (6, {"kind": "mlp", "image": image(2, 5, 6), "classes": 10, "hidden": [37, 19], "activation": "relu",
                     "loss": CROSS_ENTROPY}),
    "mlp-gelu": (3, {"kind": "mlp", "image": image(1, 7, 7), "classes": 4, "hidden": [21], "activation": "gelu",
                     "loss": SMOOTHED}),
    "softmax-regression": (8, {"kind": "mlp", "image": image(3, 4, 4), "classes": 5, "hidden": [],
                               "loss": CROSS_ENTROPY}),
}


def vit(config):
    """timm's model, and our path of each of its tensors."""
    token = config["pool"] == "token"
    model = VisionTransformer(
        img_size=(config["image"]["height"], config["image"]["width"]),
        patch_size=config["patch"],
        in_chans=config["image"]["channels"],
        num_classes=config["classes"],
        embed_dim=config["width"],
        depth=config["layers"],
        num_heads=config["heads"],
        mlp_ratio=config["mlp_width"] / config["width"],
        qkv_bias=config.get("qkv_bias", True),
        class_token=token,
        global_pool="token" if token else "avg",
        fc_norm=False,
        act_layer="gelu_tanh" if config.get("activation") == "gelu-tanh" else "gelu",
    )
    parts = {"norm1": "attention.norm", "attn.qkv": "attention.qkv", "attn.proj": "attention.projection",
             "norm2": "mlp.norm", "mlp.fc1": "mlp.up", "mlp.fc2": "mlp.down"}
    whole = {"cls_token": "embedding.class_token", "pos_embed": "embedding.position.weight",
             "patch_embed.proj.weight": "embedding.patch.weight", "patch_embed.proj.bias": "embedding.patch.bias",
             "norm.weight": "final_norm.weight", "norm.bias": "final_norm.bias",
             "head.weight": "head.weight", "head.bias": "head.bias"}

    def path(name):
        if name in whole:
            return whole[name]
        _, block, rest = name.split(".", 2)
        part, kind = rest.rsplit(".", 1)
        return f"block.{block}.{parts[part]}.{kind}"

    return model, {path(name): parameter for name, parameter in model.named_parameters()}


def mlp(config):
    """Flatten, Linear and the activation in turn, Linear."""
    widths = [int(np.prod(list(config["image"].values()))), *config["hidden"], config["classes"]]
    activation = {"relu": torch.nn.ReLU, "gelu": torch.nn.GELU}[config.get("activation", "relu")]
    layers, paths = [torch.nn.Flatten()], {}
    for index, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        linear = torch.nn.Linear(inputs, outputs)
        last = index == len(config["hidden"])
        path = "head" if last else f"hidden.{index}"
        paths |= {f"{path}.weight": linear.weight, f"{path}.bias": linear.bias}
        layers += [linear] if last else [linear, activation()]
    return torch.nn.Sequential(*layers), paths


def draw(path, shape, random):
    """Numbers which make every gradient matter: large weights, uneven gains, non-zero biases. All f32."""
    normal = random.standard_normal(shape)
    if path.endswith("bias"):
        value = 0.1 * normal
    elif "norm." in path:
        value = 1.0 + 0.25 * normal
    else:
        value = 0.25 * normal
    return value.astype(np.float32)


def golden(name, index, images, config):
    random = np.random.default_rng(20261 + index)
    model, parameters = (vit if config["kind"] == "vit" else mlp)(config)
    model.double()
    tensors = {}
    with torch.no_grad():
        for path, parameter in parameters.items():
            value = draw(path, tuple(parameter.shape), random)
            parameter.copy_(torch.from_numpy(value))
            tensors[f"param/{path}"] = value
    shape = config["image"]
    pixels = random.standard_normal((images, shape["height"], shape["width"], shape["channels"])).astype(np.float32)
    first, second = random.integers(0, config["classes"], (2, images)).astype(np.int32)
    # Half of the images have one label.
    share = np.where(np.arange(images) % 2 == 0, 1.0, random.uniform(0, 1, images)).astype(np.float32)

    logits = model(torch.from_numpy(pixels).double().permute(0, 3, 1, 2))
    one_hot = torch.eye(config["classes"], dtype=torch.float64)
    weight = torch.from_numpy(share).double()[:, None]
    target = weight * one_hot[first] + (1 - weight) * one_hot[second]
    if config["loss"]["kind"] == "cross_entropy":
        loss = F.cross_entropy(logits, target, label_smoothing=config["loss"]["label_smoothing"])
    else:
        loss = F.mse_loss(logits, target)
    loss.backward()

    for path, parameter in parameters.items():
        gradient = parameter.grad.numpy()
        assert np.isfinite(gradient).all() and np.sqrt(np.mean(gradient**2)) > 1e-5, f"{name}: {path} is trivial"
        tensors[f"grad/{path}"] = gradient.astype(np.float32)
    for path in ["embedding.class_token", "embedding.position.weight"]:
        for kind in ["param", "grad"]:
            if f"{kind}/{path}" in tensors:
                tensors[f"{kind}/{path}"] = tensors[f"{kind}/{path}"][0]
    tensors |= {"images": pixels, "first": first, "second": second, "share": share,
                "logits": logits.detach().numpy(), "loss": np.array([loss.item()])}
    file = HERE / f"{name}.safetensors"
    save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, file,
              metadata={"config": json.dumps(config)})
    size = file.stat().st_size
    assert size < 150_000, f"{file.name}: {size} bytes"
    print(f"{file.name}: {size} bytes, loss {loss.item():.6f}")


def main():
    torch.set_num_threads(1)
    HERE.mkdir(exist_ok=True)
    for index, (name, (images, config)) in enumerate(MODELS.items()):
        golden(name, index, images, config)


if __name__ == "__main__":
    main()
