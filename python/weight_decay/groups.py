"""Which tensors decay: parameter groups, and a table of what an optimizer was given."""

from __future__ import annotations

import fnmatch
import html as _html
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from weight_decay import _native
from weight_decay._errors import WeightDecayError
from weight_decay._rows import Rows
from weight_decay.tensors import Tensor, groups_of, tensors

logger = logging.getLogger("weight_decay")

#: The policies that :func:`param_groups` knows.
POLICIES: tuple[str, ...] = tuple(_native.policies())


def param_groups(
    model: nn.Module,
    weight_decay: float = 0.1,
    policy: str = "nanogpt",
    overrides: Mapping[str, float] | None = None,
    no_decay: Sequence[str] = (),
    **options: Any,
) -> list[dict[str, Any]]:
    """Make parameter groups for any optimizer: who decays, and with which λ.

    Args:
        model: The model. Frozen parameters are left out; a tied one stands once.
        weight_decay: λ of the tensors that decay.
        policy: Who decays. ``"nanogpt"``: tensors of two or more dimensions; ``"hf"``: all but
            norms and biases; ``"timm"``: of two or more dimensions but no positions and class
            tokens, nor what ``model.no_weight_decay()`` lists; ``"olmo"``: all but embeddings;
            ``"matrices"``: hidden matrices, convolutions and the head; ``"everything"``.
        overrides: Patterns of names with a λ of their own; the last that matches wins. ``*`` stands
            for any characters, dots included.
        no_decay: Patterns of names that do not decay, whatever else is said.
        **options: Put into every group, for example ``lr=3e-4``.

    Returns:
        A group for each λ, the largest first, with ``params``, ``param_names`` and
        ``weight_decay``.

    Raises:
        WeightDecayError: An unknown policy, a λ below 0, or a pattern that matches no tensor.

    Examples:
        >>> import torch, weight_decay as wd
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.LayerNorm(8))
        >>> groups = wd.param_groups(model, weight_decay=0.1)
        >>> [(group["weight_decay"], group["param_names"]) for group in groups]
        [(0.1, ['0.weight']), (0.0, ['0.bias', '1.weight', '1.bias'])]
        >>> optimizer = torch.optim.AdamW(groups, lr=3e-4)
    """
    trained = [one for one in tensors(model) if one.parameter.requires_grad]
    if not trained:
        raise WeightDecayError("the model has no parameter that is trained")
    chosen = choices(model, trained, weight_decay, policy, overrides, no_decay)
    groups: dict[float, dict[str, Any]] = {}
    for tensor, (value, _) in zip(trained, chosen, strict=True):
        group = groups.setdefault(
            value, {"params": [], "param_names": [], "weight_decay": value, **options}
        )
        group["params"].append(tensor.parameter)
        group["param_names"].append(tensor.name)
    for group in groups.values():
        count = sum(one.numel() for one in group["params"])
        logger.info(
            "weight decay %g: %d tensors, %d parameters",
            group["weight_decay"],
            len(group["params"]),
            count,
        )
    return [groups[value] for value in sorted(groups, reverse=True)]


def choices(
    model: nn.Module,
    of: Sequence[Tensor],
    weight_decay: float,
    policy: str,
    overrides: Mapping[str, float] | None = None,
    no_decay: Sequence[str] = (),
) -> list[tuple[float, str]]:
    """Give λ of each tensor, and the reason."""
    described = [(one.name, list(one.shape), one.role) for one in of]
    patterns = list((overrides or {}).items())
    patterns += [(pattern, 0.0) for pattern in no_decay]
    chosen = _native.choose(weight_decay, policy, patterns, described)
    listed: set[str] = set()
    named: Any = getattr(model, "no_weight_decay", None)
    if policy in {"timm", "deit"} and named is not None:
        listed.update(str(name) for name in named())
    reasons = []
    for tensor, (value, reason) in zip(of, chosen, strict=True):
        is_override = reason.startswith("override")
        if tensor.name in listed and not is_override:
            reasons.append((0.0, "the model lists it in no_weight_decay()"))
        elif tensor.role != tensor.kind:
            reasons.append((value, reason.replace(_WORDS[tensor.role], tensor.kind)))
        else:
            reasons.append((value, reason))
    return reasons


# What the policies call the roles that stand in for other kinds.
_WORDS = {"class_token": "class token", "matrix": "matrix"}


