"""A service of the tiny case, in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI

from core.deployment.bundle import Bundle, write_bundle
from core.deployment.manifest import DataRecord, Manifest, promise
from core.serving.app import ServiceLimits, create_app

KEY = "a-key-of-the-tests-0123456789"
Serve = Callable[..., FastAPI]


@pytest.fixture
def bundle(tiny_case: ModuleType, tmp_path: Path) -> Bundle:
    """An opened bundle of the tiny case."""
    inputs = [tiny_case.TinyInput(income=1000.5, age=30)]
    manifest = Manifest(
        case="tiny",
        task="the risk of one applicant",
        measurements=[],
        data=DataRecord(fingerprint="0" * 64, rows=2),
        **promise(tiny_case.TinyPredictor(tiny_case.WEIGHTS), inputs),
    )
    weights = json.dumps(tiny_case.WEIGHTS).encode()
    return Bundle.open(
        write_bundle(tmp_path / "b", manifest=manifest, files={"weights.json": weights})
    )


@pytest.fixture
def serve(bundle: Bundle, tiny_case: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Makes services whose predictor has other attributes, such as `slow` or `predict`."""

    def make(limits: ServiceLimits | None = None, **changes: Any) -> FastAPI:
        predictor = tiny_case.TinyPredictor(tiny_case.WEIGHTS)
        monkeypatch.setattr(tiny_case, "open_predictor", lambda *_: predictor)
        app = create_app(bundle, keys=[KEY], limits=limits)
        for name, value in changes.items():
            setattr(predictor, name, value)
        return app

    return make
