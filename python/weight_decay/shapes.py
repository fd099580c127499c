"""The shape of a schedule, found in the factors of its steps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from weight_decay import _native

# Points that a schedule may be drawn through, fewer than its reader takes.
_POINTS = 20
# Largest difference of two shapes, as a share of the peak, that are taken for one.
_SAME = 2e-3


def words_of_factors(factors: Sequence[float]) -> str:
    """Write the factors of every step, of which the largest is 1, as a schedule of ``wd``.

    A warm-up may count its steps from 0 or from 1, which is less than a step's difference.
    """
    steps = len(factors)
    warmup = factors.index(1.0) if 1.0 in factors else 0
    for kind in ("constant", "cosine", "linear"):
        for length in (warmup, max(warmup - 1, 0)):
            falls = _native.schedule_of_words(f"{kind},warmup={length}", steps)
            # The last step stands just above the floor.
            above = falls[steps - 1]
            floor = 0.0 if above >= 1.0 else max((factors[-1] - above) / (1.0 - above), 0.0)
            words = f"{kind},warmup={length},floor={min(floor, 1.0):.6g}"
            drawn = _native.schedule_of_words(words, steps)
            ahead = [abs(a - b) for a, b in zip(factors, drawn, strict=False)]
            rises, rest = ahead[:warmup], ahead[warmup:]
            if max(rest) < _SAME and max(rises, default=0.0) <= 1.0 / (length + 1):
                return words
    return f"points,points={_points(factors)}"


def schedule_of_factors(factors: Sequence[float]) -> dict[str, Any]:
    """Write them as the plan of a run has a schedule."""
    words = words_of_factors(factors)
    kind, *rest = words.split(",")
    keys = dict(part.split("=", 1) for part in rest)
    schedule: dict[str, Any] = {"kind": kind, "steps": len(factors), "warmup": 0, "decay": 0}
    if kind == "points":
        points = [point.split(":") for point in keys["points"].split("/")]
        schedule["points"] = [[float(share), float(factor)] for share, factor in points]
        schedule["floor"] = schedule["points"][-1][1]
    else:
        schedule["warmup"] = int(keys["warmup"])
        schedule["floor"] = 1.0 if kind == "constant" else float(keys["floor"])
    return schedule


def _points(factors: Sequence[float]) -> str:
    """Draw a shape through the points that it is farthest from, one after another."""
    last = len(factors) - 1
    kept = sorted({0, factors.index(max(factors)), last})
    while len(kept) < _POINTS:
        worst, place = _SAME, None
        for left, right in itertools.pairwise(kept):
            for at in range(left + 1, right):
                way = (at - left) / (right - left)
                line = factors[left] + (factors[right] - factors[left]) * way
                if abs(factors[at] - line) > worst:
                    worst, place = abs(factors[at] - line), at
        if place is None:
            break
        kept = sorted({*kept, place})
    steps = len(factors)
    drawn = [f"{at / steps:.6g}:{factors[at]:.6g}" for at in kept[:-1]]
    return "/".join([*drawn, f"1:{factors[last]:.6g}"])
