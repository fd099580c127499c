"""Arrays and DataFrames as what the evidence is computed of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from weight_decay import _native
from weight_decay._errors import WeightDecayError

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """The fit of one target.

    Attributes:
        value: The analysis.
        page: Its page.
        predictor: What predicts.
        coefficients: A row for each linear predictor, in original units.
        intercepts: Their predictions where every column is 0.
        deviations: Posterior standard deviations of the coefficients; absent where not known.
    """

    value: Any
    page: _native.Page
    predictor: _native.Predictor
    coefficients: Matrix
    intercepts: Matrix
    deviations: Matrix | None


def evidence_of_arrays(
    X: Any,
    y: Any,
    *,
    columns: Sequence[str] | None = None,
    classes: Sequence[str] = (),
    target: str | Sequence[str] | None = None,
    family: str = "gaussian",
    compare: str | Sequence[str] | None = None,
    groups: Sequence[str] = (),
    sample_weight: Any = None,
    exposure: Any = None,
    standardize: bool = True,
    intercept: str | None = None,
    points: int | None = None,
    seed: int = 0,
    figures: bool = True,
    made_by: str | None = None,
) -> Fit:
    """Fit one target; see :func:`weight_decay.evidence`."""
    if y is None:
        X, y, target = split(X, target)
    name = target if isinstance(target, str) else getattr(y, "name", None)
    if family in {"logistic", "softmax"} and not classes:
        labels, codes = np.unique(np.asarray(y).ravel(), return_inverse=True)
        classes = [str(label) for label in labels]
        y = codes
    if isinstance(compare, str):
        compare = compare.split(",")
    asked = {
        "columns": column_names(X) if columns is None else list(columns),
        "targets": [str(name) if name is not None else "y"],
        "classes": list(classes),
        "family": family,
        "compare": None if compare is None else list(compare),
        "groups": list(groups),
        "weights_mean": "repeats",
        "standardize": standardize,
        "intercept": intercept,
        "points": points,
        "seed": seed,
        "figures": figures,
        "made_by": made_by,
    }
    x = matrix(X)
    fits = _native.evidence_of_rows(
        x, column(y, "y", len(x)), numbers(sample_weight), numbers(exposure), asked
    )
    value, page, predictor, outputs = fits[0]
    deviations = [list(one) for _, _, one in outputs]
    return Fit(
        value,
        page,
        predictor,
        np.array([list(one) for _, one, _ in outputs]),
        np.array([one for one, _, _ in outputs]),
        np.array(deviations) if all(deviations) else None,
    )


def matrix(X: Any) -> Matrix:
    """View as a matrix of 64-bit floats; one that is such a matrix is not copied."""
    if hasattr(X, "toarray"):
        raise WeightDecayError("X is sparse", "give X.toarray(): the evidence takes dense rows")
    found = np.require(np.asarray(X), dtype=np.float64, requirements=["ALIGNED"])
    if found.ndim != 2:
        raise WeightDecayError(
            f"X has {found.ndim} dimensions, and a row is an example",
            "reshape it to (rows, columns), for example by X.reshape(-1, 1)",
        )
    return found


def column(y: Any, name: str, rows: int) -> Matrix:
    """View as a matrix of one column."""
    found = np.require(np.asarray(y), dtype=np.float64, requirements=["ALIGNED"])
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != 1 or len(found) != rows:
        raise WeightDecayError(
            f"{name} has the shape {found.shape}, and X has {rows} rows", "give a number a row"
        )
    return found.reshape(-1, 1)


def numbers(values: Any) -> list[float] | None:
    """Read a number a row."""
    if values is None:
        return None
    found: list[float] = np.asarray(values, dtype=np.float64).ravel().tolist()
    return found


def column_names(X: Any) -> list[str]:
    """Name the columns as a DataFrame does, or ``x0``, ``x1`` …"""
    names = getattr(X, "columns", None)
    if names is not None:
        return [str(name) for name in names]
    shape = np.shape(X)
    return [f"x{place}" for place in range(shape[1] if len(shape) == 2 else 0)]


def split(X: Any, target: str | Sequence[str] | None) -> tuple[Any, Any, str]:
    """Take the target out of a DataFrame."""
    if not isinstance(target, str) or not hasattr(X, "columns"):
        raise WeightDecayError(
            "nothing says what is to be explained",
            "give y beside an array, or target='name' beside a DataFrame or a file",
        )
    if target not in list(X.columns):
        raise WeightDecayError(f"the table has no column {target!r}")
    rest = [name for name in X.columns if name != target]
    return X[rest], X[target], target
