"""Keywords as the words of the command."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

#: A file or a folder.
PathLike = str | os.PathLike[str]

#: The option of a question: a number, a word, a switch, or several of them.
Option = str | float | bool | Sequence[str] | Sequence[float] | None


def pairs(keys: Mapping[str, Option]) -> list[str]:
    """Write keys as ``key=value``."""
    words = []
    for key, value in keys.items():
        if key == "betas" and not isinstance(value, str) and isinstance(value, Sequence):
            words.append("betas=" + ",".join(word(one) for one in value))
        elif value is not None:
            words.append(f"{key}={word(value)}")
    return words


def options(options: Mapping[str, Option]) -> list[str]:
    """Write options as ``--name value``."""
    words: list[str] = []
    for key, value in options.items():
        name = "--" + key.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            words.append(name)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for one in value:
                words += [name, word(one)]
        else:
            words += [name, word(value)]
    return words


def word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    return str(value)


def groups(groups: str | Mapping[str, str | Sequence[str]] | None) -> list[str]:
    if groups is None:
        return []
    if isinstance(groups, str):
        return [groups]
    written = []
    for name, patterns in groups.items():
        listed = patterns if isinstance(patterns, str) else ",".join(patterns)
        written.append(f"{name}={listed}")
    return written


def call(name: str, words: Sequence[Any], keys: Mapping[str, Any], bare: bool = False) -> str:
    """Write the call that an answer was made by, for its page."""
    shown = [str(word) if bare else repr(str(word)) for word in words]
    shown += [f"{key}={value!r}" for key, value in keys.items() if value not in (None, [], "")]
    return f"weight_decay.{name}({', '.join(shown)})"
