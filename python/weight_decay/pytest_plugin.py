"""A fixture for test suites: ``def test_decay(assert_weight_decay): …``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def assert_weight_decay() -> Callable[..., None]:
    """:func:`weight_decay.assert_decay`; the test is skipped where PyTorch is not installed."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from weight_decay.probing import assert_decay

    found: Callable[..., Any] = assert_decay
    return found
