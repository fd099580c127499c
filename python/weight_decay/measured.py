"""What a probe found: the decay of every tensor, declared and measured."""

from __future__ import annotations

import html as _html
from dataclasses import dataclass

from weight_decay._rows import Rows


@dataclass(frozen=True)
class Measured:
    """The decay of one tensor.

    Attributes:
        name: Its name.
        weight_decay: λ of its group; ``None`` where no group has it.
        declared: The shrink s that λ stands for in this step, in w ← w − s·w.
        measured: The shrink of a step with zero gradients, of an optimizer without memory.
        real: The shrink that λ makes in a step with the real gradients; ``None`` where there were
            none.
        verdict: ``"applied"``, ``"none"`` where none is declared and none was seen, or what is the
            matter: ``"not applied"``, ``"wrong strength"``, ``"not declared"``, ``"coupled"``.
        reason: The verdict in words.
        is_trained: Whether it is trained, and not frozen.
    """

    name: str
    weight_decay: float | None
    declared: float
    measured: float
    real: float | None
    verdict: str
    reason: str
    is_trained: bool = True

    @property
    def is_well(self) -> bool:
        """Whether what is declared is what happens."""
        return self.verdict in {"applied", "none"}


class Probe(Rows[Measured]):
    """The decay of every tensor, declared and measured; see :func:`probe`."""

    @property
    def failures(self) -> list[Measured]:
        """The tensors whose decay is not what is declared."""
        return [row for row in self.rows if not row.is_well]

    @property
    def missing(self) -> list[str]:
        """The trained tensors that no group of this optimizer has; another one may have them."""
        return [row.name for row in self.rows if row.weight_decay is None and row.is_trained]

    @property
    def is_well(self) -> bool:
        """Whether no tensor decays otherwise than declared."""
        return not self.failures

    def __str__(self) -> str:
        return "\n".join(
            f"{'ok' if row.is_well else '! '}  {row.name}: {row.reason}" for row in self.rows
        )

    def __repr__(self) -> str:
        missing = f"; {len(self.missing)} are in no group" if self.missing else ""
        failed = f"{len(self.failures)} of {len(self)} tensors do not decay as declared"
        return f"<Probe: {failed}{missing}>"

    def _repr_html_(self) -> str:
        head = "".join(
            f"<th>{name}</th>" for name in ("tensor", "λ", "declared", "measured", "verdict")
        )
        rows = "".join(
            f"<tr><td>{_html.escape(row.name)}</td><td>{row.weight_decay}</td>"
            f"<td>{row.declared:.4g}</td><td>{row.measured:.4g}</td>"
            f"<td>{_html.escape(row.reason)}</td></tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
