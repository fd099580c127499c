"""What the tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def pytest_configure(config: pytest.Config) -> None:
    """Register the package's plugin, where it is tried without being installed."""
    if not config.pluginmanager.hasplugin("weight_decay"):
        from weight_decay import pytest_plugin

        config.pluginmanager.register(pytest_plugin, "weight_decay")


@pytest.fixture
def corpora() -> Path:
    """The files that are shipped; the test is skipped where the package is tested without them."""
    folder = ROOT / "corpora"
    if not folder.is_dir():
        pytest.skip("the shipped corpora are not beside the package")
    return folder
