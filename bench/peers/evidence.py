"""Times evidence, exact leave-one-out and logistic evidence in `wd-evidence` against scikit-learn, on the same numbers.

    bench/peers/venv/bin/python -m pip install scikit-learn==1.9.0
    cargo build --release -p wd-evidence --example evidence_speed
    bench/peers/venv/bin/python bench/peers/evidence.py [--only evidence-20000x500,…] [--repeats 3] [--json]

For each piece of work a table is drawn (correlated columns, dense weights, noise), written to a file, and read by fresh processes
in turn: wd, scikit-learn, wd, … The first pair's answers are compared before any time is shown, and a difference beyond the tolerance
is an error. With more columns than rows neither has an intercept: set to its best value it would leave BayesianRidge's evidence without a
maximum, and the fit perfect. Only the work is in the time, not reading the file or importing; the memory is each process's peak.

With --python the same is asked of the package `weight_decay` from a numpy array, in a fresh interpreter that has it installed; exact
leave-one-out alone is no question of the package, and left out.

| work | wd | scikit-learn |
|---|---|---|
| evidence | the best λ, a path of 1,000, coefficients | BayesianRidge with its four hyper-priors 0 and scores: the best λ alone |
| loo | exact leave-one-out error for 100 λ | RidgeCV, storing its results |
| logistic | Laplace evidence of 10 λ, the best refined | LogisticRegressionCV with 10 C and 5 folds |
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "target" / "release" / "examples" / "evidence_speed"
WORKS = [
    ("evidence", 20_000, 500),
    ("evidence", 2_000, 2_000),
    ("evidence", 500, 20_000),
    ("loo", 20_000, 500),
    ("loo", 2_000, 2_000),
    ("logistic", 20_000, 200),
]


def draw(work, rows, columns):
    generator = np.random.default_rng(1)
    x = generator.standard_normal((rows, columns))
    if columns > rows:
        # Fifty factors: with independent columns so many directions would fit noise and signal alike.
        x += generator.standard_normal((rows, 50)) @ generator.standard_normal((50, columns))
    else:
        x[:, 1:] += 0.5 * x[:, :-1]
    weights = generator.standard_normal(columns) / np.sqrt(columns)
    signal = x @ weights
    if work == "logistic":
        y = (generator.random(rows) < 1 / (1 + np.exp(-signal))).astype(float)
    else:
        y = signal + generator.standard_normal(rows)
    return x, y


def scikit_learn(work, file, rows, columns):
    """One piece of work in this process; prints a line of JSON."""
    from sklearn.linear_model import BayesianRidge, LogisticRegression, LogisticRegressionCV, RidgeCV

    numbers = np.fromfile(file)
    x, y = numbers[: rows * columns].reshape(rows, columns), numbers[rows * columns :]
    start = time.perf_counter()
    if work == "evidence":
        model = BayesianRidge(alpha_1=0, alpha_2=0, lambda_1=0, lambda_2=0, compute_score=True, fit_intercept=columns <= rows).fit(x, y)
        answer = {"alpha": model.lambda_, "beta": model.alpha_, "log_evidence": model.scores_[-1], "coefficients": model.coef_[:10].tolist()}
    elif work == "loo":
        model = RidgeCV(alphas=np.logspace(-3, 5, 100), store_cv_results=True).fit(x, y)
        answer = {"errors": model.cv_results_.mean(axis=0).tolist()}
    else:
        warnings.simplefilter("ignore", FutureWarning)
        model = LogisticRegressionCV(Cs=10, cv=5, max_iter=1000).fit(x, y)
        answer = {}
    seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if work == "logistic":
        # Not what is timed: the mode at the λ that wd found, to compare.
        chosen = float(os.environ["WD_LAMBDA"])
        model = LogisticRegression(C=1 / chosen, solver="newton-cholesky", tol=1e-10, max_iter=1000).fit(x, y)
        answer = {"coefficients": model.coef_[0, :10].tolist()}
    print(json.dumps({"seconds": seconds, "megabytes": memory, "answer": answer}))


def package(work, file, rows, columns):
    """The same work by the Python package, from an array; prints a line of JSON."""
    import weight_decay

    numbers = np.fromfile(file)
    x, y = numbers[: rows * columns].reshape(rows, columns), numbers[rows * columns :]
    intercept = "profiled" if columns <= rows else "absent"
    family, points = ("gaussian", 1000) if work == "evidence" else ("logistic", 10)
    start = time.perf_counter()
    found = weight_decay.evidence(x, y, family=family, standardize=False, intercept=intercept, points=points)
    seconds = time.perf_counter() - start
    answer = {"lambda": found.lambda_, "coefficients": list(found.coefficients.values())[:10]}
    if work == "evidence":
        answer |= {"alpha": found.alpha, "beta": found.beta, "log_evidence": found.log_evidence}
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "megabytes": megabytes, "answer": answer}))


def run(command, environment):
    """A child's line of JSON, with the child's own peak memory."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed")
    result = json.loads(output)
    result.setdefault("megabytes", usage.ru_maxrss / 1024)
    return result


