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

from weight_decay._errors import WeightDecayError
from weight_decay.live import main_group, peak_rate, rates_of_scheduler
from weight_decay.measures import norm, product
from weight_decay.recording import RecordedTensor, Recorder, Training, measured_cells
from weight_decay.rules import Rule, rule_of
from weight_decay.scheduler import WeightDecayScheduler
from weight_decay.tensors import Tensor, groups_of, tensors

logger = logging.getLogger("weight_decay")

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
        WeightDecayError: Another process writes there, the run there is another, or it has
            finished.

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
        self.every = every
        self._optimizer = optimizer
        self._tensors = [one for one in tensors(model) if one.parameter.requires_grad]
        self._groups = {
            id(parameter): group for group in groups_of(optimizer) for parameter in group["params"]
        }
        self._buffers: list[torch.Tensor] = []
        self._is_measured = False
        self._measured: list[float] | None = None
        self._now: tuple[float, float, float] | None = None
        training = Training(
            steps=steps,
            rates=_rates(optimizer, scheduler, steps),
            decays=_decays(optimizer, decay_scheduler, steps),
            optimizer=_kind(optimizer)[0],
            rule=_rule_name(optimizer),
            momenta=_momenta(main_group(optimizer)),
            cautious=bool((rule := rule_of(optimizer)) and rule.cautious),
            anchor=_anchor(rule),
            is_bf16={one.parameter.dtype for one in self._tensors} == {torch.bfloat16},
            seed=seed,
            unit=unit,
            samples_per_step=samples_per_step,
            samples=samples,
            data=data,
        )
        # On every rank, since the norms of what is sharded are a matter of all.
        recorded = [self._recorded(one) for one in self._tensors]
        self._recorder = Recorder(
            run_dir,
            training,
            recorded,
            numbers=_numbers,
            settings=settings,
            after_step=after_step,
            writes=_rank() == 0,
        )
        self._hooks = [
            optimizer.register_step_pre_hook(self._before_step),
            optimizer.register_step_post_hook(self._after_step),
        ]
        # Before a rule decays, so that its decay is part of the update.
        hooks: Any = optimizer._optimizer_step_pre_hooks
        hooks.move_to_end(next(reversed(hooks)), last=False)
        logger.info("watched: %d tensors in %s", len(self._tensors), run_dir)

    @property
    def run_dir(self) -> Path:
        """The run directory."""
        return self._recorder.run_dir

    @property
    def last_step(self) -> int:
        """The last step that was noted."""
        return self._recorder.last_step

    def step(self, loss: Any = math.nan) -> None:
        """Note a step; to be called once after ``optimizer.step()``.

        Args:
            loss: The loss of the step's batch: a number, or a tensor, which is not waited for.
        """
        if torch.is_tensor(loss):
            loss = loss.detach()
        self._recorder.note(loss, *(self._now or self._settings()), self._measured)
        self._measured, self._now = None, None
        # The newest row stays: an evaluation may still join it.
        if self.last_step % self.every == 0:
            self._recorder.write(keep=1)

    def evaluate(
        self, *, validation_loss: float | None = None, train_eval_loss: float | None = None
    ) -> None:
        """Note an evaluation of the weights after the last step.

        Args:
            validation_loss: The loss on data that are not trained on.
            train_eval_loss: The loss on a fixed set of training data: it shows whether λ helps
                optimisation.

        Raises:
            WeightDecayError: No step was noted since the last flush.
        """
        self._recorder.evaluate(
            {"validation_loss": validation_loss, "train_eval_loss": train_eval_loss}
        )

    def flush(self) -> None:
        """Bring every noted row to the disk; to be called before a checkpoint is saved."""
        self._recorder.flush()

    def state_dict(self) -> dict[str, Any]:
        """Give what a resumed training says as ``after_step``."""
        self.flush()
        return {"after_step": self.last_step}

    def close(self) -> None:
        """End the run: finished where every step was noted, else interrupted."""
        for hook in self._hooks:
            hook.remove()
        self._hooks = []
        self._recorder.close()

    def __enter__(self) -> Monitor:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _recorded(self, tensor: Tensor) -> RecordedTensor:
        group = self._groups.get(id(tensor.parameter), {})
        return RecordedTensor(
            tensor.name,
            tensor.shape,
            tensor.role,
            float(group.get("weight_decay", 0.0)),
            float(norm(tensor.parameter)),
        )

    def _settings(self) -> tuple[float, float, float]:
        """Give rate, λ and s as they stand; behind a step a scheduler may have changed them."""
        group = main_group(self._optimizer)
        return float(group["lr"]), float(group.get("weight_decay", 0.0)), self._shrink(group)

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        self._now = self._settings()
        if (self.last_step + 1) % self.every:
            return
        # Memory that is taken once: fresh memory costs more than what is written into it.
        if not self._buffers:
            self._buffers = [torch.empty_like(one.parameter) for one in self._tensors]
        with torch.no_grad():
            for one, buffer in zip(self._tensors, self._buffers, strict=True):
                buffer.copy_(one.parameter)
        self._is_measured = True

    @torch.no_grad()
    def _after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        if not self._is_measured:
            return
        numbers = []
        for one, before in zip(self._tensors, self._buffers, strict=True):
            moved = before - one.parameter
            gradient = one.parameter.grad
            weight, along = norm(before), product(before, moved)
            numbers += [
                weight,
                torch.zeros_like(weight) if gradient is None else norm(gradient),
                norm(moved),
                along,
                self._decay_norm(one, before, weight),
            ]
        self._is_measured = False
        # One wait for the device.
        values = torch.stack([one.float().reshape(()) for one in numbers]).tolist()
        cells: list[float] = []
        for place, one in enumerate(self._tensors):
            cells += measured_cells(values[5 * place : 5 * place + 5], self._direct_shrink(one))
        self._measured = cells

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

    def _decay_norm(
        self, tensor: Tensor, before: torch.Tensor, weight: torch.Tensor
    ) -> torch.Tensor:
        group = self._groups.get(id(tensor.parameter))
        shrink = 0.0 if group is None else self._shrink(group)
        rule = rule_of(self._optimizer)
        if rule is None or not (rule._anchors or rule._norms):
            return shrink * weight
        return shrink * norm(rule._distance(tensor.parameter, before))


def _rates(optimizer: torch.optim.Optimizer, scheduler: Any, steps: int) -> list[float]:
    """The rate of each step."""
    if scheduler is not None:
        return rates_of_scheduler(scheduler, steps)
    return [peak_rate(main_group(optimizer))] * steps


def _decays(
    optimizer: torch.optim.Optimizer, scheduler: WeightDecayScheduler | None, steps: int
) -> list[float]:
    """λ of each step."""
    if scheduler is not None:
        return [scheduler._value(step) for step in range(steps)]
    return [float(main_group(optimizer).get("weight_decay", 0.0))] * steps


def _momenta(group: Mapping[str, Any]) -> dict[str, Any]:
    betas = group.get("betas", (0.0, 0.0))
    return {
        "momentum": float(group.get("momentum", 0.0)),
        "dampening": float(group.get("dampening", 0.0)),
        "nesterov": bool(group.get("nesterov", False)),
        "beta1": float(betas[0]),
        "beta2": float(betas[-1]),
    }


def _numbers(losses: list[Any]) -> list[float]:
    """Look at losses that lie on a device, all of them at once."""
    waiting = [one.float().reshape(()) for one in losses if torch.is_tensor(one)]
    found = iter(torch.stack(waiting).tolist() if waiting else [])
    return [next(found) if torch.is_tensor(one) else float(one) for one in losses]


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
