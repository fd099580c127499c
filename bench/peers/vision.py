"""The three classifiers of the benchmark, the same as `wd bench --shape cnn|resnet20|vit`: 3 × 32 × 32 images, 10 classes, batch 128."""

import torch
import torch.nn.functional as F
from torch import nn

from convolutional import build

BATCH = 128


class VitBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.qkv, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        images, tokens, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(images, tokens, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value)
        x = x + self.projection(mixed.transpose(1, 2).reshape(images, tokens, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Vit(nn.Module):
    """Patch 4, 6 layers of width 192 in 3 heads, a class token, learned positions, exact GELU."""

    def __init__(self, width=192, layers=6, heads=3, patch=4):
        super().__init__()
        self.patch = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(0.02 * torch.randn(1, 1 + (32 // patch) ** 2, width))
        self.blocks = nn.Sequential(*(VitBlock(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        patches = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), patches], 1) + self.position
        return self.head(self.norm(self.blocks(x))[:, 0])


IMAGES = {"image": {"channels": 3}, "classes": 10}
MODELS = {
    "cnn": lambda: build({"kind": "cnn", "channels": [64, 128, 256], **IMAGES}),
    "resnet20": lambda: build({"kind": "resnet", "depth": 20, **IMAGES}),
    "vit": Vit,
}
