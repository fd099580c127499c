"""What your weight decay λ means, which value it should have, and whether it was applied.

Questions, each answered by a value that has attributes, ``to_dict()``, ``to_frame()`` and a page
that notebooks show:

* :func:`explain`, :func:`convert`, :func:`advise`: what a λ means, what it is elsewhere, which one
  published laws give
* :func:`audit`: whether it was applied, from checkpoints
* :func:`evidence`: which λ a table or an array prefers
* :func:`read_run`, :func:`read_study`, :func:`verdict`: what λ did in runs

For PyTorch: :func:`param_groups`, :func:`decay_table`, :class:`WeightDecayScheduler`,
:func:`apply_rule`, :func:`probe`, :func:`assert_decay`, :class:`Monitor`. For scikit-learn:
:class:`EvidenceRegressor`, :class:`EvidenceClassifier`, :class:`EvidencePoissonRegressor`.

``python -m weight_decay`` is the command ``wd``. Nothing besides Python is needed; torch, numpy,
pandas, scikit-learn and matplotlib are used where they are installed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from weight_decay import _native
from weight_decay._answer import Answer, Figure
from weight_decay._command import main
from weight_decay._errors import WeightDecayError
from weight_decay._kinds import Advice, Audit, Conversion, Evidence, Explanation, Verdict
from weight_decay._questions import advise, audit, convert, evidence, explain
from weight_decay._runs import Run, Study, read_run, read_study, verdict

if TYPE_CHECKING:
    from weight_decay.estimators import (
        EvidenceClassifier,
        EvidencePoissonRegressor,
        EvidenceRegressor,
    )
    from weight_decay.groups import DecayTable, decay_table, param_groups
    from weight_decay.measured import Probe
    from weight_decay.monitor import Monitor
    from weight_decay.probing import assert_decay, probe
    from weight_decay.rules import Rule, apply_rule
    from weight_decay.scheduler import WeightDecayScheduler

__version__ = _native.__VERSION__

# What needs another library is loaded when it is asked for.
_ELSEWHERE = {
    "DecayTable": "groups",
    "EvidenceClassifier": "estimators",
    "EvidencePoissonRegressor": "estimators",
    "EvidenceRegressor": "estimators",
    "Monitor": "monitor",
    "Probe": "measured",
    "Rule": "rules",
    "WeightDecayScheduler": "scheduler",
    "apply_rule": "rules",
    "assert_decay": "probing",
    "decay_table": "groups",
    "param_groups": "groups",
    "probe": "probing",
}

__all__ = [
    "Advice",
    "Answer",
    "Audit",
    "Conversion",
    "DecayTable",
    "Evidence",
    "EvidenceClassifier",
    "EvidencePoissonRegressor",
    "EvidenceRegressor",
    "Explanation",
    "Figure",
    "Monitor",
    "Probe",
    "Rule",
    "Run",
    "Study",
    "Verdict",
    "WeightDecayError",
    "WeightDecayScheduler",
    "advise",
    "apply_rule",
    "assert_decay",
    "audit",
    "convert",
    "decay_table",
    "evidence",
    "explain",
    "main",
    "param_groups",
    "probe",
    "read_run",
    "read_study",
    "verdict",
]


def __getattr__(name: str) -> object:
    if name in _ELSEWHERE:
        return getattr(importlib.import_module(f"weight_decay.{_ELSEWHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