@dataclass(frozen=True)
class Row:
    """A tensor, and what an optimizer was told of it.

    Attributes:
        name: Its name.
        shape: Its shape.
        kind: What it is for.
        weight_decay: λ of its group; ``None`` where no group has it.
        group: The number of its group.
        reason: Why it has this λ.
        warnings: What to beware of.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    weight_decay: float | None
    group: int | None
    reason: str
    warnings: tuple[str, ...] = ()


class DecayTable(Rows[Row]):
    """Every tensor of a model with its λ and the reason; see :func:`decay_table`."""

    def __init__(self, rows: Sequence[Row], remarks: Sequence[str] = ()) -> None:
        super().__init__(rows)
        self.remarks = tuple(remarks)

    @property
    def warnings(self) -> list[str]:
        """What to beware of, a sentence each."""
        named = [f"{row.name}: {warning}" for row in self.rows for warning in row.warnings]
        return [*named, *self.remarks]

    def __str__(self) -> str:
        head = ("tensor", "shape", "kind", "λ", "reason")
        lines = [head, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
        text = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([*text, *(f"! {warning}" for warning in self.warnings)])

    def __repr__(self) -> str:
        decayed = sum(1 for row in self.rows if row.weight_decay)
        return (
            f"<DecayTable: {decayed} of {len(self)} tensors decay, {len(self.warnings)} warnings>"
        )

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("tensor", "shape", "kind", "λ", "reason"))
        rows = "".join(
            "<tr>" + "".join(f"<td>{_html.escape(cell)}</td>" for cell in _cells(row)) + "</tr>"
            for row in self.rows
        )
        warned = "".join(f"<li>{_html.escape(one)}</li>" for one in self.warnings)
        return (
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><ul>{warned}</ul>"
        )


def _cells(row: Row) -> tuple[str, ...]:
    shape = " × ".join(map(str, row.shape)) or "scalar"
    value = "–" if row.weight_decay is None else f"{row.weight_decay:g}"
    return (row.name, shape, row.kind, value, row.reason)


def decay_table(model: nn.Module, optimizer: torch.optim.Optimizer) -> DecayTable:
    """List every tensor with the λ that its optimizer was given, and warn of what is unusual.

    Warned of are norms, biases and special scales that decay, token embeddings and tied weights
    that decay, factors of a low-rank adapter, frozen tensors in a group, tensors that no group
    has, and groups with tensors that are not the model's.

    Args:
        model: The model.
        optimizer: Its optimizer.

    Returns:
        The table: print it, iterate over its rows, or take :meth:`DecayTable.to_frame`.

    Examples:
        >>> import torch, weight_decay as wd
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.LayerNorm(8))
        >>> table = wd.decay_table(model, torch.optim.AdamW(model.parameters(), weight_decay=0.1))
        >>> table["1.weight"].warnings
        ('a norm decays: it is drawn to 0 and not to 1',)
    """
    places: dict[int, tuple[int, dict[str, Any]]] = {}
    for number, group in enumerate(groups_of(optimizer)):
        for parameter in group["params"]:
            places[id(parameter)] = (number, group)
    rows = []
    for tensor in tensors(model):
        place = places.pop(id(tensor.parameter), None)
        if place is None:
            why = "no group has it" if tensor.parameter.requires_grad else "frozen"
            warned: tuple[str, ...] = (
                ("it is trained, and no group has it: it never moves",)
                if tensor.parameter.requires_grad
                else ()
            )
            rows.append(Row(tensor.name, tensor.shape, tensor.kind, None, None, why, warned))
            continue
        number, group = place
        value = float(group.get("weight_decay", 0.0))
        reason = f"group {number} has λ = {value:g}"
        warned = tuple(_warnings(tensor, value))
        rows.append(Row(tensor.name, tensor.shape, tensor.kind, value, number, reason, warned))
    remarks = []
    if places:
        remarks.append(
            f"the optimizer has {len(places)} tensors that are not the model's: it moves others"
        )
    return DecayTable(rows, remarks)


def _warnings(tensor: Tensor, value: float) -> Iterator[str]:
    if not tensor.parameter.requires_grad:
        yield "it is frozen, and in a group: without a gradient the optimizer passes it over"
    if value == 0.0:
        return
    if tensor.kind == "norm":
        yield "a norm decays: it is drawn to 0 and not to 1"
    elif tensor.kind == "bias":
        yield "a bias decays: it is no weight that multiplies its input"
    elif tensor.kind == "special":
        yield "a tensor that models treat apart decays"
    elif tensor.kind == "position":
        yield "positions decay"
    elif tensor.kind == "embedding" and not tensor.aliases:
        yield "an embedding decays: rows of rare tokens shrink without a gradient"
    elif tensor.kind == "adapter":
        yield "a factor of a low-rank adapter decays: what is learned returns to the frozen weights"
    if tensor.aliases:
        yield f"it is tied to {', '.join(tensor.aliases)}, and decays in both places"


def matching(pattern: str, name: str) -> bool:
    """Say whether a name has this pattern; ``*`` stands for any characters, dots included."""
    return fnmatch.fnmatchcase(name, pattern)
