"""Schedules of λ."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import torch

from weight_decay import _native
from weight_decay._errors import WeightDecayError

Schedule = str | Callable[[int], float] | Sequence[Sequence[Any]]

_FROM_TO = re.compile(r"^(linear|cosine|step):(.+)->(.+)$")


class WeightDecayScheduler:
    """Changes λ of an optimizer's groups from step to step, as a scheduler of rates does.

    Groups whose λ is 0 keep it. Where several groups decay, they keep their proportions: the
    schedule is that of the largest λ.

    Args:
        optimizer: The optimizer.
        schedule: ``"cosine:0.04->0.4"`` (or ``linear``, ``step``) from one λ to another; the words
            of a schedule of ``wd``, which multiply the groups' own λ, such as ``"cosine"``,
            ``"linear,warmup=400,floor=0.1"`` or ``"wsd,decay=20%"``; points ``[(share, λ), …]``,
            each with ``"cosine"`` or ``"step"`` behind it where the way there is no straight line;
            or a function from the step, counted from 0, to λ.
        steps: Steps of the whole run; a function needs none.

    Raises:
        WeightDecayError: A schedule that is none, or no number of steps.

    Examples:
        >>> import torch, weight_decay as wd
        >>> optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.ones(2))], weight_decay=0.04)
        >>> scheduler = wd.WeightDecayScheduler(optimizer, "cosine:0.04->0.4", steps=100)
        >>> for _ in range(50):
        ...     optimizer.step()
        ...     scheduler.step()
        >>> round(optimizer.param_groups[0]["weight_decay"], 3)
        0.22
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, schedule: Schedule, steps: int | None = None
    ) -> None:
        self.optimizer = optimizer
        self.last_step = 0
        self.base_values = [float(group["weight_decay"]) for group in optimizer.param_groups]
        self._largest = max(self.base_values, default=0.0)
        if self._largest == 0.0:
            raise WeightDecayError(
                "no group of this optimizer decays, so that there is nothing to schedule",
                "give the groups that are to decay a weight_decay above 0",
            )
        self._value = _values(schedule, steps, self._largest)
        self._write()

    def step(self) -> None:
        """Go on to the next step; to be called after ``optimizer.step()``."""
        self.last_step += 1
        self._write()

    def get_last_value(self) -> list[float]:
        """Give λ of each group as it stands."""
        return [float(group["weight_decay"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Give the step and the groups' own λ; the schedule is given again by who resumes."""
        return {"last_step": self.last_step, "base_values": list(self.base_values)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what :meth:`state_dict` gave."""
        if len(state["base_values"]) != len(self.optimizer.param_groups):
            raise WeightDecayError(
                f"the state is of {len(state['base_values'])} groups, and the optimizer has "
                f"{len(self.optimizer.param_groups)}"
            )
        self.last_step = int(state["last_step"])
        self.base_values = list(state["base_values"])
        self._largest = max(self.base_values)
        self._write()

    def _write(self) -> None:
        value = self._value(self.last_step)
        if not value >= 0.0:
            raise WeightDecayError(f"the schedule gives λ = {value} at step {self.last_step}")
        for group, base in zip(self.optimizer.param_groups, self.base_values, strict=True):
            group["weight_decay"] = value * base / self._largest


def _values(schedule: Schedule, steps: int | None, largest: float) -> Callable[[int], float]:
    if callable(schedule):
        return lambda step: float(schedule(step))
    if steps is None or steps < 1:
        raise WeightDecayError("a schedule needs the steps of the run", "give steps=…")
    if isinstance(schedule, str) and (found := _FROM_TO.match(schedule.replace(" ", ""))):
        shape, first, last = found.groups()
        values = _through([(0.0, _float(first), "linear"), (1.0, _float(last), shape)], steps)
    elif isinstance(schedule, str):
        words = _native.schedule_of_words(schedule, steps)
        values = [largest * factor for factor in words]
    else:
        values = _through([(*point, "linear")[:3] for point in schedule], steps)
    # Behind its end λ stays where it was.
    return lambda step: values[min(step, len(values) - 1)]


def _through(points: Sequence[tuple[Any, ...]], steps: int) -> list[float]:
    peak = max((float(value) for _, value, _ in points), default=0.0)
    if peak <= 0.0:
        raise WeightDecayError("no point of the schedule has a λ above 0")
    factors = [(float(share), float(value) / peak, str(way)) for share, value, way in points]
    return [peak * factor for factor in _native.schedule_of_points(factors, steps)]


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise WeightDecayError(f"`{text}` is no λ", "write for example cosine:0.04->0.4") from None
