"""Numbers as JSON has them, read back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def number(value: Any) -> float | None:
    return None if value is None else float(value)


def infinite(value: Any) -> Any:
    """Read a number where JSON has none for ∞."""
    if isinstance(value, Mapping):
        return {key: infinite(one) for key, one in value.items()}
    return math.inf if value is None else float(value)
