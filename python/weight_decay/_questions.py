"""The questions: each asks what the command asks, with its options as keywords."""

from __future__ import annotations

import importlib.util
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weight_decay import _native
from weight_decay._answer import Answer, frame

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

#: A file or a folder.
PathLike = str | os.PathLike[str]

#: The option of a question: a number, a word, a switch, or several of them.
Option = str | float | bool | Sequence[str] | Sequence[float] | None


class Explanation(Answer):
    """What one weight-decay setting does; see :func:`explain`."""

    @property
    def kappa(self) -> float | None:
        """κ = Σ s over the run, the total decay exponent; ``None`` where the run is not known."""
        return _number(self._value["timescale"].get("kappa"))

    @property
    def initial_share(self) -> float | None:
        """The share of the initial weights that is left at the end."""
        return _number(self._value["timescale"].get("initial_share"))

    @property
    def tau_steps(self) -> float | None:
        """τ = 1/s at the peak, in steps: how long a gradient is remembered."""
        return _number(self._value["timescale"].get("tau_steps"))

    @property
    def tau_fraction(self) -> float | None:
        """τ as a share of the run."""
        return _number(self._value["timescale"].get("tau_fraction"))

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """What to beware of: a reason and a fix each."""
        return [dict(one) for one in self._value.get("warnings", [])]


class Conversion(Answer):
    """One decay in other libraries; see :func:`convert`."""

    @property
    def conversions(self) -> list[dict[str, Any]]:
        """A row for each target: ``target``, ``answer``, ``keys``, ``call``, ``reasons``."""
        return [dict(one) for one in self._value["conversions"]]

    @property
    def call(self) -> str | None:
        """The call to paste, where one target was asked for and has one."""
        rows = self._value["conversions"]
        return rows[0].get("call") if len(rows) == 1 else None

    @property
    def is_exact(self) -> bool:
        """Whether every target takes the same steps, or has the same minimum."""
        return all(row["answer"] == "exact" for row in self._value["conversions"])

    def _records(self) -> Sequence[Mapping[str, Any]]:
        return self.conversions


class Advice(Answer):
    """Which λ published laws give; see :func:`advise`."""

    @property
    def lambda_(self) -> float | None:
        """λ as ``torch.optim.AdamW`` takes it; ``None`` where the laws give no single one."""
        return _number(self._value["advice"]["verdict"].get("lambda"))

    @property
    def interval(self) -> tuple[float, float] | None:
        """Between which values it lies."""
        found = self._value["advice"]["verdict"].get("range")
        return None if found is None else (float(found["low"]), float(found["high"]))

    @property
    def verdict(self) -> dict[str, Any]:
        """What the laws come to together."""
        return dict(self._value["advice"]["verdict"])

    @property
    def laws(self) -> list[dict[str, Any]]:
        """Every law: whether it applies, and why."""
        return [dict(one) for one in self._value["advice"]["laws"]]

    def _records(self) -> Sequence[Mapping[str, Any]]:
        return self.laws


