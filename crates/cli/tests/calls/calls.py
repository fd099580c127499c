"""Runs every scikit-learn call that `wd evidence` prints, under every combination of options, and compares coefficients.

    python crates/cli/tests/calls/calls.py target/debug/wd           # compares
    python crates/cli/tests/calls/calls.py target/debug/wd --write   # and writes calls.csv and calls.json

Needs scikit-learn 1.9. A call is evaluated as it is printed, with X, y, w and exposure as the help of the page names them.
"""

import itertools
import json
import pathlib
import subprocess
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = pathlib.Path(__file__).parent
TABLE = HERE / "calls.csv"
FEATURES = ["a", "b", "c"]
NAMES = {
    "make_pipeline": make_pipeline,
    "StandardScaler": StandardScaler,
    "Ridge": Ridge,
    "LogisticRegression": LogisticRegression,
    "PoissonRegressor": PoissonRegressor,
}


def write_table():
    """90 rows of three columns of unlike scales, a target of each family, weights (0 among them) and exposures."""
    random = np.random.default_rng(7)
    x = random.normal(size=(90, 3)) * [1, 20, 0.3] + [0.2, -5, 0.1]
    eta = 1.2 * (x[:, 0] - 0.2) - 0.04 * (x[:, 1] + 5) + 2.5 * (x[:, 2] - 0.1)
    exposure = random.uniform(0.5, 4, 90).round(2)
    columns = {
        "a": x[:, 0].round(3),
        "b": x[:, 1].round(2),
        "c": x[:, 2].round(4),
        "gain": (10 + 2 * eta + random.normal(size=90)).round(3),
        "event": (eta + random.logistic(size=90) > 0).astype(int),
        "state": np.digitize(eta + random.logistic(size=90), [-0.7, 0.8]),
        "claims": random.poisson(exposure * np.exp(0.4 + 0.5 * eta)),
        "w": np.arange(90) % 4,
        "exposure": exposure,
    }
    rows = zip(*columns.values())
    TABLE.write_text("\n".join([",".join(columns)] + [",".join(str(value) for value in row) for row in rows]) + "\n")


def combinations():
    """Target, family and the options of each fit."""
    for target, family in [("gain", "gaussian"), ("event", "logistic"), ("state", "softmax"), ("claims", "poisson")]:
        weights = [None, "w:repeats"] + (["w:precision"] if family == "gaussian" else [])
        offsets = [None, "exposure"] if family == "poisson" else [None]
        for standardize, intercept, weight, offset in itertools.product(["true", "false"], ["profiled", "absent"], weights, offsets):
            others = [name for name in ("gain", "event", "state", "claims") if name != target]
            others += [] if weight else ["w"]
            others += [] if offset else ["exposure"]
            arguments = ["--target", target, "--family", family, "--standardize", standardize, "--intercept", intercept]
            arguments += ["--points", "12", "--drop", ",".join(others)]
            arguments += ["--weights", weight] if weight else []
            arguments += ["--offset", offset] if offset else []
            yield target, arguments


def in_original_units(model):
    """Coefficients and intercepts of a pipeline or an estimator, in the units of the table."""
    if not isinstance(model, Pipeline):
        return np.atleast_2d(model.coef_), np.atleast_1d(model.intercept_)
    scaler, estimator = (step for _, step in model.steps)
    coefficients = np.atleast_2d(estimator.coef_) / scaler.scale_
    means = scaler.mean_ if scaler.with_mean else np.zeros(len(FEATURES))
    return coefficients, np.atleast_1d(estimator.intercept_) - coefficients @ means


def main():
    wd, write = sys.argv[1], "--write" in sys.argv
    if write:
        write_table()
    names = TABLE.read_text().splitlines()[0].split(",")
    table = dict(zip(names, np.loadtxt(TABLE, delimiter=",", skiprows=1).T))
    golden, worst = [], 0.0
    for target, arguments in combinations():
        found = json.loads(subprocess.run([wd, "evidence", str(TABLE), *arguments, "--json"], check=True, capture_output=True).stdout)
        calls = [row["call"] for row in found["conventions"] if row["library"].startswith("scikit-learn")]
        assert len(calls) == 1, (arguments, found["conventions"])
        data = {"X": np.column_stack([table[name] for name in FEATURES]), "y": table[target], "w": table["w"], "exposure": table["exposure"]}
        coefficients, intercepts = in_original_units(eval(calls[0], NAMES | data))
        own = found["coefficients"]
        own = [list(own.values())] if isinstance(own["a" if "a" in own else "0"], float) else [list(own[name].values()) for name in sorted(own)]
        error = float(np.abs(coefficients - own).max() / np.abs(own).max())
        worst = max(worst, error)
        assert error < 1e-5, (arguments, calls[0], coefficients.tolist(), own)
        golden.append({"arguments": arguments, "call": calls[0], "coefficients": coefficients.tolist(), "intercepts": intercepts.tolist()})
    print(f"{len(golden)} calls, coefficients within {worst:.1e} of the largest")
    if write:
        (HERE / "calls.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
