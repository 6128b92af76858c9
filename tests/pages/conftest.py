"""The whole dashboard in Streamlit's own test harness, with a store of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

HOME = Path(__file__).parents[2] / "Home.py"
SECONDS = 60


@pytest.fixture
def store_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the dashboard under test keeps its runs."""
    path = tmp_path / "test.duckdb"
    monkeypatch.setenv("ALMAGEST_STORE", str(path))
    return path


@pytest.fixture
def app(store_path: Path) -> AppTest:
    """The dashboard, opened on its front page."""
    return AppTest.from_file(str(HOME), default_timeout=SECONDS).run()
