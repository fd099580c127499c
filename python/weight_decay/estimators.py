"""scikit-learn estimators whose λ the data themselves choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from weight_decay._kinds import Evidence
from weight_decay._words import groups as groups_of
from weight_decay.arrays import Fit, evidence_of_arrays

Vector = npt.NDArray[np.float64]


class _EvidenceEstimator(BaseEstimator):  # type: ignore[misc]
    """What the estimators share: parameters, the fit, and what it found."""

    def __init__(
        self,
        *,
        standardize: bool = True,
        fit_intercept: bool = True,
        compare: str | Sequence[str] | None = None,
        points: int | None = None,
        seed: int = 0,
    ) -> None:
        self.standardize = standardize
        self.fit_intercept = fit_intercept
        self.compare = compare
        self.points = points
        self.seed = seed

    def _fit(self, X: Any, y: Any, sample_weight: Any, family: str, **more: Any) -> Fit:
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
        names = getattr(self, "feature_names_in_", None)
        fit = evidence_of_arrays(
            X,
            y,
            columns=None if names is None else [str(name) for name in names],
            family=family,
            compare=self.compare,
            sample_weight=sample_weight,
            standardize=self.standardize,
            intercept=None if self.fit_intercept else "absent",
            points=self.points,
            seed=self.seed,
            figures=False,
            **more,
        )
        found = Evidence(fit.value, fit.page)
        self._predictor = fit.predictor
        self._html = fit.page.html()
        self.lambda_ = found.lambda_
        self.lambda_interval_ = found.lambda_interval
        self.alpha_ = found.alpha
        self.log_evidence_ = found.log_evidence
        self.effective_parameters_ = found.effective_parameters
        self.path_ = found.path
        self.comparison_ = found.comparison
        self.notes_ = list(fit.value["notes"])
        return fit

    def report(self) -> str:
        """Give the page of the fit as an HTML file."""
        check_is_fitted(self)
        return self._html


class EvidenceRegressor(RegressorMixin, _EvidenceEstimator):  # type: ignore[misc]
    """Ridge regression with the λ of highest evidence.

    Minimises Σ(y − ŷ)² + λ‖w‖² over standardised columns, as ``Ridge(alpha=λ)`` behind a
    ``StandardScaler``, where λ = α/β is the ratio of the precisions of prior and noise under which
    the data are most probable. Everything about every λ follows from one reduction of the smaller
    Gram matrix.

    Args:
        standardize: Divide columns by their standard deviation, and undo it in ``coef_``.
        fit_intercept: Fit an intercept, which is never penalised.
        compare: Other criteria along the path: ``"gcv"``, ``"loo"``, ``"cv:10"``.
        groups: A λ for each group of columns: ``"each"``, or names with patterns of column names.
        points: Values of λ along the path.
        seed: Deals rows to the folds of ``"cv"``.

    Attributes:
        coef_: Coefficients in original units.
        coef_std_: Their posterior standard deviations; ``None`` where not known.
        intercept_: ŷ where every column is 0.
        lambda_: The chosen λ: ``Ridge``'s ``alpha`` on standardised columns. By group with groups.
        lambda_interval_: Its 95 % interval by the curvature of the evidence.
        alpha_: Precision of the prior.
        beta_: Precision of the noise.
        log_evidence_: ln p(y | λ) in nats.
        effective_parameters_: γ.
        path_: Everything along the path, a dictionary for each λ.
        comparison_: Which λ each criterion chooses.
        notes_: What a user should know besides.

    Examples:
        >>> import numpy as np
        >>> from weight_decay import EvidenceRegressor
        >>> random = np.random.default_rng(0)
        >>> X = random.normal(size=(200, 3))
        >>> y = X @ [1.0, -2.0, 0.0] + random.normal(size=200)
        >>> model = EvidenceRegressor().fit(X, y)
        >>> mean, deviation = model.predict(X[:2], return_std=True)
        >>> mean.shape, bool((deviation > 0.9).all())
        ((2,), True)
    """

    def __init__(
        self,
        *,
        standardize: bool = True,
        fit_intercept: bool = True,
        compare: str | Sequence[str] | None = None,
        groups: str | Mapping[str, str | Sequence[str]] | None = None,
        points: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(
            standardize=standardize,
            fit_intercept=fit_intercept,
            compare=compare,
            points=points,
            seed=seed,
        )
        self.groups = groups

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> EvidenceRegressor:
        """Choose λ and fit.

        Args:
            X: n × p numbers. An array of 64-bit floats with more rows than columns is not copied.
            y: n numbers.
            sample_weight: A row of weight 2 is two rows.
        """
        X, y = validate_data(
            self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2, copy=False
        )
        fit = self._fit(X, y, sample_weight, "gaussian", groups=groups_of(self.groups))
        self.coef_: Vector = fit.coefficients[0]
        self.coef_std_ = None if fit.deviations is None else fit.deviations[0]
        self.intercept_ = float(fit.intercepts[0])
        self.beta_ = Evidence(fit.value, fit.page).beta
        return self

    def predict(self, X: Any, return_std: bool = False) -> Vector | tuple[Vector, Vector]:
        """Predict each row.

        Args:
            X: Rows.
            return_std: Give the standard deviation of a new observation too: of noise,
                coefficients and intercept.

        Raises:
            ValueError: A deviation is asked for where none is known: with groups, without noise.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        if not return_std:
            found: Vector = X @ self.coef_ + self.intercept_
            return found
        both = self._predictor.mean_and_deviation(X)
        if both is None:
            raise ValueError("no deviation is known of a fit with groups, or without noise")
        return both


