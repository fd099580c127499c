"""A training that is watched: what λ does in it, in the format of a run of ``wd``."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from weight_decay import _native
from weight_decay._errors import WeightDecayError
from weight_decay.groups import POLICIES, choices
from weight_decay.live import (
    main_group,
    peak_rate,
    rates_of_scheduler,
    schedule_of_factors,
)
from weight_decay.rules import Rule, norm, rule_of
from weight_decay.scheduler import WeightDecayScheduler
from weight_decay.tensors import Tensor, tensors

logger = logging.getLogger("weight_decay")

# Columns of the run, as `wd train` has them; the second is named by its unit.
_RUN_COLUMNS = (
    "train_loss",
    "validation_loss",
    "train_eval_loss",
    "learning_rate",
    "lambda",
    "shrink",
    "gradient_norm",
    "clip_factor",
    "decay",
)
_MEASURES = (
    "weight_norm",
    "gradient_norm",
    "update_norm",
    "relative_update",
    "cosine",
    "decay_norm",
)
_EVALUATIONS = ("validation_loss", "train_eval_loss")

# What `wd` calls the families of PyTorch's optimizers, and by which rule they decay.
_KINDS = {
    "AdamW": ("adamw", "decoupled"),
    "Adam": ("adam", "coupled-l2"),
    "SGD": ("sgd", "coupled-l2"),
    "Lion": ("lion", "decoupled"),
    "Muon": ("muon", "decoupled"),
    "NAdam": ("nadam", "coupled-l2"),
    "RAdam": ("radam", "coupled-l2"),
    "Adafactor": ("adafactor", "decoupled"),
}


class Monitor:
    """Watches a training: loss, rate, λ, and what a step does to every tensor.

    It writes a run directory of ``wd``: ``wd report``, :func:`weight_decay.read_run` and
    :func:`weight_decay.verdict` then work on it as on a run of ``wd train``. One process writes; of
    a distributed training that is rank 0, and every rank takes part in the norms of what is
    sharded.

    Args:
        model: The model.
        optimizer: Its optimizer; a rule is applied to it first.
        run_dir: The run directory.
        steps: Steps of the whole run.
        every: Every how many steps the tensors are measured. Loss, rate and λ have a row a step.
        scheduler: The scheduler of the rate, from which the plan has its shape.
        decay_scheduler: The scheduler of λ.
        seed: The seed: runs that agree in it are paired.
        unit: What the samples are: ``"tokens"``, ``"images"`` or ``"examples"``.
        samples_per_step: Samples of a step.
        samples: Distinct training samples, where they are known.
        data: A name of the data: runs of different data are not compared.
        settings: Further settings, which tell runs apart.
        after_step: The step of the checkpoint that the training resumes from: later rows are
            dropped.

    Raises:
        WeightDecayError: Another process writes there, or the run there is another.

    Examples:
        >>> import tempfile, torch, weight_decay as wd
        >>> model = torch.nn.Linear(4, 1)
        >>> optimizer = torch.optim.AdamW(wd.param_groups(model, 0.1), lr=1e-2)
        >>> folder = tempfile.mkdtemp()
        >>> with wd.Monitor(model, optimizer, folder, steps=20, every=5) as monitor:
        ...     for _ in range(20):
        ...         loss = model(torch.ones(8, 4)).square().mean()
        ...         optimizer.zero_grad()
        ...         loss.backward()
        ...         optimizer.step()
        ...         monitor.step(loss)
        >>> run = wd.read_run(folder)
        >>> run.status, len(run.column("train_loss"))
        ('finished', 20)
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        run_dir: str | os.PathLike[str],
        *,
        steps: int,
        every: int = 10,
        scheduler: Any = None,
        decay_scheduler: WeightDecayScheduler | None = None,
        seed: int = 0,
        unit: str = "examples",
        samples_per_step: int = 1,
        samples: int | None = None,
        data: str = "",
        settings: Mapping[str, Any] | None = None,
        after_step: int = 0,
    ) -> None:
        if steps < 1 or every < 1:
            raise WeightDecayError(f"a run of {steps} steps, measured every {every}, is none")
        self.run_dir = Path(run_dir)
        self.steps = steps
        self.every = every
        self.last_step = after_step
        self._optimizer = optimizer
        self._tensors = [one for one in tensors(model) if one.parameter.requires_grad]
        self._samples_per_step = samples_per_step
        self._samples = samples or steps * samples_per_step
        self._columns = ["step", unit, "epoch", *_RUN_COLUMNS]
        self._groups = {
            id(parameter): group
            for group in optimizer.param_groups
            for parameter in group["params"]
        }
        names = [f"{measure}/{one.name}" for one in self._tensors for measure in _MEASURES]
        # Rows whose loss is still on the device, and the one that an evaluation may still join.
        self._waiting: list[tuple[dict[str, float], Any, list[float] | None]] = []
        self._before: dict[int, torch.Tensor] = {}
        self._measured: list[float] | None = None
        self._gradient_norm = math.nan
        self._now: tuple[float, float, float] | None = None
        self._last_loss = math.nan
        self._writer: _native.RunWriter | None = None
        # On every rank, since the norms of what is sharded are a matter of all.
        plan = self._plan(unit, seed, data, scheduler, decay_scheduler)
        if _rank() == 0:
            configuration = _configuration(plan, settings or {})
            columns = [*self._columns, *names]
            self._writer = _native.RunWriter(self.run_dir, configuration, plan, columns, after_step)
        self._hooks = [
            optimizer.register_step_pre_hook(self._before_step),
            optimizer.register_step_post_hook(self._after_step),
        ]
        # Before a rule decays, so that its decay is part of the update.
        hooks: Any = optimizer._optimizer_step_pre_hooks
        hooks.move_to_end(next(reversed(hooks)), last=False)
        logger.info("watched: %d tensors in %s", len(self._tensors), self.run_dir)

    def step(self, loss: Any = math.nan) -> None:
        """Note a step; to be called once after ``optimizer.step()``.

        Args:
            loss: The loss of the step's batch: a number, or a tensor, which is not waited for.
        """
        self.last_step += 1
        rate, value, shrink = self._now or self._settings()
        row = {
            "step": float(self.last_step),
            self._columns[1]: float(self.last_step * self._samples_per_step),
            "epoch": self.last_step * self._samples_per_step / self._samples,
            "learning_rate": rate,
            "lambda": value,
            "shrink": shrink,
            "gradient_norm": self._gradient_norm,
            "clip_factor": 1.0,
        }
        if self._measured is not None:
            decays = self._measured[_MEASURES.index("decay_norm") :: len(_MEASURES)]
            row["decay"] = math.sqrt(sum(one * one for one in decays))
        if torch.is_tensor(loss):
            loss = loss.detach()
        self._waiting.append((row, loss, self._measured))
        self._measured, self._gradient_norm, self._now = None, math.nan, None
        # The newest row stays: an evaluation may still join it.
        if self.last_step % self.every == 0:
            self._write(keep=1)

    def evaluate(
        self, *, validation_loss: float | None = None, train_eval_loss: float | None = None
    ) -> None:
        """Note an evaluation of the weights after the last step.

        Args:
            validation_loss: The loss on data that are not trained on.
            train_eval_loss: The loss on a fixed set of training data: it shows whether λ helps
                optimisation.
        """
        if not self._waiting:
            raise WeightDecayError("no step was noted since the last flush", "call step() first")
        row = self._waiting[-1][0]
        for name, value in zip(_EVALUATIONS, (validation_loss, train_eval_loss), strict=True):
            if value is not None:
                row[name] = float(value)

    def _note_loss(self, loss: float) -> None:
        """Note the loss of the last step where it comes late."""
        if self._waiting:
            row, _, measured = self._waiting[-1]
            self._waiting[-1] = (row, loss, measured)

    def flush(self) -> None:
        """Bring every noted row to the disk; to be called before a checkpoint is saved."""
        self._write(keep=0)
        if self._writer is not None:
            self._writer.sync()

    def state_dict(self) -> dict[str, Any]:
        """Give what a resumed training says as ``after_step``."""
        self.flush()
        return {"after_step": self.last_step}

    def close(self) -> None:
        """End the run: finished where every step was noted, else interrupted."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []
        if self._writer is None:
            return
        self._write(keep=0)
        if not math.isfinite(self._last_loss) and self._last_loss == self._last_loss:
            kind, words = "diverged", f"the loss is {self._last_loss}"
        elif self.last_step >= self.steps:
            kind, words = "finished", "every step was noted"
        else:
            kind, words = "interrupted", f"{self.last_step} of {self.steps} steps were noted"
        self._writer.sync()
        self._writer.event(kind, self.last_step, words)
        self._writer.close()
        self._writer = None

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _settings(self) -> tuple[float, float, float]:
        """Give rate, λ and s as they stand; behind a step a scheduler may have changed them."""
        group = main_group(self._optimizer)
        return float(group["lr"]), float(group.get("weight_decay", 0.0)), self._shrink(group)

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        self._now = self._settings()
        if (self.last_step + 1) % self.every:
            return
        self._before = {id(one.parameter): one.parameter.detach().clone() for one in self._tensors}

    @torch.no_grad()
    def _after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if not self._before:
            return
        numbers = []
        for one in self._tensors:
            before = self._before[id(one.parameter)]
            moved = before - one.parameter
            gradient = one.parameter.grad
            # Sums of products, of what is sharded over all shards.
            along = _whole((before.float() * moved.float()).sum())
            zero = torch.zeros_like(along)
            numbers += [
                norm(before),
                zero if gradient is None else norm(gradient),
                norm(moved),
                along,
                self._decay_norm(one, before),
            ]
        self._before = {}
        # One wait for the device.
        values = torch.stack([one.float().reshape(()) for one in numbers]).tolist()
        cells: list[float] = []
        square = 0.0
        for place, one in enumerate(self._tensors):
            weight, gradient_norm, update, along, decay = values[5 * place : 5 * place + 5]
            shrink = self._direct_shrink(one)
            product = along - shrink * weight**2
            rest = max(update**2 - 2 * shrink * along + (shrink * weight) ** 2, 0.0)
            lengths = weight * math.sqrt(rest)
            relative = 0.0 if update == 0.0 else update / weight if weight else math.inf
            cosine = 0.0 if lengths == 0.0 else product / lengths
            cells += [weight, gradient_norm, update, relative, cosine, decay]
            square += gradient_norm**2
        self._measured, self._gradient_norm = cells, math.sqrt(square)

    def _shrink(self, group: Mapping[str, Any]) -> float:
        """s of a group in this step; a penalty's under plain gradient descent."""
        rule = rule_of(self._optimizer)
        rate, value = float(group["lr"]), float(group.get("weight_decay", 0.0))
        if rule is None:
            return rate * value
        place = next(at for at, one in enumerate(self._optimizer.param_groups) if one is group)
        kind, strength = rule.shrinks()[place]
        return strength if kind == "shrink" else rate * value

    def _direct_shrink(self, tensor: Tensor) -> float:
        """The part of the weights that the step takes beside its direction."""
        group = self._groups.get(id(tensor.parameter))
        if group is None or _rule_name(self._optimizer) == "coupled-l2":
            return 0.0
        return self._shrink(group)

    def _decay_norm(self, tensor: Tensor, before: torch.Tensor) -> torch.Tensor:
        group = self._groups.get(id(tensor.parameter))
        shrink = 0.0 if group is None else self._shrink(group)
        rule = rule_of(self._optimizer)
        distance = before if rule is None else rule._distance(tensor.parameter, before)
        return shrink * norm(distance)

    def _write(self, keep: int) -> None:
        count = len(self._waiting) - keep
        if count <= 0:
            return
        rows, self._waiting = self._waiting[:count], self._waiting[count:]
        losses = [loss for _, loss, _ in rows if torch.is_tensor(loss)]
        # One wait for all of them.
        numbers = iter(
            torch.stack([one.float().reshape(()) for one in losses]).tolist() if losses else []
        )
        empty = [math.nan] * (len(_MEASURES) * len(self._tensors))
        for row, loss, measured in rows:
            self._last_loss = next(numbers) if torch.is_tensor(loss) else float(loss)
            row["train_loss"] = self._last_loss
            line = [row.get(name, math.nan) for name in self._columns]
            if self._writer is not None:
                self._writer.append([*line, *(empty if measured is None else measured)])

    def _plan(
        self,
        unit: str,
        seed: int,
        data: str,
        scheduler: Any,
        decay_scheduler: WeightDecayScheduler | None,
    ) -> dict[str, Any]:
        group = main_group(self._optimizer)
        rule = rule_of(self._optimizer)
        kind, _ = _kind(self._optimizer)
        rates = None if scheduler is None else rates_of_scheduler(scheduler, self.steps)
        peak = peak_rate(group) if rates is None else max(rates)
        value = float(group.get("weight_decay", 0.0))
        values = [value] * self.steps
        if decay_scheduler is not None:
            values = [decay_scheduler._value(step) for step in range(self.steps)]
        largest = max(values)
        parameters = sum(one.parameter.numel() for one in self._tensors)
        betas = group.get("betas", (0.0, 0.0))
        momentum = group.get("momentum", 0.0)
        listed, policy = self._listed(value)
        is_rounded = {one.parameter.dtype for one in self._tensors} == {torch.bfloat16}
        return {
            "format": 2,
            "program": f"weight-decay {_native.__VERSION__} in Python",
            "seed": seed,
            "steps": self.steps,
            "unit": unit,
            "samples_per_step": self._samples_per_step,
            "training_samples": self._samples,
            "validation_samples": 0,
            "epochs": self.steps * self._samples_per_step / self._samples,
            "samples_per_parameter": self.steps * self._samples_per_step / parameters,
            "data_path": data,
            "corpus_hash": data,
            "model": f"{parameters} parameters",
            "parameters": parameters,
            "decayed_parameters": sum(one["parameters"] for one in listed if one["lambda"] != 0.0),
            "dtype": "bf16" if is_rounded else "f32",
            "storage": "bf16-nearest" if is_rounded else "f32",
            "optimizer": kind,
            "momenta": {
                "momentum": float(momentum),
                "dampening": float(group.get("dampening", 0.0)),
                "nesterov": bool(group.get("nesterov", False)),
                "beta1": float(betas[0]),
                "beta2": float(betas[-1]),
            },
            "clip": 0.0,
            "policy": policy,
            "rule": _rule_name(self._optimizer),
            "cautious": bool(rule and rule.cautious),
            "anchor": _anchor(rule),
            "lambda": value if decay_scheduler is None else largest,
            "lambda_schedule": schedule_of_factors(
                [one / largest for one in values] if largest else [1.0] * self.steps
            ),
            "peak_learning_rate": peak,
            "schedule": schedule_of_factors(
                [1.0] * self.steps if rates is None else [rate / peak for rate in rates]
            ),
            "kappa": 0.0,
            "tau_steps": None,
            "tau_fraction": None,
            "tensors": listed,
        }

    def _listed(self, value: float) -> tuple[list[dict[str, Any]], str]:
        """List the tensors with λ, and the policy that gives it, where one does."""
        chosen = [
            float(self._groups.get(id(one.parameter), {}).get("weight_decay", 0.0))
            for one in self._tensors
        ]
        policy, reasons = "nanogpt", ["as its group has it"] * len(chosen)
        for name in POLICIES:
            given = choices(nn.Module(), self._tensors, value, name)
            if [one for one, _ in given] == chosen:
                policy, reasons = name, [reason for _, reason in given]
                break
        listed = []
        for one, decay, reason in zip(self._tensors, chosen, reasons, strict=True):
            count = one.parameter.numel()
            listed.append(
                {
                    "path": one.name,
                    "shape": list(one.shape),
                    "role": one.role,
                    "parameters": count,
                    "lambda": decay,
                    "reason": reason,
                    "initial_rms": float(norm(one.parameter)) / max(count, 1) ** 0.5,
                }
            )
        return listed, policy


