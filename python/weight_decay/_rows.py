"""Rows of a table, one a tensor, by place and by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from weight_decay._answer import frame

if TYPE_CHECKING:
    import pandas as pd

Row = TypeVar("Row")


class Rows(Sequence[Row]):
    """Rows that are dataclasses with a ``name``."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = tuple(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, str):
            return next(row for row in self.rows if getattr(row, "name", None) == place)
        return self.rows[place]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def to_dict(self) -> list[dict[str, Any]]:
        """Give the rows as dictionaries."""
        rows: Sequence[Any] = self.rows
        return [asdict(row) for row in rows]

    def to_frame(self) -> pd.DataFrame:
        """Give the rows as a pandas DataFrame."""
        return frame(self.to_dict())
