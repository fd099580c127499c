"""A callback that watches a training of Keras, whatever its backend."""

from __future__ import annotations

import math
import os
from typing import Any

import keras
import numpy as np

from weight_decay import _native
from weight_decay.recording import RecordedTensor, Recorder, Training, measured_cells

# Its types are those of whatever backend is there.
_any: Any = keras

# What `wd` calls the families of Keras' optimizers. A decay of theirs stands beside the direction,
# in every one of them.
_KINDS = {
    "AdamW": "adamw",
    "Adam": "adam",
    "SGD": "sgd",
    "Lion": "lion",
    "Muon": "muon",
    "Nadam": "nadam",
    "Adafactor": "adafactor",
}

# What Keras calls the tensors of its layers.
_ROLES = {
    "gamma": "norm",
    "beta": "bias",
    "bias": "bias",
    "embeddings": "embedding",
    "kernel": "matrix",
}
_KINDS_OF_NAMES = {
    "adapter": "matrix",
    "flat": "matrix",
    "special": "class_token",
    "vector": "class_token",
}


class KerasCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """Watches a training of Keras: loss, rate, λ, and what a step does to every tensor.

    It writes what :class:`weight_decay.Monitor` writes. The gradients stay within the step, so that
    their norms are left out; the loss is that of the steps since the last row, as Keras' mean of
    the epoch gives it.

    Args:
        run_dir: The run directory.
        every: Every how many steps the tensors are measured.
        seed: The seed: runs that agree in it are paired.
        unit: What the samples are: ``"images"``, ``"tokens"`` or ``"examples"``.
        samples_per_step: Samples of a step.
        data: A name of the data.
        settings: Further settings, which tell runs apart.

    Examples:
        >>> import tempfile, keras, numpy as np, weight_decay as wd
        >>> from weight_decay.keras import KerasCallback
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.AdamW(1e-2, weight_decay=0.1), "mse")
        >>> folder = tempfile.mkdtemp()
        >>> _ = model.fit(np.ones((32, 4)), np.ones((32, 1)), batch_size=8, epochs=2, verbose=0,
        ...               callbacks=[KerasCallback(folder, every=2)])
        >>> run = wd.read_run(folder)
        >>> run.status, run.step, run.plan["lambda"]
        ('finished', 8, 0.1)
    """

    def __init__(
        self,
        run_dir: str | os.PathLike[str],
        every: int = 10,
        *,
        seed: int = 0,
        unit: str = "examples",
        samples_per_step: int = 1,
        data: str = "",
        settings: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.run_dir = run_dir
        self.every = every
        self.options: dict[str, Any] = {
            "seed": seed,
            "unit": unit,
            "samples_per_step": samples_per_step,
            "data": data,
        }
        self.settings = settings
        self._recorder: Recorder | None = None
        self._before: list[Any] | None = None
        self._sum = 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        """Begin to watch."""
        params: Any = self.params
        steps = int(params["epochs"]) * int(params.get("steps") or 1)
        optimizer = self._watched().optimizer
        kind = _KINDS.get(type(optimizer).__name__, "adamw")
        training = Training(
            steps=steps,
            rates=_rates(optimizer, steps),
            decays=[float(optimizer.weight_decay or 0.0)] * steps,
            optimizer=kind,
            rule="decoupled",
            momenta={
                "momentum": float(getattr(optimizer, "momentum", 0.0)),
                "dampening": 0.0,
                "nesterov": bool(getattr(optimizer, "nesterov", False)),
                "beta1": float(getattr(optimizer, "beta_1", 0.0)),
                "beta2": float(getattr(optimizer, "beta_2", 0.0)),
            },
            **self.options,
        )
        self._recorder = Recorder(
            self.run_dir,
            training,
            [self._recorded(one) for one in self._watched().trainable_variables],
            numbers=lambda losses: [float(one) for one in losses],
            settings=self.settings,
        )

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Keras' mean of the loss begins anew."""
        self._sum = 0.0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Keep the weights before a step that is measured."""
        if self._recorder is not None and (self._recorder.last_step + 1) % self.every == 0:
            self._before = self._weights()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note a step."""
        if self._recorder is None:
            return
        # Keras gives the mean over the epoch so far.
        mean = float((logs or {}).get("loss", math.nan))
        loss = mean * (batch + 1) - self._sum
        self._sum = mean * (batch + 1)
        optimizer = self._watched().optimizer
        place = self._recorder.last_step
        rate = self._recorder.training.rates[min(place, self._recorder.training.steps - 1)]
        decay = float(optimizer.weight_decay or 0.0)
        cells = None
        if self._before is not None:
            cells = self._measured(self._before, rate)
            self._before = None
        self._recorder.note(loss, rate, decay, rate * decay, cells)
        if self._recorder.last_step % self.every == 0:
            self._recorder.write(keep=1)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Note the validation loss."""
        if self._recorder is not None and self._recorder.is_waiting:
            self._recorder.evaluate({"validation_loss": (logs or {}).get("val_loss")})

    def on_train_end(self, logs: Any = None) -> None:
        """End the run."""
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None

    def _watched(self) -> Any:
        """The model that Keras told of."""
        return self.model

    def _weights(self) -> list[Any]:
        """The weights as arrays."""
        # With JAX the weights live in the step until they are asked for.
        if callable(sync := getattr(self._watched(), "jax_state_sync", None)):
            sync()
        found = [
            _any.ops.convert_to_numpy(one.value) for one in self._watched().trainable_variables
        ]
        return [np.array(one, dtype=np.float32) for one in found]

    def _measured(self, before: list[Any], rate: float) -> list[float]:
        cells: list[float] = []
        pairs = zip(self._watched().trainable_variables, before, self._weights(), strict=True)
        for variable, first, after in pairs:
            moved = first - after
            shrink = rate * self._decay_of(variable)
            weight = float(np.linalg.norm(first))
            along = float((first * moved).sum())
            update = float(np.linalg.norm(moved))
            cells += measured_cells([weight, math.nan, update, along, shrink * weight], shrink)
        return cells

    def _decay_of(self, variable: Any) -> float:
        """λ of a variable."""
        optimizer = self._watched().optimizer
        applies = getattr(optimizer, "_use_weight_decay", None)
        is_on = optimizer.weight_decay and (applies is None or applies(variable))
        return float(optimizer.weight_decay) if is_on else 0.0

    def _recorded(self, variable: Any) -> RecordedTensor:
        shape = tuple(int(one) for one in variable.shape)
        norm = float(np.linalg.norm(_any.ops.convert_to_numpy(variable.value)))
        return RecordedTensor(
            variable.path, shape, _role(variable.path, shape), self._decay_of(variable), norm
        )


def _role(path: str, shape: tuple[int, ...]) -> str:
    role = _ROLES.get(path.rsplit("/", 1)[-1])
    if role is None:
        kind = _native.kind_of_name(path.replace("/", "."), list(shape))
        return _KINDS_OF_NAMES.get(kind, kind)
    return "convolution" if role == "matrix" and len(shape) > 2 else role


def _rates(optimizer: Any, steps: int) -> list[float]:
    """The rate of each step."""
    schedule = optimizer._learning_rate
    if isinstance(schedule, _any.optimizers.schedules.LearningRateSchedule):
        values = (_any.ops.convert_to_numpy(schedule(step)) for step in range(steps))
        return [float(one) for one in values]
    return [float(_any.ops.convert_to_numpy(optimizer.learning_rate))] * steps
