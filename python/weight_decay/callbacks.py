"""Callbacks that watch the trainings of other trainers: Hugging Face and Lightning.

Each takes what :class:`weight_decay.Monitor` takes, but for the model, the optimizer and the steps,
which the trainer knows.
"""

from __future__ import annotations

import importlib
import math
import os
from typing import Any

from weight_decay.live import unwrapped
from weight_decay.monitor import Monitor


def _optional(module: str, name: str) -> type[Any]:
    """Give a class of a library, or an empty one where the library is not installed."""
    try:
        found: type[Any] = getattr(importlib.import_module(module), name)
    except ImportError:
        return object
    return found


class HuggingFaceCallback(_optional("transformers", "TrainerCallback")):  # type: ignore[misc]
    """Watches a training of the Hugging Face ``Trainer``.

    The training loss is what the trainer logs: the mean since it logged last, in the row of the
    step at which it does. With ``logging_steps=1`` there is one a step.

    Args:
        run_dir: The run directory. Default: ``wd`` in the trainer's ``output_dir``.
        every: Every how many steps the tensors are measured.
        **options: Of :class:`weight_decay.Monitor`.

    Examples:
        >>> from weight_decay.callbacks import HuggingFaceCallback
        >>> callback = HuggingFaceCallback(every=50)
        >>> # trainer = Trainer(…, callbacks=[callback])
    """

    def __init__(
        self, run_dir: str | os.PathLike[str] | None = None, every: int = 10, **options: Any
    ) -> None:
        super().__init__()
        self.run_dir = run_dir
        self.every = every
        self.options = options
        self.monitor: Monitor | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin to watch."""
        place = self.run_dir
        if place is None:
            place = os.path.join(args.output_dir, "wd")
        batch = args.per_device_train_batch_size * args.gradient_accumulation_steps
        options = {"seed": args.seed, "samples_per_step": batch * args.world_size, **self.options}
        self.monitor = Monitor(
            kwargs["model"],
            unwrapped(kwargs["optimizer"]),
            place,
            steps=state.max_steps,
            every=self.every,
            scheduler=kwargs.get("lr_scheduler"),
            after_step=state.global_step,
            **options,
        )

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note a step."""
        if self.monitor is not None:
            self.monitor.step()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Note the loss that is logged."""
        if self.monitor is not None and logs and "loss" in logs:
            self.monitor._recorder.note_loss(float(logs["loss"]))

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any
    ) -> None:
        """Note an evaluation."""
        if self.monitor is not None and metrics and "eval_loss" in metrics:
            self.monitor.evaluate(validation_loss=metrics["eval_loss"])

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Bring the rows to the disk before a checkpoint is."""
        if self.monitor is not None:
            self.monitor.flush()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """End the run."""
        if self.monitor is not None:
            self.monitor.close()
            self.monitor = None


class LightningCallback(_optional("lightning.pytorch", "Callback")):  # type: ignore[misc]
    """Watches a training of Lightning's ``Trainer``, of its first optimizer.

    Args:
        run_dir: The run directory. Default: ``wd`` in the trainer's ``default_root_dir``.
        every: Every how many steps the tensors are measured.
        validation: The metric that is the validation loss.
        **options: Of :class:`weight_decay.Monitor`.

    Examples:
        >>> from weight_decay.callbacks import LightningCallback
        >>> callback = LightningCallback(every=50)
        >>> # trainer = Trainer(…, callbacks=[callback])
    """

    def __init__(
        self,
        run_dir: str | os.PathLike[str] | None = None,
        every: int = 10,
        validation: str = "val_loss",
        **options: Any,
    ) -> None:
        super().__init__()
        self.run_dir = run_dir
        self.every = every
        self.validation = validation
        self.options = options
        self.monitor: Monitor | None = None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin to watch."""
        place = self.run_dir
        if place is None:
            place = os.path.join(trainer.default_root_dir, "wd")
        schedulers = trainer.lr_scheduler_configs
        # A scheduler of epochs is none of steps.
        of_steps = [one.scheduler for one in schedulers if one.interval == "step"]
        self.monitor = Monitor(
            pl_module,
            unwrapped(trainer.optimizers[0]),
            place,
            steps=int(trainer.estimated_stepping_batches),
            every=self.every,
            scheduler=of_steps[0] if of_steps else None,
            after_step=trainer.global_step,
            **self.options,
        )

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note a step, where the batch ended one."""
        if self.monitor is None or trainer.global_step <= self.monitor.last_step:
            return
        loss = outputs.get("loss", math.nan) if isinstance(outputs, dict) else outputs
        self.monitor.step(math.nan if loss is None else loss)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Note an evaluation."""
        found = trainer.callback_metrics.get(self.validation)
        if self.monitor is not None and found is not None and self.monitor._recorder.is_waiting:
            self.monitor.evaluate(validation_loss=float(found))

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """End the run."""
        self._close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """End a run that was interrupted."""
        self._close()

    def _close(self) -> None:
        if self.monitor is not None:
            self.monitor.close()
            self.monitor = None
