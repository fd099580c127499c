"""scikit-learn estimators and arrays: the command's answers, and scikit-learn's rules."""

from __future__ import annotations

import csv
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy", reason="numpy is not installed")
pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone  # noqa: E402
from sklearn.datasets import load_breast_cancer, load_digits, load_iris  # noqa: E402
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

import weight_decay as wd  # noqa: E402
from weight_decay import (  # noqa: E402
    EvidenceClassifier,
    EvidencePoissonRegressor,
    EvidenceRegressor,
)

# scikit-learn tries regressors on targets such as 3.4, and a Poisson model is one of counts: a rate
# is a count with its exposure, and is refused.
NO_COUNTS = "the check's targets are no whole numbers"
CHECKS_WITHOUT_COUNTS = (
    "check_n_features_in_after_fitting",
    "check_n_features_in",
    "check_regressors_train",
    "check_regressor_data_not_an_array",
    "check_regressors_no_decision_function",
    "check_fit_idempotent",
    "check_fit_check_is_fitted",
)


def expected_failures(estimator: Any) -> dict[str, str]:
    if isinstance(estimator, EvidencePoissonRegressor):
        return dict.fromkeys(CHECKS_WITHOUT_COUNTS, NO_COUNTS)
    return {}


@parametrize_with_checks(
    [EvidenceRegressor(), EvidenceClassifier(), EvidencePoissonRegressor()],
    expected_failed_checks=expected_failures,
)
def test_the_rules_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


def diabetes(corpora: Path) -> tuple[Any, Any, list[str]]:
    with (corpora / "tables" / "diabetes.csv").open() as file:
        head, *rows = csv.reader(file)
    place = head.index("target")
    numbers = np.array(rows, dtype=float)
    names = [name for name in head if name != "target"]
    return np.delete(numbers, place, axis=1), numbers[:, place], names


def test_a_regression_is_the_commands_and_ridges(corpora: Path) -> None:
    X, y, names = diabetes(corpora)
    model = EvidenceRegressor(compare="loo,gcv").fit(X, y)
    theirs = wd.evidence(corpora / "tables" / "diabetes.csv", target="target", compare="loo,gcv")
    assert model.lambda_ == pytest.approx(theirs.lambda_, rel=1e-9)
    assert model.log_evidence_ == pytest.approx(theirs.log_evidence, rel=1e-9)
    expected = [theirs.coefficients[name] for name in names]
    np.testing.assert_allclose(model.coef_, expected, rtol=1e-8)
    assert model.comparison_ == theirs.comparison
    ridge = make_pipeline(StandardScaler(), Ridge(alpha=model.lambda_)).fit(X, y)
    np.testing.assert_allclose(model.predict(X), ridge.predict(X), rtol=1e-8)
    mean, deviation = model.predict(X, return_std=True)
    np.testing.assert_allclose(mean, model.predict(X), rtol=1e-10)
    # 95 of 100 intervals of two deviations hold what came.
    assert 0.9 < np.mean(np.abs(y - mean) < 1.96 * deviation) < 0.99


def test_arrays_tables_and_frames_give_one_answer(corpora: Path) -> None:
    X, y, names = diabetes(corpora)
    table = wd.evidence(corpora / "tables" / "diabetes.csv", target="target")
    array = wd.evidence(X, y)
    turned = wd.evidence(np.asfortranarray(X), y)
    assert array.lambda_ == pytest.approx(table.lambda_, rel=1e-9)
    assert turned.lambda_ == pytest.approx(array.lambda_, rel=1e-12)
    assert "alpha = 14.86" in str(array)
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(X, columns=names).assign(target=y)
    named = wd.evidence(frame, target="target")
    assert set(named.coefficients) == set(names)
    assert named.lambda_ == pytest.approx(table.lambda_, rel=1e-9)
    for name in names:
        assert named.coefficients[name] == pytest.approx(table.coefficients[name], rel=1e-8)
    assert len(named.to_frame()) == len(named.path)


def test_classes_are_scikit_learns(corpora: Path) -> None:
    X, y = load_breast_cancer(return_X_y=True)
    model = EvidenceClassifier().fit(X, y)
    theirs = make_pipeline(
        StandardScaler(), LogisticRegression(C=1 / model.lambda_, max_iter=10_000, tol=1e-10)
    ).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
    X, y = load_iris(return_X_y=True)
    words = np.array(["setosa", "versicolor", "virginica"])[y]
    model = EvidenceClassifier().fit(X, words)
    assert model.coef_.shape == (3, 4)
    assert model.score(X, words) > 0.95
    assert set(model.predict(X)) == set(words)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    np.testing.assert_array_equal(
        model.classes_[model.predict_proba(X).argmax(axis=1)], model.predict(X)
    )


