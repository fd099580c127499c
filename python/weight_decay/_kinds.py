"""The answers of each question, with what is asked of them most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from weight_decay._answer import Answer
from weight_decay._numbers import infinite, number


class Explanation(Answer):
    """What one weight-decay setting does; see :func:`explain`."""

    @property
    def kappa(self) -> float | None:
        """κ = Σ s over the run, the total decay exponent; ``None`` where the run is not known."""
        return number(self._value["timescale"].get("kappa"))

    @property
    def initial_share(self) -> float | None:
        """The share of the initial weights that is left at the end."""
        return number(self._value["timescale"].get("initial_share"))

    @property
    def tau_steps(self) -> float | None:
        """τ = 1/s at the peak, in steps: how long a gradient is remembered."""
        return number(self._value["timescale"].get("tau_steps"))

    @property
    def tau_fraction(self) -> float | None:
        """τ as a share of the run."""
        return number(self._value["timescale"].get("tau_fraction"))

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
        return number(self._value["advice"]["verdict"].get("lambda"))

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
        found: float | dict[str, float] = infinite(self._value["lambda"])
        return found

    @property
    def lambda_interval(self) -> tuple[float, float] | None:
        """95 % interval of λ, by the curvature of the evidence."""
        found = self._value["lambda_interval"]
        return None if found is None else (float(found[0]), float(found[1]))

    @property
    def alpha(self) -> float | dict[str, float]:
        """α, the precision of the prior on standardised coefficients."""
        found: float | dict[str, float] = infinite(self._value["alpha"])
        return found

    @property
    def beta(self) -> float:
        """β, the precision of the noise; 1 where the family has none."""
        return float(infinite(self._value["beta"]))

    @property
    def log_evidence(self) -> float:
        """ln p(y | λ) in nats; ∞ where the fit leaves no noise."""
        return float(infinite(self._value["log_evidence"]))

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
