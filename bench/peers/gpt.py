"""A reference GPT in PyTorch with every option of the engine's `GptConfig`.

One path through the model, meant to be read. Modules carry the names of the engine's parameter paths, so that
`Gpt(config).parameters_by_path()` maps `block.0.attention.qkv.weight` and its like to tensors of the engine's shapes,
`[out, in]`, in the engine's layout order.

Shapes in the comments: B sequences, T context, C width, H heads, D = C/H head dimension, V vocabulary.
"""

import json
import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class GptConfig:
    """The shape of a model. Field names, values and defaults are those of the engine's configuration."""

    vocabulary: int
    context: int
    layers: int
    width: int
    heads: int
    mlp_width: int | None = None  # gelu: 4·width; swiglu: 8/3·width rounded up to a multiple of 8
    norm: str = "layernorm"  # or "rmsnorm", which never has a bias
    norm_epsilon: float = 1e-5
    position: str = "learned"  # or "rope"
    rope_base: float = 10000.0
    activation: str = "gelu"  # the tanh form, as in GPT-2; or "swiglu"
    tied_head: bool = True
    bias: bool = True  # of every linear map except an untied head, and of LayerNorm
    qk_norm: bool = False  # RMSNorm of each head's query and key, before the rotation
    dropout: float = 0.0
    init_std: float = 0.02

    def __post_init__(self):
        for value, choices in (
            (self.norm, ("layernorm", "rmsnorm")),
            (self.position, ("learned", "rope")),
            (self.activation, ("gelu", "swiglu")),
        ):
            if value not in choices:
                raise ValueError(f"{value!r} is none of {choices}")
        if self.width % self.heads != 0:
            raise ValueError(f"width {self.width} is no multiple of heads {self.heads}")
        if self.position == "rope" and self.head_dimension % 2 != 0:
            raise ValueError(f"RoPE rotates pairs: head dimension {self.head_dimension} is odd")

    @property
    def head_dimension(self):
        return self.width // self.heads

    @property
    def hidden(self):
        """Width of the MLP's hidden layer."""
        if self.mlp_width is not None:
            return self.mlp_width
        if self.activation == "gelu":
            return 4 * self.width
        return 8 * math.ceil(self.width / 3)

    def to_json(self):
        return json.dumps(asdict(self))


def make_norm(config):
    if config.norm == "layernorm":
        return nn.LayerNorm(config.width, eps=config.norm_epsilon, bias=config.bias)
    return nn.RMSNorm(config.width, eps=config.norm_epsilon)


def rotation(config, context, dtype, device):
    """Cosines and sines [T, D] of the angles t·base^(−2i/D), the D/2 angles repeated for the two halves.

    Computed in f64 and cast last, so that an f64 model is exact.
    """
    dimension = config.head_dimension
    exponents = torch.arange(0, dimension, 2, dtype=torch.float64, device=device) / dimension
    positions = torch.arange(context, dtype=torch.float64, device=device)
    angles = torch.outer(positions, config.rope_base**-exponents).repeat(1, 2)
    return angles.cos().to(dtype), angles.sin().to(dtype)


def rotate(x, cosine, sine):
    """Rotate-half, as Llama and GPT-NeoX in transformers: element i turns with element i + D/2."""
    first, second = x.chunk(2, dim=-1)
    return x * cosine + torch.cat((-second, first), dim=-1) * sine


class Embedding(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.token = nn.Embedding(config.vocabulary, config.width)
        if config.position == "learned":
            self.position = nn.Embedding(config.context, config.width)

    def forward(self, inputs):
        x = self.token(inputs)
        if hasattr(self, "position"):
            x = x + self.position.weight[: inputs.shape[1]]
        return x


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        width = config.width
        self.norm = make_norm(config)
        self.qkv = nn.Linear(width, 3 * width, bias=config.bias)
        if config.qk_norm:
            self.query_norm = nn.RMSNorm(config.head_dimension, eps=config.norm_epsilon)
            self.key_norm = nn.RMSNorm(config.head_dimension, eps=config.norm_epsilon)
        self.projection = nn.Linear(width, width, bias=config.bias)

    def forward(self, x, turn):
        sequences, context, width = x.shape
        heads = (sequences, context, self.config.heads, self.config.head_dimension)
        query, key, value = self.qkv(self.norm(x)).split(width, dim=-1)
        query, key, value = (part.view(heads).transpose(1, 2) for part in (query, key, value))  # [B, H, T, D]
        if self.config.qk_norm:
            query, key = self.query_norm(query), self.key_norm(key)
        if turn is not None:
            query, key = rotate(query, *turn), rotate(key, *turn)
        dropout = self.config.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True, dropout_p=dropout)
        mixed = mixed.transpose(1, 2).reshape(sequences, context, width)
        return F.dropout(self.projection(mixed), self.config.dropout, self.training)


class Mlp(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.norm = make_norm(config)
        self.up = nn.Linear(config.width, config.hidden, bias=config.bias)
        if config.activation == "swiglu":
            self.gate = nn.Linear(config.width, config.hidden, bias=config.bias)
        self.down = nn.Linear(config.hidden, config.width, bias=config.bias)

    def forward(self, x):
        x = self.norm(x)
        if self.config.activation == "swiglu":
            hidden = F.silu(self.gate(x)) * self.up(x)
        else:
            hidden = F.gelu(self.up(x), approximate="tanh")
        return F.dropout(self.down(hidden), self.config.dropout, self.training)


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attention = Attention(config)
        self.mlp = Mlp(config)

    def forward(self, x, turn):
        x = x + self.attention(x, turn)
        return x + self.mlp(x)


class Gpt(nn.Module):
    """Pre-norm decoder. `forward(inputs [B, T], targets [B, T])` is the mean cross-entropy in nats per token."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embedding = Embedding(config)
        self.block = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.final_norm = make_norm(config)
        if not config.tied_head:
            self.head = nn.Linear(config.width, config.vocabulary, bias=False)
        self.initialize()

    @torch.no_grad()
    def initialize(self):
        """nanoGPT's initialisation: N(0, init_std), residual projections 1/√(2·layers) of it; biases 0, gains 1."""
        residual_std = self.config.init_std / math.sqrt(2 * self.config.layers)
        for path, parameter in self.named_parameters():
            if path.endswith("bias"):
                parameter.zero_()
            elif "norm." in path:
                parameter.fill_(1.0)
            elif path.endswith(("attention.projection.weight", "mlp.down.weight")):
                parameter.normal_(0.0, residual_std)
            else:
                parameter.normal_(0.0, self.config.init_std)

    def parameters_by_path(self):
        """Every parameter under the engine's path, in the engine's layout order."""
        return dict(self.named_parameters())

    def logits(self, inputs):
        """[B, T] tokens → [B, T, V]."""
        x = F.dropout(self.embedding(inputs), self.config.dropout, self.training)
        turn = None
        if self.config.position == "rope":
            turn = rotation(self.config, inputs.shape[1], x.dtype, x.device)
        for block in self.block:
            x = block(x, turn)
        head = self.embedding.token if self.config.tied_head else self.head
        return F.linear(self.final_norm(x), head.weight)

    def forward(self, inputs, targets):
        return F.cross_entropy(self.logits(inputs).flatten(0, 1), targets.flatten())
