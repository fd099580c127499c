"""What the tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def corpora() -> Path:
    """The files that are shipped; the test is skipped where the package is tested without them."""
    folder = ROOT / "corpora"
    if not folder.is_dir():
        pytest.skip("the shipped corpora are not beside the package")
    return folder
