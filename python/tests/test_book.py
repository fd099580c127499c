"""The blocks of the book's page run, in their order."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NEEDED = {"torch": "PyTorch", "numpy": "numpy", "sklearn": "scikit-learn"}


def needs(block: str) -> set[str]:
    """The libraries that a block needs, beside those that stand in its imports."""
    words = {
        "torch": r"torch\.(nn|optim|ones)|import torch|optimizer|model,",
        "numpy": r"np\.",
        "sklearn": "Evidence[A-Z]",
    }
    return {name for name, pattern in words.items() if re.search(pattern, block)}


@pytest.mark.parametrize("page", ["docs/book/src/python.md", "crates/python/README.md"])
def test_the_blocks_of_a_page_run(
    page: str, corpora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    assert blocks
    if "README" in page:
        # Its checkpoints are anybody's; the rest is the book's.
        blocks = [block.split("wd.audit")[0] for block in blocks]
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    skipped = set()
    for block in blocks:
        missing = {name for name in needs(block) if not is_there(name)}
        if missing:
            skipped |= missing
            continue
        exec(compile(block, page, "exec"), names)
    if skipped:
        pytest.skip(f"without {', '.join(sorted(NEEDED[name] for name in skipped))}")


def is_there(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True
