"""A client's own tiny case, installed as a package for the time of one test."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def tiny_case(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of the case `tiny`, registered as any package registers its own."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "tiny_case"))
    monkeypatch.delitem(sys.modules, "tiny_case", raising=False)
    import tiny_case

    return tiny_case
