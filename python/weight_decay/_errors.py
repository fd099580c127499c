"""The exception of the package."""

from __future__ import annotations


class WeightDecayError(ValueError):
    """A question that cannot be answered, in the words of the command.

    Attributes:
        message: What is wrong.
        help: What can be done about it, where the message does not say so.
    """

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message, help)
        self.message = message
        self.help = help

    def __str__(self) -> str:
        return f"{self.message}\n{self.help}" if self.help else self.message