def test_counts_are_scikit_learns() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(400, 3))
    y = random.poisson(np.exp(0.4 * X[:, 0] - 0.2 * X[:, 1] + 0.3))
    model = EvidencePoissonRegressor().fit(X, y)
    theirs = make_pipeline(
        StandardScaler(), PoissonRegressor(alpha=model.lambda_ / len(y), max_iter=1000, tol=1e-10)
    ).fit(X, y)
    np.testing.assert_allclose(model.predict(X), theirs.predict(X), rtol=1e-4)
    years = random.uniform(0.5, 2.0, size=400)
    counts = random.poisson(years * np.exp(0.4 * X[:, 0]))
    rates = EvidencePoissonRegressor().fit(X, counts, exposure=years)
    assert rates.coef_[0] == pytest.approx(0.4, abs=0.1)
    np.testing.assert_allclose(rates.predict(X, exposure=years), rates.predict(X) * years)
    with pytest.raises(ValueError, match="above 0"):
        EvidencePoissonRegressor().fit(X, counts, exposure=-years)


def test_weights_are_repeats() -> None:
    random = np.random.default_rng(1)
    X = random.normal(size=(60, 4))
    y = X[:, 0] + random.normal(size=60)
    weights = random.integers(0, 3, size=60)
    weighed = EvidenceRegressor().fit(X, y, sample_weight=weights)
    repeated = EvidenceRegressor().fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    assert weighed.lambda_ == pytest.approx(repeated.lambda_, rel=1e-6)
    np.testing.assert_allclose(weighed.coef_, repeated.coef_, rtol=1e-6)


def test_groups_have_a_lambda_each() -> None:
    random = np.random.default_rng(2)
    X = random.normal(size=(300, 6))
    y = X[:, :2] @ [2.0, -2.0] + random.normal(size=300)
    model = EvidenceRegressor(groups={"first": ["x0", "x1"], "rest": "x[2-5]"}).fit(X, y)
    assert set(model.lambda_) == {"first", "rest"}
    assert model.lambda_["rest"] > 10 * model.lambda_["first"]
    with pytest.raises(ValueError, match="no deviation"):
        model.predict(X, return_std=True)


def test_it_lives_with_scikit_learn(corpora: Path) -> None:
    X, y, names = diabetes(corpora)
    model = make_pipeline(StandardScaler(), EvidenceRegressor())
    search = GridSearchCV(model, {"evidenceregressor__standardize": [True, False]}, cv=3)
    assert search.fit(X, y).best_score_ > 0.4
    fitted = EvidenceRegressor(points=50).fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    for a, b in zip(
        fitted.predict(X, return_std=True), again.predict(X, return_std=True), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert clone(fitted).get_params() == fitted.get_params()
    assert fitted.report().startswith("<!DOCTYPE html>")
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(X, columns=names)
    named = EvidenceRegressor().fit(frame, y)
    assert list(named.feature_names_in_) == names
    np.testing.assert_allclose(named.predict(frame), fitted.predict(X), rtol=1e-6)


def test_wide_data_and_digits() -> None:
    X, y = load_digits(return_X_y=True)
    model = EvidenceClassifier(points=10).fit(X[:300], y[:300])
    assert model.score(X[300:], y[300:]) > 0.85
    random = np.random.default_rng(3)
    wide = random.normal(size=(40, 200))
    target = wide[:, 0] + 0.1 * random.normal(size=40)
    found = EvidenceRegressor().fit(wide, target)
    assert found.coef_.shape == (200,)
    assert np.isfinite(found.predict(wide, return_std=True)[1]).all()


def test_a_large_array_is_not_copied() -> None:
    random = np.random.default_rng(4)
    X = random.normal(size=(20_000, 200))
    y = X[:, 0] + random.normal(size=20_000)
    for array in (X, np.asfortranarray(X)):
        model = EvidenceRegressor()
        tracemalloc.start()
        before = peak_memory()
        model.fit(array, y)
        python_peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        # Neither Python nor Rust holds another X of 32 MB.
        assert python_peak < 0.25 * X.nbytes
        assert peak_memory() - before < 0.6 * X.nbytes


def peak_memory() -> int:
    """The largest resident size of this process so far, in bytes."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_wrong_data_are_told() -> None:
    with pytest.raises(ValueError, match="NaN"):
        EvidenceRegressor().fit([[np.nan], [1.0]], [0.0, 1.0])
    with pytest.raises(wd.WeightDecayError, match="shape"):
        wd.evidence(np.ones((3, 2)), np.ones(4))
    with pytest.raises(wd.WeightDecayError, match="what is to be explained"):
        wd.evidence(np.ones((3, 2)))
    scipy = pytest.importorskip("scipy.sparse", reason="scipy is not installed")
    with pytest.raises(wd.WeightDecayError, match="sparse"):
        wd.evidence(scipy.csr_array(np.ones((3, 2))), np.ones(3))
    with pytest.raises(TypeError, match="drop"):
        wd.evidence(np.ones((3, 2)), np.ones(3), drop="x")
    with pytest.raises(ValueError, match="one class"):
        EvidenceClassifier().fit(np.random.default_rng(0).normal(size=(9, 2)), np.zeros(9))
