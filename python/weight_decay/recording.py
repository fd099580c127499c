"""A training of another program as a run directory of ``wd``: its plan, and a row for each step."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weight_decay import _native
from weight_decay._errors import WeightDecayError
from weight_decay.shapes import schedule_of_factors

_OF_RUN, _OF_TENSORS = _native.columns_of_a_run()

# Columns of the run behind the step and the samples.
_RUN_COLUMNS = tuple(_OF_RUN[2:])

#: What is measured of each tensor, in the order of its cells.
MEASURES = tuple(_OF_TENSORS)


@dataclass(frozen=True)
class RecordedTensor:
    """A tensor that is trained.

    Attributes:
        name: Its name.
        shape: Its shape.
        role: Its role among those that policies tell apart.
        weight_decay: λ, as its optimizer was told.
        initial_norm: ‖w‖ before the first step.
    """

    name: str
    shape: tuple[int, ...]
    role: str
    weight_decay: float
    initial_norm: float

    @property
    def parameters(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Training:
    """What is known of a training before its first step.

    Attributes:
        steps: Steps of the whole run.
        rates: The rate of each step.
        decays: λ of each step, of the tensors that have the run's.
        optimizer: The family: adamw, adam, sgd, lion, muon …
        rule: How λ becomes the shrink of a step.
        momenta: ``momentum``, ``dampening``, ``nesterov``, ``beta1`` and ``beta2``.
        cautious: Whether only some coordinates decay.
        anchor: What weights decay to, as a plan has it.
        is_bf16: Whether the weights are stored in bf16.
        seed: The seed.
        unit: What the samples are.
        samples_per_step: Samples of a step.
        samples: Distinct training samples.
        data: A name of the data.
    """

    steps: int
    rates: Sequence[float]
    decays: Sequence[float]
    optimizer: str
    rule: str
    momenta: Mapping[str, Any]
    cautious: bool = False
    anchor: Any = "zero"
    is_bf16: bool = False
    seed: int = 0
    unit: str = "examples"
    samples_per_step: int = 1
    samples: int | None = None
    data: str = ""

    @property
    def epochs_per_step(self) -> float:
        """Passes over the data that a step is; a run of unknown data is one pass."""
        samples = self.samples or self.steps * self.samples_per_step
        return self.samples_per_step / samples


def plan_of(training: Training, tensors: Sequence[RecordedTensor]) -> dict[str, Any]:
    """Give the plan of a training, with the keys of ``plan.json``."""
    peak, value = max(training.rates), max(training.decays)
    parameters = sum(one.parameters for one in tensors)
    policy, reasons = _policy(tensors, training.decays[0])
    seen = training.steps * training.samples_per_step
    listed = [
        {
            "path": one.name,
            "shape": list(one.shape),
            "role": one.role,
            "parameters": one.parameters,
            "lambda": one.weight_decay,
            "reason": reason,
            "initial_rms": one.initial_norm / max(one.parameters, 1) ** 0.5,
        }
        for one, reason in zip(tensors, reasons, strict=True)
    ]
    return {
        "format": 2,
        "program": f"weight-decay {_native.__VERSION__} in Python",
        "seed": training.seed,
        "steps": training.steps,
        "unit": training.unit,
        "samples_per_step": training.samples_per_step,
        "training_samples": training.samples or seen,
        "validation_samples": 0,
        "epochs": training.steps * training.epochs_per_step,
        "samples_per_parameter": seen / max(parameters, 1),
        "data_path": training.data,
        "corpus_hash": training.data,
        "model": f"{parameters} parameters",
        "parameters": parameters,
        "decayed_parameters": sum(one.parameters for one in tensors if one.weight_decay),
        "dtype": "bf16" if training.is_bf16 else "f32",
        "storage": "bf16-nearest" if training.is_bf16 else "f32",
        "optimizer": training.optimizer,
        "momenta": dict(training.momenta),
        "clip": 0.0,
        "policy": policy,
        "rule": training.rule,
        "cautious": training.cautious,
        "anchor": training.anchor,
        "lambda": value,
        "lambda_schedule": _schedule(training.decays),
        "peak_learning_rate": peak,
        "schedule": _schedule(training.rates),
        # What follows from the rest is computed where the plan is written.
        "kappa": 0.0,
        "tau_steps": None,
        "tau_fraction": None,
        "tensors": listed,
    }


def _schedule(values: Sequence[float]) -> dict[str, Any]:
    peak = max(values)
    return schedule_of_factors([one / peak if peak else 1.0 for one in values])


def _policy(tensors: Sequence[RecordedTensor], value: float) -> tuple[str, list[str]]:
    """Name the policy that gives every tensor its λ, with its reasons, where one does."""
    described = [(one.name, list(one.shape), one.role) for one in tensors]
    chosen = [one.weight_decay for one in tensors]
    for name in _native.policies():
        given = _native.choose(value, name, [], described)
        if [one for one, _ in given] == chosen:
            return name, [reason for _, reason in given]
    return "nanogpt", ["as its group has it"] * len(chosen)


def measured_cells(measured: Sequence[float], shrink: float) -> list[float]:
    """Give the measures of a tensor.

    Args:
        measured: ‖w‖, ‖g‖, ‖Δw‖, ⟨w, Δw⟩ and the norm of the decay; Δw is what was subtracted.
        shrink: The share of the weights that was taken beside the direction. The cosine is that of
            the weights and the direction, which is the rest of the step.
    """
    weight, gradient, update, along, decay = measured
    product = along - shrink * weight**2
    rest = max(update**2 - 2 * shrink * along + (shrink * weight) ** 2, 0.0)
    lengths = weight * math.sqrt(rest)
    relative = 0.0 if update == 0.0 else update / weight if weight else math.inf
    cosine = 0.0 if lengths == 0.0 else product / lengths
    return [weight, gradient, update, relative, cosine, decay]


class Recorder:
    """Writes a run directory: rows wait until their losses are looked at, all of them at once.

    Args:
        run_dir: The run directory.
        training: What is known of the training.
        tensors: What is trained.
        numbers: Gives the numbers of losses that may lie on a device.
        settings: Further settings, which tell runs apart.
        after_step: The step that a resumed training goes on from.
        writes: Whether this process writes: of a distributed training one does.
    """

    def __init__(
        self,
        run_dir: str | os.PathLike[str],
        training: Training,
        tensors: Sequence[RecordedTensor],
        *,
        numbers: Callable[[list[Any]], list[float]],
        settings: Mapping[str, Any] | None = None,
        after_step: int = 0,
        writes: bool = True,
    ) -> None:
        self.run_dir = Path(run_dir)
        self.training = training
        self.last_step = after_step
        self._numbers = numbers
        self._columns = ["step", training.unit, *_RUN_COLUMNS]
        names = [f"{measure}/{one.name}" for one in tensors for measure in MEASURES]
        self._empty = [math.nan] * len(names)
        self._waiting: list[tuple[dict[str, float], Any, list[float] | None]] = []
        self._last_loss = math.nan
        self._writer: _native.RunWriter | None = None
        if writes:
            plan = plan_of(training, tensors)
            text = _configuration(plan, settings or {})
            columns = [*self._columns, *names]
            self._writer = _native.RunWriter(self.run_dir, text, plan, columns, after_step)

    @property
    def is_waiting(self) -> bool:
        """Whether a row is there that an evaluation may join."""
        return bool(self._waiting)

    def note(
        self,
        loss: Any,
        rate: float,
        decay: float,
        shrink: float,
        cells: list[float] | None = None,
    ) -> None:
        """Note a step, with the measures of every tensor where it was measured."""
        self.last_step += 1
        row = {
            "step": float(self.last_step),
            self.training.unit: float(self.last_step * self.training.samples_per_step),
            "epoch": self.last_step * self.training.epochs_per_step,
            "learning_rate": rate,
            "lambda": decay,
            "shrink": shrink,
            "clip_factor": 1.0,
        }
        if cells is not None:
            width = len(MEASURES)
            for name, measure in (("gradient_norm", "gradient_norm"), ("decay", "decay_norm")):
                found = cells[MEASURES.index(measure) :: width]
                row[name] = math.sqrt(sum(one * one for one in found))
        self._waiting.append((row, loss, cells))

    def note_loss(self, loss: float) -> None:
        """Note the loss of the last step where it comes late."""
        if self._waiting:
            row, _, cells = self._waiting[-1]
            self._waiting[-1] = (row, loss, cells)

    def evaluate(self, values: Mapping[str, float | None]) -> None:
        """Note an evaluation of the weights after the last step."""
        if not self._waiting:
            raise WeightDecayError("no step was noted since the last flush", "call step() first")
        for name, value in values.items():
            if value is not None:
                self._waiting[-1][0][name] = float(value)

    def write(self, keep: int = 0) -> None:
        """Write the rows that wait, but for the newest ones that are to be kept."""
        count = len(self._waiting) - keep
        if count <= 0:
            return
        rows, self._waiting = self._waiting[:count], self._waiting[count:]
        losses = self._numbers([loss for _, loss, _ in rows])
        for (row, _, cells), loss in zip(rows, losses, strict=True):
            row["train_loss"] = self._last_loss = loss
            line = [row.get(name, math.nan) for name in self._columns]
            if self._writer is not None:
                self._writer.append([*line, *(self._empty if cells is None else cells)])

    def flush(self) -> None:
        """Bring every row to the disk."""
        self.write()
        if self._writer is not None:
            self._writer.sync()

    def close(self) -> None:
        """End the run: finished where every step was noted, else interrupted."""
        self.write()
        if self._writer is None:
            return
        steps = self.training.steps
        if math.isinf(self._last_loss):
            kind, words = "diverged", f"the loss is {self._last_loss}"
        elif self.last_step >= steps:
            kind, words = "finished", "every step was noted"
        else:
            kind, words = "interrupted", f"{self.last_step} of {steps} steps were noted"
        self._writer.sync()
        self._writer.event(kind, self.last_step, words)
        self._writer.close()
        self._writer = None


def _configuration(plan: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Write what tells runs apart, under the names of a configuration of ``wd``."""
    lines = [
        "# What tells this run apart; plan.json has the rest.",
        "[run]",
        f"seed = {plan['seed']}",
        f"steps = {plan['steps']}",
        "[optim]",
        f'kind = "{plan["optimizer"]}"',
        f"lr = {plan['peak_learning_rate']!r}",
        "[schedule]",
        f'kind = "{plan["schedule"]["kind"]}"',
        "[decay]",
        f"lambda = {plan['lambda']!r}",
        f'rule = "{plan["rule"]}"',
        f'policy = "{plan["policy"]}"',
    ]
    if settings:
        lines.append("[settings]")
        lines += [f"{_quoted(name)} = {_toml(value)}" for name, value in settings.items()]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) and math.isfinite(value):
        return repr(value)
    return _quoted(str(value))
