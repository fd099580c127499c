"""Reference convolutional networks in PyTorch: the engine's `CnnConfig` and `ResnetConfig`.

Modules carry the names of the engine's parameter paths, so `named_parameters()` has its paths, shapes and order. The
ResNet-18 is torchvision's with a choice of width; at width 64 `crates/nn/tests/golden/convolutional.py` checks names,
shapes and logits against torchvision itself where that is installed.

Images are NCHW here, as torch has them; the engine's are NHWC.
"""


import torch
import torch.nn.functional as F
from torch import nn


def norm(kind, channels):
    """Batch norm, group norm with the largest power of two up to 32 that leaves whole groups of 4 channels or more, or None."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    whole = [1] + [groups for groups in (2, 4, 8, 16, 32) if channels % groups == 0 and channels // groups >= 4]
    return nn.GroupNorm(whole[-1], channels) if kind == "group" else None


def convolution(inputs, outputs, side, stride=1, groups=1, bias=False):
    return nn.Conv2d(inputs, outputs, side, stride, side // 2, groups=groups, bias=bias)


class Block(nn.Module):
    """One block of the CNN: convolutions with norm and ReLU, then 2×2 pooling."""

    def __init__(self, inputs, outputs, config, first):
        super().__init__()
        self.pooling = config.get("pooling", "max")
        kind = config.get("norm", "batch")
        self.convolution = nn.ModuleList()
        self.norm = nn.ModuleList()
        for index in range(config.get("convolutions", 1)):
            groups = 1 if first and index == 0 else config.get("groups", 1)
            side = config.get("kernel", 3)
            self.convolution.append(convolution(inputs, outputs, side, 1, groups, kind == "none"))
            if kind != "none":
                self.norm.append(norm(kind, outputs))
            inputs = outputs

    def forward(self, x):
        for index, layer in enumerate(self.convolution):
            x = layer(x)
            x = F.relu(self.norm[index](x) if len(self.norm) else x)
        return F.max_pool2d(x, 2) if self.pooling == "max" else F.avg_pool2d(x, 2)


class Cnn(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.block = nn.ModuleList()
        inputs = config["image"]["channels"]
        for index, outputs in enumerate(config["channels"]):
            self.block.append(Block(inputs, outputs, config, index == 0))
            inputs = outputs
        self.head = nn.Linear(inputs, config["classes"])

    def forward(self, x):
        for block in self.block:
            x = block(x)
        return self.head(x.mean((2, 3)))


class PreActivationBlock(nn.Module):
    """x + conv(relu(norm(conv(relu(norm(x)))))) (He et al., 1603.05027), with a 1×1 convolution of relu(norm(x)) in
    x's place where the shape changes."""

    def __init__(self, inputs, outputs, stride, kind):
        super().__init__()
        self.bn1 = norm(kind, inputs)
        self.conv1 = convolution(inputs, outputs, 3, stride)
        self.bn2 = norm(kind, outputs)
        self.conv2 = convolution(outputs, outputs, 3)
        if stride > 1:
            self.downsample = nn.Sequential(convolution(inputs, outputs, 1, stride))

    def forward(self, x):
        normalised = F.relu(self.bn1(x))
        shortcut = self.downsample(normalised) if hasattr(self, "downsample") else x
        return self.conv2(F.relu(self.bn2(self.conv1(normalised)))) + shortcut


class PreActivationResnet(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, kind = config.get("width") or 16, config.get("norm", "batch")
        self.conv1 = convolution(config["image"]["channels"], width, 3)
        for stage in range(3):
            blocks = nn.Sequential()
            for block in range((config["depth"] - 2) // 6):
                shrinks = stage > 0 and block == 0
                inputs, width = width, width * 2 if shrinks else width
                blocks.append(PreActivationBlock(inputs, width, 2 if shrinks else 1, kind))
            setattr(self, f"layer{stage + 1}", blocks)
        self.bn1 = norm(kind, width)
        self.fc = nn.Linear(width, config["classes"])

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return self.fc(F.relu(self.bn1(x)).mean((2, 3)))


class BasicBlock(nn.Module):
    """torchvision's BasicBlock: relu(x + norm(conv(relu(norm(conv(x))))))."""

    def __init__(self, inputs, outputs, stride, kind):
        super().__init__()
        self.conv1 = convolution(inputs, outputs, 3, stride)
        self.bn1 = norm(kind, outputs)
        self.conv2 = convolution(outputs, outputs, 3)
        self.bn2 = norm(kind, outputs)
        if stride > 1:
            self.downsample = nn.Sequential(convolution(inputs, outputs, 1, stride), norm(kind, outputs))

    def forward(self, x):
        shortcut = self.downsample(x) if hasattr(self, "downsample") else x
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + shortcut)


class Resnet18(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, kind = config.get("width") or 64, config.get("norm", "batch")
        channels = config["image"]["channels"]
        self.large = config.get("stem", "small") == "large"
        self.conv1 = convolution(channels, width, 7, 2) if self.large else convolution(channels, width, 3)
        self.bn1 = norm(kind, width)
        for stage in range(4):
            blocks = nn.Sequential()
            for block in range(2):
                shrinks = stage > 0 and block == 0
                inputs, width = width, width * 2 if shrinks else width
                blocks.append(BasicBlock(inputs, width, 2 if shrinks else 1, kind))
            setattr(self, f"layer{stage + 1}", blocks)
        self.fc = nn.Linear(width, config["classes"])

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        if self.large:
            x = F.max_pool2d(x, 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def build(config):
    """The model of an engine configuration, a dictionary with its `kind`."""
    if config["kind"] == "cnn":
        return Cnn(config)
    return Resnet18(config) if config["depth"] == 18 else PreActivationResnet(config)


def loss(config, logits, first, second, share):
    """The engine's `ClassLoss` of mixed targets."""
    classes = config["classes"]
    share = share.to(logits.dtype)[:, None]
    target = share * F.one_hot(first, classes) + (1 - share) * F.one_hot(second, classes)
    kind = config.get("loss", {"kind": "cross_entropy"})
    if kind["kind"] == "mean_squared_error":
        return F.mse_loss(logits, target)
    return F.cross_entropy(logits, target, label_smoothing=kind.get("label_smoothing", 0.0))