def _kind(optimizer: torch.optim.Optimizer) -> tuple[str, str]:
    """The family of an optimizer, and the rule that it decays by itself."""
    name = type(optimizer).__name__
    kind, rule = _KINDS.get(name, ("adamw", "decoupled"))
    if optimizer.param_groups[0].get("decoupled_weight_decay"):
        rule = "decoupled"
    return kind, rule


def _rule_name(optimizer: torch.optim.Optimizer) -> str:
    rule = rule_of(optimizer)
    return _kind(optimizer)[1] if rule is None else rule.name


def _anchor(rule: Rule | None) -> Any:
    if rule is None or not (rule._anchors or rule._norms):
        return "zero"
    return "initial" if rule._anchors else {"norm": 1.0}


def _rank() -> int:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank()
    return 0


def _whole(value: torch.Tensor) -> torch.Tensor:
    """Give a number of a sharded tensor on every rank."""
    gather = getattr(value, "full_tensor", None)
    found: torch.Tensor = value if gather is None else gather()
    return found


def _configuration(plan: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Write what tells runs apart, under the names of a configuration of ``wd``."""
    lines = [
        "# Written by weight_decay.Monitor.",
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
        lines += [f"{_key(name)} = {_toml(value)}" for name, value in settings.items()]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) and math.isfinite(value):
        return repr(value)
    return _key(str(value))
