"""The questions: each asks what the command asks, with its options as keywords."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from weight_decay import _native
from weight_decay._kinds import Advice, Audit, Conversion, Evidence, Explanation
from weight_decay._words import Option, PathLike, call, pairs
from weight_decay._words import groups as groups_of
from weight_decay._words import options as options_of


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
    words = [os.fspath(setting), *pairs(keys)]
    return Explanation(*_native.ask(["explain", "--", *words], call("explain", [setting], keys)))


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
    words = ["convert", "--to", to, "--", setting, *pairs(keys)]
    return Conversion(*_native.ask(words, call("convert", [setting], {"to": to, **keys})))


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
    words = ["advise", *options_of(options)]
    if config is not None:
        words += ["--", os.fspath(config)]
    made_by = call("advise", [] if config is None else [config], options)
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
    words = ["audit", *options_of(options), "--", *paths]
    return Audit(*_native.ask(words, call("audit", paths, options)))


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
            ``offset``, ``impute``, ``strip``, ``missing``, ``drop_missing_rows`` …, as
            ``wd evidence --help``.

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
        "groups": groups_of(groups),
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
        words = ["evidence", *options_of(switched), "--", *paths]
        return Evidence(*_native.ask(words, call("evidence", paths, {**asked, **options})))
    if options:
        raise TypeError(f"of an array, evidence() takes no {', '.join(sorted(options))}")
    from weight_decay.arrays import evidence_of_arrays

    found = evidence_of_arrays(
        X,
        y,
        sample_weight=sample_weight,
        exposure=exposure,
        made_by=call("evidence", ["X", "y"], asked, bare=True),
        **asked,
    )
    return Evidence(found.value, found.page)