class EvidenceClassifier(ClassifierMixin, _EvidenceEstimator):  # type: ignore[misc]
    """Logistic and softmax regression with the λ of highest evidence, by Laplace's approximation.

    Minimises −ln p(y | w) + λ/2 ‖w‖², summed over the rows, over standardised columns. Two classes
    are logistic, more are softmax with weights for every class.

    Args:
        standardize: Divide columns by their standard deviation, and undo it in ``coef_``.
        fit_intercept: Fit intercepts, which are never penalised.
        compare: Other criteria along the path: ``"loo"``, ``"cv:10"``.
        points: Values of λ along the path.
        seed: Deals rows to the folds of ``"cv"``.

    Attributes:
        classes_: The classes.
        coef_: Coefficients in original units: one row for two classes, else one a class.
        intercept_: Intercepts.
        lambda_: The chosen λ, and what else :class:`EvidenceRegressor` has.

    Examples:
        >>> from sklearn.datasets import load_iris
        >>> from weight_decay import EvidenceClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> model = EvidenceClassifier().fit(X, y)
        >>> model.score(X, y) > 0.95
        True
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> EvidenceClassifier:
        """Choose λ and fit.

        Args:
            X: n × p numbers.
            y: n classes, of whatever type.
            sample_weight: A row of weight 2 is two rows.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2, copy=False)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y holds one class, {self.classes_[0]!r}: there is nothing to tell apart"
            )
        family = "logistic" if len(self.classes_) == 2 else "softmax"
        fit = self._fit(
            X, codes, sample_weight, family, classes=[str(one) for one in self.classes_]
        )
        self.coef_ = fit.coefficients
        self.intercept_ = fit.intercepts
        return self

    def decision_function(self, X: Any) -> Vector:
        """Give the linear predictor: n numbers for two classes, else n × classes."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        found: Vector = X @ self.coef_.T + self.intercept_
        return found[:, 0] if len(self.classes_) == 2 else found

    def predict_proba(self, X: Any) -> Vector:
        """Give the probability of each class, at the mode."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        found = self._predictor.mean(X)
        return np.hstack([1.0 - found, found]) if len(self.classes_) == 2 else found

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Give the likeliest class of each row."""
        scores = self.decision_function(X)
        places = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        found: npt.NDArray[Any] = self.classes_[places]
        return found


class EvidencePoissonRegressor(RegressorMixin, _EvidenceEstimator):  # type: ignore[misc]
    """Poisson regression with the λ of highest evidence, by Laplace's approximation.

    Minimises −ln p(y | w) + λ/2 ‖w‖², summed over the rows, over standardised columns; the expected
    count is exp(intercept + w·x), times the exposure where there is one.

    Args:
        standardize: Divide columns by their standard deviation, and undo it in ``coef_``.
        fit_intercept: Fit an intercept, which is never penalised.
        compare: Other criteria along the path: ``"loo"``, ``"cv:10"``.
        points: Values of λ along the path.
        seed: Deals rows to the folds of ``"cv"``.

    Attributes:
        coef_: Coefficients in original units.
        intercept_: ln of the expected count where every column is 0.
        lambda_: The chosen λ, and what else :class:`EvidenceRegressor` has.

    Examples:
        >>> import numpy as np
        >>> from weight_decay import EvidencePoissonRegressor
        >>> random = np.random.default_rng(0)
        >>> X = random.normal(size=(300, 2))
        >>> y = random.poisson(np.exp(0.5 * X[:, 0]))
        >>> model = EvidencePoissonRegressor().fit(X, y)
        >>> bool(0.3 < model.coef_[0] < 0.7)
        True
    """

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, exposure: Any = None
    ) -> EvidencePoissonRegressor:
        """Choose λ and fit.

        Args:
            X: n × p numbers.
            y: n counts.
            sample_weight: A row of weight 2 is two rows.
            exposure: Years, persons, whatever the count of a row is proportional to.
        """
        X, y = validate_data(
            self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2, copy=False
        )
        fit = self._fit(X, y, sample_weight, "poisson", exposure=exposure)
        self.coef_: Vector = fit.coefficients[0]
        self.intercept_ = float(fit.intercepts[0])
        return self

    def predict(self, X: Any, exposure: Any = None) -> Vector:
        """Give the expected count of each row, for an exposure of 1 unless others are given."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        expected: Vector = np.exp(X @ self.coef_ + self.intercept_)
        return expected if exposure is None else expected * np.asarray(exposure, dtype=np.float64)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags
