"""The command ``wd``."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence

from weight_decay import _native


def main(words: Sequence[str] | None = None) -> int:
    """Run the command ``wd`` and give its exit code.

    Args:
        words: What would stand behind ``wd`` on a command line. Default: ``sys.argv[1:]``.

    Returns:
        The exit code: 0 where all went well.

    Examples:
        >>> import weight_decay
        >>> weight_decay.main(["explain", "torch.AdamW", "weight_decay=0.1", "lr=6e-4"])
        0
    """
    words = sys.argv[1:] if words is None else words
    sys.stdout.flush()
    sys.stderr.flush()
    program = [sys.executable, "-m", "weight_decay"]
    if threading.current_thread() is not threading.main_thread():
        return _native.main(program, list(words))
    # Python only takes note of a Ctrl-C while other code runs; the command itself obeys it.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return _native.main(program, list(words))
    finally:
        signal.signal(signal.SIGINT, before)
