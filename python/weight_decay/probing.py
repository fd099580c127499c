"""Whether an optimizer applies the decay that it declares, measured by steps that are undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from weight_decay._errors import WeightDecayError
from weight_decay.groups import matching
from weight_decay.measured import Measured, Probe
from weight_decay.measures import norm
from weight_decay.rules import rule_of
from weight_decay.tensors import groups_of, tensors

#: Largest difference, as a share of what is declared, that counts as none in 32 bits.
TOLERANCE = 0.02


def probe(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    closure: Callable[[], Any] | None = None,
    *,
    tolerance: float = TOLERANCE,
) -> Probe:
    """Measure the decay of every tensor, in steps that are undone.

    One step is taken with zero gradients and an empty state, where decay alone moves a weight; two
    more with the real gradients, with λ and without, whose difference is what λ does. Weights,
    gradients, optimizer state and random numbers are then what they were, bit for bit.

    Args:
        model: The model.
        optimizer: Its optimizer, with whatever hooks it has.
        closure: Makes the real gradients, for example by a loss and its ``backward()``. Without
            one the gradients that are there are used, if there are any.
        tolerance: Largest difference from what is declared, as a share of it, that counts as none.

    Returns:
        A row for each tensor.

    Raises:
        WeightDecayError: An optimizer without ``weight_decay`` in its groups.

    Examples:
        >>> import torch, weight_decay as wd
        >>> model = torch.nn.Linear(4, 4)
        >>> optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=0.1)
        >>> wd.probe(model, optimizer)["weight"].verdict
        'coupled'
        >>> optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.1)
        >>> wd.probe(model, optimizer).is_well
        True
    """
    if not any("weight_decay" in group for group in groups_of(optimizer)):
        raise WeightDecayError(
            f"the groups of {type(optimizer).__name__} have no weight_decay",
            "probe the optimizer that steps, and not a wrapper around it",
        )
    listed = tensors(model)
    places = {
        id(parameter): (number, group)
        for number, group in enumerate(optimizer.param_groups)
        for parameter in group["params"]
    }
    parameters = [one.parameter for one in listed]
    before = [one.detach().clone() for one in parameters]
    with _undone(optimizer, parameters):
        for one in parameters:
            one.grad = torch.zeros_like(one) if one.requires_grad else None
        optimizer.state = defaultdict(dict)
        optimizer.step()
        still = [one.detach().clone() for one in parameters]
    real = _real(optimizer, parameters, closure)
    rows = []
    for place, tensor in enumerate(listed):
        number, group = places.get(id(tensor.parameter), (None, None))
        declared = 0.0 if number is None else _declared(optimizer, number)
        effect = None if real is None else _share(before[place], real[place])
        moved = before[place].double() - still[place].double()
        rows.append(
            _judged(
                tensor.name,
                tensor.parameter,
                None if group is None else float(group.get("weight_decay", 0.0)),
                declared,
                _share(before[place], moved),
                _leftover(before[place], moved),
                effect,
                real is not None and tensor.parameter.grad is None and closure is None,
                tolerance,
            )
        )
    return Probe(rows)


def assert_decay(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    expected: Mapping[str, float] | None = None,
    closure: Callable[[], Any] | None = None,
    *,
    tolerance: float = TOLERANCE,
) -> None:
    """Fail unless every tensor decays as is declared, for a test suite.

    Args:
        model: The model.
        optimizer: Its optimizer.
        expected: λ by patterns of names, of which the last that matches counts; tensors that no
            pattern matches are only held to what their group declares.
        closure: As for :func:`probe`.
        tolerance: As for :func:`probe`.

    Raises:
        AssertionError: Names each tensor, and what is the matter.

    Examples:
        >>> import torch, weight_decay as wd
        >>> model = torch.nn.Linear(4, 4)
        >>> optimizer = torch.optim.AdamW(wd.param_groups(model, 0.1), lr=1e-3)
        >>> wd.assert_decay(model, optimizer, {"*weight": 0.1, "*bias": 0.0})
    """
    found = probe(model, optimizer, closure, tolerance=tolerance)
    problems = [f"{row.name}: {row.reason}" for row in found.failures]
    for pattern in expected or {}:
        if not any(matching(pattern, row.name) for row in found):
            problems.append(f"no tensor is called {pattern!r}")
    for row in found:
        wanted = [value for key, value in (expected or {}).items() if matching(key, row.name)]
        if wanted and row.weight_decay != wanted[-1]:
            problems.append(f"{row.name}: λ is {row.weight_decay}, and {wanted[-1]} is expected")
    if problems:
        raise AssertionError("weight decay is not what it should be:\n  " + "\n  ".join(problems))


def _real(
    optimizer: torch.optim.Optimizer,
    parameters: list[nn.Parameter],
    closure: Callable[[], Any] | None,
) -> list[torch.Tensor] | None:
    """What λ takes off each tensor in a step with the real gradients."""
    if closure is None and all(one.grad is None for one in parameters):
        return None
    ends = []
    for is_on in (True, False):
        with _undone(optimizer, parameters):
            if closure is not None:
                optimizer.zero_grad(set_to_none=True)
                with torch.enable_grad():
                    closure()
            values = [group.get("weight_decay") for group in optimizer.param_groups]
            if not is_on:
                for group in optimizer.param_groups:
                    group["weight_decay"] = 0.0
            try:
                optimizer.step()
            finally:
                for group, value in zip(optimizer.param_groups, values, strict=True):
                    group["weight_decay"] = value
            ends.append([one.detach().clone() for one in parameters])
    return [off.double() - on.double() for on, off in zip(*ends, strict=True)]


@contextmanager
def _undone(optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> Iterator[None]:
    """Leave weights, gradients, state and random numbers as they were."""
    owned = {id(one): one for group in optimizer.param_groups for one in group["params"]}
    every = list({**owned, **{id(one): one for one in parameters}}.values())
    weights = [one.detach().clone() for one in every]
    gradients = [one.grad for one in every]
    kept = [None if one is None else one.detach().clone() for one in gradients]
    state = optimizer.state
    copied: defaultdict[Any, Any] = defaultdict(dict)
    for key, values in state.items():
        copied[key] = {
            name: value.clone() if torch.is_tensor(value) else value
            for name, value in values.items()
        }
    optimizer.state = copied
    rule = rule_of(optimizer)
    rounding = None if rule is None else rule.state_dict()["generators"]
    devices = sorted({one.device.index or 0 for one in every if one.device.type == "cuda"})
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        optimizer.state = state
        with torch.no_grad():
            for one, weight, gradient, values in zip(every, weights, gradients, kept, strict=True):
                one.copy_(weight)
                one.grad = gradient
                if gradient is not None and values is not None:
                    gradient.copy_(values)
        if rule is not None and rounding is not None:
            rule._generators = {}
            for place, words in rounding.items():
                rule._generator(torch.device(place)).set_state(words)


def _declared(optimizer: torch.optim.Optimizer, number: int) -> float:
    """The shrink that a group's λ stands for, at the rate of now."""
    group = optimizer.param_groups[number]
    value = float(group.get("weight_decay", 0.0))
    rule = rule_of(optimizer)
    if rule is None:
        return float(group["lr"]) * value
    kind, strength = rule.shrinks()[number]
    return strength if kind == "shrink" else float(group["lr"]) * value


