"""Live objects of PyTorch as what the questions are asked of."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch

from weight_decay import _native
from weight_decay._errors import WeightDecayError
from weight_decay.shapes import words_of_factors

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
    optimizer = unwrapped(optimizer)
    name = _entry(type(optimizer))
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
    if _spares_norms(optimizer):
        keys["spares"] = "norms"
    keys["params"] = sum(one.numel() for part in optimizer.param_groups for one in part["params"])
    if scheduler is not None:
        if steps is None:
            raise WeightDecayError("a scheduler needs the steps of the run", "give steps=…")
        words, peak = words_of_scheduler(scheduler, int(steps))
        keys["schedule"] = words
        keys["lr"] = peak
    return name, keys


def unwrapped(optimizer: Any) -> torch.optim.Optimizer:
    """Give the optimizer of PyTorch that a trainer's own holds."""
    while (inner := getattr(optimizer, "optimizer", None)) is not None:
        optimizer = inner
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise WeightDecayError(f"{type(optimizer).__name__} holds no optimizer of PyTorch")
    return optimizer


def main_group(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Give the group that an explanation is about."""

    def weight(group: dict[str, Any]) -> tuple[bool, int]:
        return bool(group.get("weight_decay")), sum(one.numel() for one in group["params"])

    found: dict[str, Any] = max(optimizer.param_groups, key=weight)
    return found


def _spares_norms(optimizer: torch.optim.Optimizer) -> bool:
    """Say whether some tensors decay, and none of one dimension, as gains and biases are."""
    decaying = [group for group in optimizer.param_groups if group.get("weight_decay")]
    return bool(decaying) and all(one.ndim > 1 for group in decaying for one in group["params"])


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


def _entry(kind: type) -> str:
    """Name the entry of the library table that an optimizer is, or inherits its step from."""

    def named(one: type) -> str:
        return f"{one.__module__.split('.')[0]}.{one.__name__}"

    entries, _ = _native.ask(["convert", "--list"], None)
    known = {entry["name"] for entry in entries}
    for one in kind.__mro__:
        if named(one) in known:
            return named(one)
        # A step of its own is nobody else's.
        if "step" in vars(one):
            break
    return named(kind)


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