def compare(work, ours, theirs):
    for key, expected in theirs.items():
        # BayesianRidge stops where coefficients change by 1e-3 in sum: α and β are then near, and the evidence is flat there.
        tolerance = {"alpha": 1e-2, "beta": 1e-2, "log_evidence": 1e-4, "coefficients": 1e-3, "errors": 1e-6}[key]
        difference = np.max(np.abs(np.subtract(ours[key], expected))) / np.max(np.abs(expected))
        if not difference <= tolerance:
            raise SystemExit(f"{work}: `{key}` differs by {difference:.1e} (allowed {tolerance:g}): {ours[key]} and {expected}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="comma-separated, for example evidence-20000x500,loo-2000x2000")
    parser.add_argument("--repeats", type=int, default=3, help="pairs of each work")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each work")
    parser.add_argument("--python", action="store_true", help="ask the package weight_decay instead of the crate")
    parser.add_argument("--package", nargs=4, metavar=("WORK", "FILE", "ROWS", "COLUMNS"), help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=4, metavar=("WORK", "FILE", "ROWS", "COLUMNS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        work, file, rows, columns = arguments.one
        return scikit_learn(work, file, int(rows), int(columns))
    if arguments.package:
        work, file, rows, columns = arguments.package
        return package(work, file, int(rows), int(columns))
    if not arguments.python and not EXAMPLE.exists():
        raise SystemExit(f"{EXAMPLE} is missing: cargo build --release -p wd-evidence --example evidence_speed")
    names = arguments.only.split(",") if arguments.only else None
    for work, rows, columns in WORKS:
        name = f"{work}-{rows}x{columns}"
        if (names is not None and name not in names) or (arguments.python and work == "loo"):
            continue
        with tempfile.NamedTemporaryFile(suffix=".f64") as file:
            x, y = draw(work, rows, columns)
            np.concatenate([x.ravel(), y]).tofile(file.name)
            del x, y
            pairs = []
            environment = dict(os.environ)
            for repeat in range(arguments.repeats):
                size = [file.name, str(rows), str(columns)]
                command = [sys.executable, __file__, "--package"] if arguments.python else [EXAMPLE]
                ours = run([*command, work, *size], environment)
                environment["WD_LAMBDA"] = str(ours["answer"].get("lambda", 1.0))
                theirs = run([sys.executable, __file__, "--one", work, *size], environment)
                if repeat == 0:
                    compare(name, ours["answer"], theirs["answer"])
                pairs.append((ours, theirs))
        ratios = [theirs["seconds"] / ours["seconds"] for ours, theirs in pairs]
        summary = {
            "work": name,
            "seconds": statistics.median(ours["seconds"] for ours, _ in pairs),
            "scikit_learn_seconds": statistics.median(theirs["seconds"] for _, theirs in pairs),
            "ratio": statistics.median(ratios),
            "lowest_ratio": min(ratios),
            "highest_ratio": max(ratios),
            "megabytes": max(ours["megabytes"] for ours, _ in pairs),
            "scikit_learn_megabytes": max(theirs["megabytes"] for _, theirs in pairs),
        }
        if arguments.json:
            print(json.dumps(summary), flush=True)
        else:
            print(
                "{work:22} wd {seconds:7.3f} s {megabytes:6.0f} MB   scikit-learn {scikit_learn_seconds:7.2f} s "
                "{scikit_learn_megabytes:6.0f} MB   ratio {ratio:.1f} ({lowest_ratio:.1f}–{highest_ratio:.1f})".format(**summary),
                flush=True,
            )


if __name__ == "__main__":
    main()
