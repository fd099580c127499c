"""Runs and studies: read, and what they show."""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weight_decay import _native
from weight_decay._answer import Answer, frame
from weight_decay._kinds import Verdict
from weight_decay._words import Option, PathLike, call
from weight_decay._words import options as options_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd


class Run(Answer):
    """One run: what was planned, how far it came, and every number it recorded.

    See :func:`read_run`.
    """

    @property
    def path(self) -> Path:
        """Where it is."""
        return Path(self._value["path"])

    @property
    def plan(self) -> dict[str, Any]:
        """What was decided before the first step."""
        return dict(self._value["plan"])

    @property
    def status(self) -> str:
        """How it stands: new, running, interrupted, diverged or finished."""
        return str(self._value["status"])

    @property
    def step(self) -> int:
        """Steps done."""
        return int(self._value["step"])

    @property
    def columns(self) -> dict[str, npt.NDArray[np.float64]]:
        """Every column as an array, a row a step. Of tensors they are named ``measure/path``."""
        return dict(self._value["columns"])

    def column(self, name: str) -> npt.NDArray[np.float64]:
        """Give one column.

        Raises:
            KeyError: There is no such column; the message names those that there are.
        """
        columns = self._value["columns"]
        if name not in columns:
            known = ", ".join(list(columns)[:12])
            raise KeyError(f"no column {name!r}; there are {known} …")
        found: npt.NDArray[np.float64] = columns[name]
        return found

    def to_frame(self) -> pd.DataFrame:
        """Give all columns as a pandas DataFrame, a row a step."""
        frame([])
        import pandas as pd

        return pd.DataFrame(self._value["columns"])

    def to_dict(self) -> Any:
        """Give the value as dictionaries, lists, strings and numbers."""
        value = {key: part for key, part in self._value.items() if key != "columns"}
        value["path"] = str(value["path"])
        value["columns"] = {name: list(map(float, one)) for name, one in self.columns.items()}
        return value


class Study:
    """The run directories of a study; see :func:`read_study`.

    Attributes:
        path: Where it is.
        directories: The run directories, by name.
    """

    def __init__(self, path: Path, directories: Sequence[Path]) -> None:
        self.path = path
        self.directories = list(directories)

    def __len__(self) -> int:
        return len(self.directories)

    def __iter__(self) -> Iterator[Run]:
        return (read_run(directory) for directory in self.directories)

    def verdict(self) -> Verdict:
        """Say what λ did; see :func:`verdict`."""
        return verdict(self)

    def to_frame(self) -> pd.DataFrame:
        """Give a row for each run: λ, rate, schedule, seed, status and its last losses."""
        rows = []
        for run in self:
            plan = run.plan
            row = {
                "run": run.path.name,
                "lambda": plan["lambda"],
                "learning_rate": plan["peak_learning_rate"],
                "schedule": plan["schedule"]["kind"],
                "seed": plan["seed"],
                "kappa": plan["kappa"],
                "status": run.status,
                "step": run.step,
            }
            for name in ("train_loss", "train_eval_loss", "validation_loss"):
                numbers = run.columns.get(name)
                finite = [] if numbers is None else [x for x in numbers if math.isfinite(x)]
                row[name] = finite[-1] if finite else math.nan
            rows.append(row)
        return frame(rows)

    def __repr__(self) -> str:
        return f"<Study: {len(self)} runs in {self.path}>"


def read_run(path: PathLike) -> Run:
    """Read a run directory, of the command or of a :class:`weight_decay.Monitor`.

    Args:
        path: The directory. It may still be growing.

    Returns:
        The plan, the status, and the columns as numpy arrays.

    Raises:
        ImportError: numpy is not installed.
        WeightDecayError: There is no run, or a file of it is damaged.
    """
    if importlib.util.find_spec("numpy") is None:
        raise ImportError(
            "read_run() needs numpy, which is not installed: pip install numpy; the command "
            "`wd metrics` prints the same without it"
        )
    value, page = _native.read_run(Path(path))
    return Run(value, page)


def read_study(path: PathLike) -> Study:
    """Find the run directories of a study, or of a folder of runs.

    Args:
        path: What ``wd sweep`` wrote, or a folder that holds run directories.

    Returns:
        The study; iterating over it reads its runs.

    Raises:
        FileNotFoundError: There is no run in it.
    """
    folder = Path(path)
    trials = folder / "trials"
    within = trials if trials.is_dir() else folder
    found = sorted(one.parent for one in within.glob("*/plan.json"))
    if not found:
        raise FileNotFoundError(f"no run directory in {folder}: each holds a plan.json")
    return Study(folder, found)


def verdict(study: Study | PathLike | Sequence[PathLike], **options: Option) -> Verdict:
    """Say what λ did: whether it acted as a prior or as a force, and with which certainty.

    Args:
        study: A study, run directories, or what another program logged (TensorBoard, W&B, MLflow,
            trackio, Lightning, Hugging Face, tables, text).
        **options: What the names of another program mean: ``lambda_from``, ``rate_from``,
            ``seed_from``, ``train``, ``validation``, ``train_is``, ``target`` …, as
            ``wd report --help``.

    Returns:
        Arms, paired differences, and what follows from them.

    Raises:
        WeightDecayError: No run has finished, or nothing says which setting is λ.
    """
    if isinstance(study, Study):
        paths = [study.path]
    elif isinstance(study, str | os.PathLike):
        paths = [Path(study)]
    else:
        paths = [Path(one) for one in study]
    named = [str(path) for path in paths]
    words = ["report", *options_of(options), "--", *named]
    return Verdict(*_native.ask(words, call("verdict", named, options)))