def _share(weights: torch.Tensor, moved: torch.Tensor) -> float:
    """s in moved ≈ s·w, by least squares."""
    wide = weights.double()
    square = float((wide * wide).sum())
    return float((wide * moved).sum()) / square if square > 0.0 else 0.0


def _leftover(weights: torch.Tensor, moved: torch.Tensor) -> float:
    """The share of a move that is not along the weights."""
    length = float(norm(moved))
    if length == 0.0:
        return 0.0
    along = weights.double() * _share(weights, moved)
    return float(norm(moved - along)) / length


def _judged(
    name: str,
    parameter: torch.Tensor,
    value: float | None,
    declared: float,
    measured: float,
    leftover: float,
    real: float | None,
    is_passed_over: bool,
    tolerance: float,
) -> Measured:
    # What rounding of the weights alone may look like, in the numbers that they have.
    rounding = torch.finfo(parameter.dtype).eps / max(parameter.numel(), 1) ** 0.5
    allowed = tolerance * abs(declared) + rounding

    def row(verdict: str, reason: str) -> Measured:
        return Measured(
            name, value, declared, measured, real, verdict, reason, parameter.requires_grad
        )

    if value is None:
        word = (
            "it is frozen" if not parameter.requires_grad else "no group of this optimizer has it"
        )
        return row("none" if abs(measured) <= rounding else "not declared", word)
    if not parameter.requires_grad:
        if value == 0.0 or abs(measured) <= rounding:
            return row("none", "it is frozen, and does not decay")
        return row("not declared", "it is frozen, and decays")
    if float(norm(parameter)) == 0.0:
        return row("applied" if value else "none", "it is 0, so that no decay can be seen")
    if declared == 0.0:
        if abs(measured) <= rounding and leftover == 0.0:
            return row("none", "no decay is declared, and none was seen")
        return row("not declared", f"no decay is declared, and it shrank by {measured:.3g} a step")
    if is_passed_over:
        return row(
            "not applied",
            "it has no gradient, so that the optimizer passes it over, decay included",
        )
    if leftover > 0.3:
        return row(
            "coupled",
            "λ goes through the gradient and is divided with it: every weight moves by about the "
            "learning rate, whatever its size; AdamW decays in proportion",
        )
    # Small decays in few bits are rounded up or down; that nothing moves at all is no chance.
    is_still = measured == 0.0 and leftover == 0.0
    if abs(measured - declared) <= allowed and not is_still:
        return row("applied", f"s = {measured:.4g} a step, as λ = {value:g} declares")
    if is_still or abs(measured) <= 0.1 * abs(declared):
        lost = declared < torch.finfo(parameter.dtype).eps
        why = (
            f", since {str(parameter.dtype).removeprefix('torch.')} rounds it away: see apply_rule"
            if lost
            else ""
        )
        return row("not applied", f"λ = {value:g} declares s = {declared:.3g}, none was seen{why}")
    return row(
        "wrong strength",
        f"λ = {value:g} declares s = {declared:.4g} a step, and {measured:.4g} was measured",
    )
