"""The tensors of a PyTorch model: what each is for, and under which names it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from weight_decay import _native
from weight_decay._errors import WeightDecayError


@dataclass(frozen=True)
class Tensor:
    """A parameter of a model.

    Attributes:
        name: Its name, as ``model.named_parameters()`` gives it.
        parameter: The parameter itself.
        kind: What it is for: matrix, convolution, embedding, position, head, norm, bias, special,
            adapter, flat or vector.
        aliases: Other names of the same parameter: it is tied.
    """

    name: str
    parameter: nn.Parameter
    kind: str
    aliases: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return tuple(self.parameter.shape)

    @property
    def role(self) -> str:
        """Its role among those that policies tell apart."""
        return _ROLES.get(self.kind, self.kind)


# What policies do not tell apart. A tensor that is none of their roles (a scale, A_log, a vector
# that no name explains) is to them like a learned token: no norm, no bias, and no matrix.
_ROLES = {
    "adapter": "matrix",
    "flat": "matrix",
    "special": "class_token",
    "vector": "class_token",
}

_CONVOLUTIONS = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
_NORMS = (
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
    nn.modules.batchnorm._NormBase,
)


def groups_of(optimizer: torch.optim.Optimizer) -> list[dict[str, Any]]:
    """Give the parameter groups of an optimizer.

    Raises:
        WeightDecayError: Something that has none.
    """
    if not _has_groups(optimizer):
        raise WeightDecayError(
            f"{type(optimizer).__name__} has no parameter groups, as an optimizer has",
            "give the model first, then the optimizer",
        )
    return optimizer.param_groups


def _has_groups(thing: Any) -> bool:
    return hasattr(thing, "param_groups")


def tensors(model: nn.Module) -> list[Tensor]:
    """List the parameters of a model, each once, with what it is for.

    The module that owns a parameter says what it is for where it can; its name and shape say the
    rest.
    """
    if not isinstance(model, nn.Module):
        help = "give the model first, then the optimizer" if _has_groups(model) else None
        raise WeightDecayError(f"{type(model).__name__} is no model of PyTorch", help)
    owners = {
        f"{path}.{name}" if path else name: module
        for path, module in model.named_modules(remove_duplicate=False)
        for name, _ in module.named_parameters(recurse=False, remove_duplicate=False)
    }
    aliases: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        aliases.setdefault(id(parameter), []).append(name)
    found = []
    for name, parameter in model.named_parameters():
        others = tuple(one for one in aliases[id(parameter)] if one != name)
        kind = _kind(name, parameter, owners.get(name))
        found.append(Tensor(name, parameter, kind, others))
    return found


def _kind(name: str, parameter: torch.Tensor, owner: nn.Module | None) -> str:
    by_name = _native.kind_of_name(plain(name), list(parameter.shape))
    if owner is None:
        return by_name
    own = name.rsplit(".", 1)[-1]
    # Adapters and tensors that models treat apart are known by name alone.
    if by_name in {"adapter", "special", "flat", "position"}:
        return by_name
    if isinstance(owner, _NORMS) or type(owner).__name__.lower().endswith("norm"):
        return "bias" if own.endswith("bias") else "norm"
    if own.endswith("bias") or own in {"in_proj_bias", "bias_ih_l0", "bias_hh_l0"}:
        return "bias"
    if isinstance(owner, nn.Embedding | nn.EmbeddingBag):
        return "embedding"
    if isinstance(owner, _CONVOLUTIONS) and parameter.dim() > 2:
        return "convolution"
    if isinstance(owner, nn.Linear) and by_name not in {"head", "matrix"}:
        return "matrix"
    return by_name


def plain(name: str) -> str:
    """Give a name without what wrappers put before it."""
    for before in ("_orig_mod.", "module.", "_fsdp_wrapped_module."):
        name = name.replace(before, "")
    return name