class Audit(Answer):
    """What files prove about a weight decay; see :func:`audit`."""

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What may be wrong, the most severe first: ``rule``, ``severity``, ``message`` …"""
        return [dict(one) for one in self._value["findings"]]

    @property
    def proof(self) -> dict[str, Any]:
        """What the files prove: estimates of λ with their intervals."""
        return dict(self._value["proof"])

    @property
    def lambda_(self) -> float | None:
        """λ that was applied, as far as the files prove it."""
        found = self._value["proof"]["verdict"].get("estimate")
        return None if found is None else float(found["value"])

    @property
    def lambda_interval(self) -> tuple[float, float] | None:
        """Between which values it lies."""
        found = self._value["proof"]["verdict"].get("estimate")
        return None if found is None else (float(found["low"]), float(found["high"]))

    @property
    def worst(self) -> str | None:
        """The severity of the gravest finding."""
        return self._value["findings"][0]["severity"] if self._value["findings"] else None

    def _records(self) -> Sequence[Mapping[str, Any]]:
        return self.findings


class Evidence(Answer):
    """The λ that data prefer; see :func:`evidence`.

    Attributes are those of one target. λ weighs ‖w‖² beside the *sum* of squared errors (beside the
    summed log loss for other families), on columns divided by their standard deviation.
    """

    @property
    def lambda_(self) -> float | dict[str, float]:
        """The chosen λ; ∞ where the columns say nothing. By group where there are groups."""
        found: float | dict[str, float] = _infinite(self._value["lambda"])
        return found

    @property
    def lambda_interval(self) -> tuple[float, float] | None:
        """95 % interval of λ, by the curvature of the evidence."""
        found = self._value["lambda_interval"]
        return None if found is None else (float(found[0]), float(found[1]))

    @property
    def alpha(self) -> float | dict[str, float]:
        """α, the precision of the prior on standardised coefficients."""
        found: float | dict[str, float] = _infinite(self._value["alpha"])
        return found

    @property
    def beta(self) -> float:
        """β, the precision of the noise; 1 where the family has none."""
        return float(_infinite(self._value["beta"]))

    @property
    def log_evidence(self) -> float:
        """ln p(y | λ) in nats; ∞ where the fit leaves no noise."""
        return float(_infinite(self._value["log_evidence"]))

    @property
    def effective_parameters(self) -> float:
        """γ: how many parameters the data determine."""
        return float(self._value["effective_parameters"])

    @property
    def coefficients(self) -> dict[str, Any]:
        """Coefficients in original units, by column; for each class where there are several."""
        return dict(self._value["coefficients"])

    @property
    def intercept(self) -> float | dict[str, float]:
        """The prediction where every column is 0."""
        found = self._value["intercept"]
        return dict(found) if isinstance(found, Mapping) else float(found)

    @property
    def path(self) -> list[dict[str, Any]]:
        """Everything along the path of λ, ascending."""
        return [dict(point) for point in self._value["path"]]

    @property
    def comparison(self) -> list[dict[str, Any]]:
        """Which λ each criterion chooses, and what that costs by the others."""
        return [dict(one) for one in self._value["comparison"]]

    @property
    def conventions(self) -> list[dict[str, Any]]:
        """The same fit in other libraries."""
        return [dict(one) for one in self._value["conventions"]]

    def _records(self) -> Sequence[Mapping[str, Any]]:
        return self.path


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


class Verdict(Answer):
    """What λ did in several runs; see :func:`verdict`."""

    @property
    def verdict(self) -> dict[str, Any]:
        """What follows, as data."""
        return dict(self._value["verdict"])

    @property
    def acts_as(self) -> Any:
        """Whether λ acted as a prior, as a force, as both, or as neither."""
        return self._value["verdict"].get("acts_as")

    @property
    def arms(self) -> list[dict[str, Any]]:
        """Groups of runs that differ in their seed alone."""
        return [dict(one) for one in self._value["arms"]]

    @property
    def comparisons(self) -> list[dict[str, Any]]:
        """Paired differences of arms, with their intervals."""
        return [dict(one) for one in self._value["comparisons"]]

    def _records(self) -> Sequence[Mapping[str, Any]]:
        return self.arms


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

    def __iter__(self) -> Any:
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


def explain(setting: Any, *, scheduler: Any = None, **keys: Option) -> Explanation:
    """Say everything that follows from one weight-decay setting.

    Args:
        setting: An entry of the library table such as ``"torch.AdamW"``; the path of a
            configuration; or a live ``torch.optim`` optimizer, whose groups and numbers are read.
        scheduler: The learning-rate scheduler of a live optimizer; give ``steps`` with it.
        **keys: The entry's own keys (``weight_decay``, ``lr``, ``betas``, ``momentum`` …) and those
            of the run around it: ``steps``, ``schedule``, ``batch``, ``tokens``, ``data``,
            ``params``, ``epochs``, ``dtype`` …, as words (``"124M"``, ``"65536tok"``) or numbers.

    Returns:
        κ, τ, what is left of the initial weights, the equilibrium, and what to beware of.

    Raises:
        WeightDecayError: A name or a number that is none.

    Examples:
        >>> import weight_decay as wd
        >>> answer = wd.explain("torch.AdamW", weight_decay=0.1, lr=6e-4, steps=50_000,
        ...                     schedule="cosine,warmup=400,floor=0.1")
        >>> round(answer.kappa, 3)
        1.649
        >>> round(answer.initial_share, 2)
        0.19
    """
    if hasattr(setting, "param_groups"):
        from weight_decay.live import words_of_optimizer

        setting, read = words_of_optimizer(setting, scheduler, keys.get("steps"))
        keys = {**read, **keys}
    words = [os.fspath(setting), *_pairs(keys)]
    return Explanation(*_native.ask(["explain", "--", *words], _call("explain", [setting], keys)))


def convert(setting: str, to: str = "all", **keys: Option) -> Conversion:
    """Carry a weight decay over to another library: exactly, nearly, or not at all, and why.

    Args:
        setting: An entry of the library table, such as ``"torch.AdamW"``.
        to: Where to: an entry, with keys that are to be held (``"torch.AdamW lr=1e-3"``), or
            ``"all"``.
        **keys: As for :func:`explain`.

    Returns:
        A row for each target, with a call to paste.

    Raises:
        WeightDecayError: A name or a number that is none.

    Examples:
        >>> import weight_decay as wd
        >>> answer = wd.convert("torch.AdamW", weight_decay=0.1, lr=6e-4, to="big_vision.adam")
        >>> answer.is_exact, answer.conversions[0]["keys"]["wd"]
        (True, 6e-05)
    """
    words = ["convert", "--to", to, "--", setting, *_pairs(keys)]
    return Conversion(*_native.ask(words, _call("convert", [setting], {"to": to, **keys})))


def advise(config: PathLike | None = None, **options: Option) -> Advice:
    """Say which λ published laws give for a planned run, and why.

    Args:
        config: The path of a configuration, instead of options that describe the run.
        **options: ``params``, ``tokens`` or ``images``, ``epochs``, ``dataset_size``, ``batch``,
            ``steps``, ``lr``, ``schedule``, ``optimizer``, ``width``, ``base_width``,
            ``base_lambda``, ``base_tokens``, ``fine_tune``, ``target``.

    Returns:
        The recommendation with its interval, and what every law says.

    Raises:
        WeightDecayError: A number that is none, or numbers that do not agree.

    Examples:
        >>> import weight_decay as wd
        >>> answer = wd.advise(params="124M", tokens="10B", batch="0.5M", lr=6e-4,
        ...                    schedule="cosine:0.1")
        >>> round(answer.lambda_, 2)
        0.78
    """
    words = ["advise", *_options(options)]
    if config is not None:
        words += ["--", os.fspath(config)]
    made_by = _call("advise", [] if config is None else [config], options)
    return Advice(*_native.ask(words, made_by))


def audit(*subjects: Any, **options: Option) -> Audit:
    """Prove what weight decay was applied, and judge what was declared.

    Args:
        *subjects: Checkpoints, folders of checkpoints and configurations; or a live model and its
            optimizer, which are judged as the checkpoint that they would be saved as.
        **options: ``against``, ``config``, ``rates``, ``select``, ``ignore``, ``baseline``,
            ``verify``, ``no_mmap``.

    Returns:
        What the files hold, what may be wrong, and what they prove. No file is executed.

    Raises:
        WeightDecayError: A file that cannot be read, or nothing that can be audited.

    Examples:
        >>> import weight_decay as wd
        >>> found = wd.audit("corpora/checkpoints/lm-1500.pt",
        ...                  against="corpora/checkpoints/lm-1501.pt")  # doctest: +SKIP
        >>> found.worst  # doctest: +SKIP
        'warning'
    """
    if len(subjects) == 2 and hasattr(subjects[1], "param_groups"):
        import tempfile

        from weight_decay.live import save_checkpoint

        with tempfile.TemporaryDirectory() as folder:
            path = save_checkpoint(Path(folder), *subjects)
            return audit(path, **options)
    paths = [os.fspath(path) for path in subjects]
    words = ["audit", *_options(options), "--", *paths]
    return Audit(*_native.ask(words, _call("audit", paths, options)))


def evidence(
    X: Any,
    y: Any = None,
    *,
    target: str | Sequence[str] | None = None,
    family: str = "gaussian",
    compare: str | Sequence[str] | None = None,
    groups: str | Mapping[str, str | Sequence[str]] | None = None,
    sample_weight: Any = None,
    exposure: Any = None,
    standardize: bool = True,
    intercept: str | None = None,
    points: int | None = None,
    seed: int = 0,
    **options: Option,
) -> Evidence:
    """Choose λ by Bayes: fit a linear model with the λ that the data themselves prefer.

    Args:
        X: The path of a table (CSV or Parquet; several as a list), an array, or a DataFrame, n × p.
        y: The target of an array or a DataFrame.
        target: The column of a table, or of a DataFrame, that is to be explained.
        family: ``"gaussian"``, ``"logistic"``, ``"softmax"`` or ``"poisson"``.
        compare: Other criteria beside the evidence: ``"loo"``, ``"gcv"``, ``"cv:10"``,
            ``"holdout:FILE"``.
        groups: A prior precision for each group of columns: ``"each"``, or names with patterns.
        sample_weight: A weight for each row of an array: a row of weight 2 is two rows.
        exposure: The exposure of each row of an array, for counts.
        standardize: Whether columns are divided by their standard deviation.
        intercept: ``"profiled"``, ``"integrated"`` or ``"absent"``.
        points: Values of λ along the path.
        seed: Deals rows to the folds of cross-validation.
        **options: Of a table: ``drop``, ``categorical``, ``with_``, ``dates``, ``weights``,
            ``offset``, ``impute``, ``missing``, ``drop_missing_rows`` …, as ``wd evidence --help``.

    Returns:
        λ with its interval, coefficients, the path, and the same fit in other libraries.

    Raises:
        WeightDecayError: A table or an option that cannot be followed.

    Notes:
        A Gaussian fit with more rows than columns copies nothing of an array of 64-bit floats: it
        passes over it once, block by block. Other arrays are converted, and the other families
        make one copy.

    Examples:
        >>> import numpy as np, weight_decay as wd
        >>> random = np.random.default_rng(0)
        >>> X = random.normal(size=(200, 3))
        >>> y = X @ [1.0, -2.0, 0.0] + random.normal(size=200)
        >>> found = wd.evidence(X, y)
        >>> round(found.lambda_, 2)
        0.58
        >>> round(found.coefficients["x1"])
        -2
    """
    asked: dict[str, Any] = {
        "target": target,
        "family": family,
        "compare": compare,
        "groups": _groups(groups),
        "standardize": standardize,
        "intercept": intercept,
        "points": points,
        "seed": seed,
    }
    if isinstance(X, str | os.PathLike) or (
        isinstance(X, list) and X and all(isinstance(one, str | os.PathLike) for one in X)
    ):
        paths = [os.fspath(one) for one in (X if isinstance(X, list) else [X])]
        named = {key.rstrip("_"): value for key, value in options.items()}
        switched = {**asked, "standardize": None if standardize else "false", **named}
        words = ["evidence", *_options(switched), "--", *paths]
        return Evidence(*_native.ask(words, _call("evidence", paths, {**asked, **options})))
    if options:
        raise TypeError(f"of an array, evidence() takes no {', '.join(sorted(options))}")
    from weight_decay.arrays import evidence_of_arrays

    found = evidence_of_arrays(
        X,
        y,
        sample_weight=sample_weight,
        exposure=exposure,
        made_by=_call("evidence", ["X", "y"], asked, bare=True),
        **asked,
    )
    return Evidence(found.value, found.page)


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
    words = ["report", *_options(options), "--", *named]
    return Verdict(*_native.ask(words, _call("verdict", named, options)))


def _pairs(keys: Mapping[str, Option]) -> list[str]:
    """Write keys as ``key=value``."""
    words = []
    for key, value in keys.items():
        if key == "betas" and not isinstance(value, str) and isinstance(value, Sequence):
            words.append("betas=" + ",".join(_word(one) for one in value))
        elif value is not None:
            words.append(f"{key}={_word(value)}")
    return words


def _options(options: Mapping[str, Option]) -> list[str]:
    """Write options as ``--name value``."""
    words: list[str] = []
    for key, value in options.items():
        name = "--" + key.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(name)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for one in value:
                words += [name, _word(one)]
        else:
            words += [name, _word(value)]
    return words


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    return str(value)


def _groups(groups: str | Mapping[str, str | Sequence[str]] | None) -> list[str]:
    if groups is None:
        return []
    if isinstance(groups, str):
        return [groups]
    written = []
    for name, patterns in groups.items():
        listed = patterns if isinstance(patterns, str) else ",".join(patterns)
        written.append(f"{name}={listed}")
    return written


def _call(name: str, words: Sequence[Any], keys: Mapping[str, Any], bare: bool = False) -> str:
    """Write the call that an answer was made by, for its page."""
    shown = [str(word) if bare else repr(str(word)) for word in words]
    shown += [f"{key}={value!r}" for key, value in keys.items() if value not in (None, [], "")]
    return f"weight_decay.{name}({', '.join(shown)})"


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _infinite(value: Any) -> Any:
    """Read a number where JSON has none for ∞."""
    if isinstance(value, Mapping):
        return {key: _infinite(one) for key, one in value.items()}
    return math.inf if value is None else float(value)
