"""Norms and products of tensors, of those that are sharded too."""

from __future__ import annotations

import torch


def norm(tensor: torch.Tensor) -> torch.Tensor:
    """Give the norm of a whole tensor, of one that is sharded too."""
    dtype = torch.promote_types(tensor.dtype, torch.float32)
    found = torch.linalg.vector_norm(tensor.detach(), dtype=dtype)
    gather = getattr(found, "full_tensor", None)
    whole: torch.Tensor = found if gather is None else gather()
    return whole


def product(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """The sum of products, over all shards of what is sharded."""
    if hasattr(left, "full_tensor"):
        whole: torch.Tensor = (left.float() * right.float()).sum().full_tensor()  # type: ignore[attr-defined]
        return whole
    return torch.dot(left.float().reshape(-1), right.float().reshape(-1))
