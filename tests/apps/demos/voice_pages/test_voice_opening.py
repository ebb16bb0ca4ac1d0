"""A bundle is opened, and says what it was measured to do."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from apps.demos.voice_pages.desk import Desk
from apps.demos.voice_pages.measured import measured_html
from apps.demos.voice_pages.opening import desk_of, open_desk
from core.deployment.manifest import DataRecord, Manifest, promise
from core.deployment.results import Measurement
from core.errors import BundleError
from verticals.voice.assistant import Parts
from verticals.voice.predictor import HomePredictor, HomeRequest

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def manifest(parts: Parts) -> Manifest:
    predictor = HomePredictor(parts)
    return Manifest(
        case="voice", task="What a request means.", created="2026-01-31T10:00:00+00:00",
        casekit_version="0.1.0",
        measurements=[
            Measurement(metric="word_error_rate", value=0.123, low=0.1, high=0.15, n=40,
                        split="test", model="voice assistant", baseline=0.2, baseline_model="x"),
            Measurement(metric="false_wakes_an_hour", value=0.0, low=0.0, high=1.25, n=9,
                        split="test", model="voice assistant", baseline=None, baseline_model=None),
        ],
        data=DataRecord(fingerprint="ab" * 32, rows=40, source=EVIL, licence="MIT"),
        **promise(predictor, [HomeRequest(text="turn on the porch light")]),
    )  # fmt: skip


def test_what_was_measured_is_shown_with_its_interval(parts: Parts, manifest: Manifest) -> None:
    desk = desk_of(parts, manifest=manifest, signer="cd" * 32, own=True,
                   card=f"# Card\n\n{EVIL} ![x](https://example.org/x.png)")  # fmt: skip
    html = measured_html(desk, "en")
    for shown in ("12.3%", "10.0% – 15.0%", "20.0%", "0.00 – 1.25", "signed", "cdcdcdcd…cdcd"):
        assert shown.casefold() in html.casefold()
    assert "<script" not in html
    assert "<img" not in html


def test_without_a_bundle_nothing_is_said_to_be_measured(desk: Desk) -> None:
    assert measured_html(desk, "en") == ""


def test_a_bundle_of_the_case_is_opened_and_one_of_another_is_refused(
    parts: Parts, manifest: Manifest, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = SimpleNamespace(
        manifest=manifest, predictor=lambda: HomePredictor(parts), folder=tmp_path, signer=None
    )
    monkeypatch.setattr("core.deployment.bundle.Bundle.open", lambda _path: opened)
    monkeypatch.setattr("apps.demos.voice_pages.opening.example_clips", lambda: ())
    monkeypatch.setattr("apps.demos.voice_pages.opening._warm_up", lambda *_: None)
    desk = open_desk(tmp_path)
    assert desk.parts is parts
    assert desk.manifest is manifest
    opened.manifest = manifest.model_copy(update={"case": "medical"})
    with pytest.raises(BundleError, match="medical"):
        open_desk(tmp_path)
