"""What several rooms' tests need: where the shared data is, and a machine that stays quiet."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two threads are slower than one on small work
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

# The same examples on every machine: a property that fails must fail again where it is repaired.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")

REPO = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repo() -> Path:
    """The checkout under test."""
    return REPO


def developer_data(case: str) -> Path:
    """The developers' data of a case beside the checkout; tests that need it skip without it."""
    folder = REPO.parent / "shared" / "data" / case
    if not folder.is_dir():
        pytest.skip(f"developer data not found at {folder}: it is not part of the product")
    return folder


@pytest.fixture(scope="session")
def shared_finance() -> Path:
    """The developers' credit data."""
    return developer_data("finance")


@pytest.fixture(scope="session")
def shared_medical() -> Path:
    """The developers' medical data."""
    return developer_data("medical")


@pytest.fixture(scope="session")
def shared_voice() -> Path:
    """The developers' recordings and sentences."""
    return developer_data("voice")


@pytest.fixture(scope="session")
def shared_driving() -> Path:
    """The developers' road data."""
    return developer_data("driving")


@pytest.fixture(autouse=True)
def casekit_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private home for keys and caches: no test reads or writes the user's own."""
    home = tmp_path / "casekit-home"
    monkeypatch.setenv("CASEKIT_HOME", str(home))
    return home
