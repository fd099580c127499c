"""Live objects of PyTorch as what the questions are asked of."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from weight_decay import _native
from weight_decay._errors import WeightDecayError

# Points that a schedule may be drawn through, fewer than its reader takes.
_POINTS = 20
# Largest difference of two shapes, as a share of the peak, that are taken for one.
_SAME = 2e-3

# What a group calls the numbers of its optimizer, and what the library table calls them.
_NUMBERS = ("lr", "weight_decay", "momentum", "dampening", "eps")
_SWITCHES = ("nesterov", "decoupled_weight_decay")


def words_of_optimizer(
    optimizer: torch.optim.Optimizer, scheduler: Any = None, steps: Any = None
) -> tuple[str, dict[str, Any]]:
    """Read the setting of an optimizer: the entry of the library table, and its numbers.

    The group is that with most parameters among those that decay, or with most of all.

    Raises:
        WeightDecayError: An optimizer of no library, or a scheduler without ``steps``.
    """
    name = f"torch.{type(optimizer).__name__}"
    group = main_group(optimizer)
    keys: dict[str, Any] = {}
    for key in _NUMBERS:
        value = group.get(key)
        if value is not None and not isinstance(value, bool):
            keys[key] = float(value)
    keys["lr"] = peak_rate(group)
    if "betas" in group and len(group["betas"]) == 2:
        keys["beta1"], keys["beta2"] = (float(beta) for beta in group["betas"])
    for key in _SWITCHES:
        if isinstance(group.get(key), bool):
            keys[key] = group[key]
    known = _entry_keys(name)
    keys = {key: value for key, value in keys.items() if key in known}
    if {one.dtype for one in group["params"]} == {torch.bfloat16}:
        keys["dtype"] = "bf16"
    keys["params"] = sum(one.numel() for part in optimizer.param_groups for one in part["params"])
    if scheduler is not None:
        if steps is None:
            raise WeightDecayError("a scheduler needs the steps of the run", "give steps=…")
        words, peak = words_of_scheduler(scheduler, int(steps))
        keys["schedule"] = words
        keys["lr"] = peak
    return name, keys


def main_group(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Give the group that an explanation is about."""

    def weight(group: dict[str, Any]) -> tuple[bool, int]:
        return bool(group.get("weight_decay")), sum(one.numel() for one in group["params"])

    found: dict[str, Any] = max(optimizer.param_groups, key=weight)
    return found


def peak_rate(group: dict[str, Any]) -> float:
    """Give η_max of a group, as far as a scheduler wrote it there."""
    return float(group.get("max_lr", group.get("initial_lr", group["lr"])))


def rates_of_scheduler(scheduler: Any, steps: int) -> list[float]:
    """Give the rates that a scheduler is going to set, without touching it or its optimizer."""
    real = scheduler.optimizer
    stand_in = torch.optim.SGD(
        [{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in real.param_groups], lr=0.1
    )
    for group, own in zip(stand_in.param_groups, real.param_groups, strict=True):
        group.update({key: value for key, value in own.items() if key != "params"})
    # A scheduler looks whether the optimizer has stepped before it.
    stand_in.step = _stepped  # type: ignore[method-assign]
    # The copy of the scheduler is to hold the stand-in wherever it holds the optimizer.
    walked = copy.deepcopy(scheduler, {id(real): stand_in})
    place = max(range(len(real.param_groups)), key=lambda at: peak_rate(real.param_groups[at]))
    rates = []
    for _ in range(steps):
        rates.append(float(stand_in.param_groups[place]["lr"]))
        stand_in._opt_called = True  # type: ignore[attr-defined]
        walked.step()
    return rates


def _stepped(closure: Any = None) -> None:
    """A step of a stand-in, which moves nothing."""


_stepped._wrapped_by_lr_sched = True  # type: ignore[attr-defined]


def words_of_scheduler(scheduler: Any, steps: int) -> tuple[str, float]:
    """Write a scheduler as a schedule of ``wd``, and give its peak rate."""
    rates = rates_of_scheduler(scheduler, steps)
    peak = max(rates)
    if peak <= 0.0:
        raise WeightDecayError("the scheduler sets no rate above 0")
    return words_of_factors([rate / peak for rate in rates]), peak


def words_of_factors(factors: Sequence[float]) -> str:
    """Write the factors of every step, of which the largest is 1, as a schedule of ``wd``.

    A warm-up may count its steps from 0 or from 1, which is less than a step's difference.
    """
    steps = len(factors)
    warmup = factors.index(1.0) if 1.0 in factors else 0
    for kind in ("constant", "cosine", "linear"):
        for length in (warmup, max(warmup - 1, 0)):
            falls = _native.schedule_of_words(f"{kind},warmup={length}", steps)
            # The last step stands just above the floor.
            above = falls[steps - 1]
            floor = 0.0 if above >= 1.0 else max((factors[-1] - above) / (1.0 - above), 0.0)
            words = f"{kind},warmup={length},floor={min(floor, 1.0):.6g}"
            drawn = _native.schedule_of_words(words, steps)
            ahead = [abs(a - b) for a, b in zip(factors, drawn, strict=False)]
            rises, rest = ahead[:warmup], ahead[warmup:]
            if max(rest) < _SAME and max(rises, default=0.0) <= 1.0 / (length + 1):
                return words
    return f"points,points={_points(factors)}"


def schedule_of_factors(factors: Sequence[float]) -> dict[str, Any]:
    """Write them as the plan of a run has a schedule."""
    words = words_of_factors(factors)
    kind, *rest = words.split(",")
    keys = dict(part.split("=", 1) for part in rest)
    schedule: dict[str, Any] = {"kind": kind, "steps": len(factors), "warmup": 0, "decay": 0}
    if kind == "points":
        points = [point.split(":") for point in keys["points"].split("/")]
        schedule["points"] = [[float(share), float(factor)] for share, factor in points]
        schedule["floor"] = schedule["points"][-1][1]
    else:
        schedule["warmup"] = int(keys["warmup"])
        schedule["floor"] = 1.0 if kind == "constant" else float(keys["floor"])
    return schedule


def _points(factors: Sequence[float]) -> str:
    """Draw a shape through the points that it is farthest from, one after another."""
    last = len(factors) - 1
    kept = sorted({0, factors.index(max(factors)), last})
    while len(kept) < _POINTS:
        worst, place = _SAME, None
        for left, right in itertools.pairwise(kept):
            for at in range(left + 1, right):
                way = (at - left) / (right - left)
                line = factors[left] + (factors[right] - factors[left]) * way
                if abs(factors[at] - line) > worst:
                    worst, place = abs(factors[at] - line), at
        if place is None:
            break
        kept = sorted({*kept, place})
    steps = len(factors)
    drawn = [f"{at / steps:.6g}:{factors[at]:.6g}" for at in kept[:-1]]
    return "/".join([*drawn, f"1:{factors[last]:.6g}"])


def _entry_keys(name: str) -> set[str]:
    """Give the keys of an entry of the library table."""
    entries, _ = _native.ask(["convert", "--list", name], None)
    return {key["name"] for key in entries[0]["keys"]}


def save_checkpoint(folder: Path, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> Path:
    """Save a model and its optimizer as a checkpoint with the names of the parameters."""
    state = optimizer.state_dict()
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for saved, group in zip(state["param_groups"], optimizer.param_groups, strict=True):
        if "param_names" not in saved:
            named = [names.get(id(parameter)) for parameter in group["params"]]
            if all(name is not None for name in named):
                saved["param_names"] = named
    path = folder / "checkpoint.pt"
    torch.save({"model": model.state_dict(), "optimizer": state}, path)
    return path
