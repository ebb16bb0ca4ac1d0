"""A small desk: a made-up logistic model behind the real contracts, so that pages are quick."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel, ConfigDict, Field, create_model

from apps.demos.finance_pages.desk import TEXTS, Desk
from apps.demos.words import Words
from core.deployment.manifest import DataRecord, Manifest, promise
from core.deployment.results import Measurement
from verticals.finance.answer import CreditAnswer
from verticals.finance.reasons import ReasonMapping

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


@pytest.fixture(scope="session")
def flags() -> list[str]:
    """How Chromium is started."""
    return FLAGS


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, closed after each module: while it is open, no event loop can be run here."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no system Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


LAPTOP = (1280, 860)
PATIENCE_MS = 240_000  # compiled code is compiled while the page waits; it matters only on failure


@pytest.fixture
def page(
    browser: Any, served: str, ready: Callable[[Any], Any], request: pytest.FixtureRequest
) -> Iterator[Any]:
    """The demo in a fresh context; fails if it called another host, broke, or opened a dialog.

    A folder's `served` is the address of its demo; its `ready`, what is there once that is open.
    """
    width, height = getattr(request, "param", LAPTOP)
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    asked: list[str] = []
    broken: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("dialog", lambda dialog: (broken.append("a dialog opened"), dialog.dismiss()))
    page.goto(served)
    ready(page).wait_for()
    yield page
    hosts = {urlsplit(url).hostname for url in asked if url.startswith("http")}
    assert hosts == {urlsplit(served).hostname}, "the demo must not call anybody else"
    assert broken == []
    context.close()


EVIL = "<script>alert(1)</script>"
PURPOSES = ("car", "education", "furniture", EVIL)
COLUMNS = ("duration_in_month", "credit_amount", "age_in_years", "purpose", "telephone", "since")


REASONS = """
draft: false
silent: [sex]
reasons:
  - {code: duration_in_month, features: [duration_in_month], changeable: true, direction: lower,
     minimum: 6, en: Long loan, zh: 贷款期限较长}
  - {code: credit_amount, features: [credit_amount], changeable: true, direction: lower,
     en: Large loan, zh: 贷款金额较大}
  - {code: purpose, features: [purpose], en: "Purpose <script>alert(1)</script>", zh: 贷款用途}
"""


class LogisticPredictor:
    """PD by a fixed formula; refuses purposes it does not know."""

    output_model = CreditAnswer

    def __init__(self) -> None:
        from datetime import date

        types: dict[str, Any] = {
            "x0": (float | None, Field(None, alias=COLUMNS[0])),
            "x1": (float | None, Field(None, alias=COLUMNS[1])),
            "x2": (float | None, Field(None, alias=COLUMNS[2])),
            "x3": (str | None, Field(None, alias=COLUMNS[3], examples=list(PURPOSES))),
            "x4": (bool | None, Field(None, alias=COLUMNS[4])),
            "x5": (date | None, Field(None, alias=COLUMNS[5])),
        }
        config = ConfigDict(extra="forbid", allow_inf_nan=False, title="Applicant")
        self.input_model: type[BaseModel] = create_model("Applicant", __config__=config, **types)

    def predict(self, inputs: list[BaseModel]) -> list[BaseModel]:
        frame = pd.DataFrame([i.model_dump(by_alias=True) for i in inputs])
        rows = self.predict_table(frame).to_dict("records")
        return [CreditAnswer.model_validate(row) for row in rows]

    def predict_table(self, frame: pd.DataFrame, *, reasons: bool = True) -> pd.DataFrame:
        from core.errors import DataError

        missing = [c for c in COLUMNS if c not in frame]
        if missing:
            raise DataError(f"column {missing[0]!r} is missing", remedy="Add it to the table")
        duration = pd.to_numeric(frame[COLUMNS[0]]).fillna(20).to_numpy(float)
        amount = pd.to_numeric(frame[COLUMNS[1]]).fillna(3000).to_numpy(float)
        age = pd.to_numeric(frame[COLUMNS[2]]).fillna(35).to_numpy(float)
        parts = {
            COLUMNS[0]: 0.05 * (duration - 20),
            COLUMNS[1]: 0.0001 * (amount - 3000),
            COLUMNS[2]: -0.02 * (age - 35),
            COLUMNS[3]: 0.4 * (frame[COLUMNS[3]] == EVIL).to_numpy(float),
        }
        score = -1.2 + sum(parts.values())
        pd_ = 1 / (1 + np.exp(-score))
        low, high = pd_ * 0.7, 1 - (1 - pd_) * 0.9
        decision = np.where(high < 0.3, "approve", np.where(low >= 0.3, "decline", "refer"))
        answer = pd.DataFrame(
            {"pd": pd_, "pd_low": low, "pd_high": high, "points": 600 - 30 * score,
             "decision": decision}, index=frame.index,
        )  # fmt: skip
        answer["reasons"] = [
            [
                {"code": name, "text": f"High risk in {name} of {frame[name].iloc[i]}",
                 "features": [name], "effect": float(value[i])}
                for name, value in sorted(parts.items(), key=lambda kv: -kv[1][i])
                if value[i] > 0 and reasons
            ][:4]
            for i in range(len(frame))
        ]  # fmt: skip
        return answer


def sample(rows: int = 400) -> pd.DataFrame:
    """Applicants the model never saw, with what became of them."""
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "duration_in_month": rng.integers(4, 60, rows).astype(float),
            "credit_amount": rng.lognormal(8, 0.7, rows).round(),
            "age_in_years": rng.integers(19, 75, rows).astype(float),
            "purpose": rng.choice(PURPOSES, rows),
            "telephone": rng.choice([0.0, 1.0], rows),
            "since": "2024-05-01",
        }
    )


@pytest.fixture(scope="session")
def desk() -> Desk:
    predictor = LogisticPredictor()
    frame = sample()
    pd_ = predictor.predict_table(frame, reasons=False)["pd"]
    frame["pd"] = pd_
    frame["target"] = np.random.default_rng(5).binomial(1, pd_)
    frame["sex"] = np.random.default_rng(6).choice(["female", "male"], len(frame))
    golden = [
        {"duration_in_month": 9, "credit_amount": 1500, "age_in_years": 50, "purpose": "car",
         "telephone": True, "since": "2024-05-01"},
        {"duration_in_month": 24, "credit_amount": 3500, "age_in_years": 35, "purpose": "furniture",
         "telephone": False, "since": "2024-05-01"},
        {"duration_in_month": 48, "credit_amount": 9000, "age_in_years": 22, "purpose": EVIL,
         "telephone": None, "since": None},
    ]  # fmt: skip
    inputs = [predictor.input_model.model_validate(row) for row in golden]
    manifest = Manifest(
        case="finance",
        task="Probability that a loan defaults.",
        created="2026-01-31T10:00:00+00:00",
        casekit_version="0.1.0",
        measurements=[
            Measurement(metric="roc_auc", value=0.79, low=0.74, high=0.83, n=300, split="test",
                        model="blend", baseline=0.77, baseline_model="scorecard"),
        ],
        data=DataRecord(fingerprint="ab" * 32, rows=1000, source="german_credit",
                        licence="CC BY 4.0, Hofmann (1994)"),
        **promise(predictor, inputs),
    )  # fmt: skip
    return Desk(
        predictor=predictor,
        manifest=manifest,
        reference=frame,
        policy={"cutoff": 0.3},
        words=Words.load(*TEXTS),
        signer="cd" * 32,
        own=True,
        protected=("sex",),
        mapping=ReasonMapping.from_yaml(REASONS),
    )


@pytest.fixture(scope="session")
def evil() -> str:
    return EVIL


@pytest.fixture(scope="session")
def served(desk: Desk) -> Iterator[str]:
    """Address of the demo of the small desk."""
    from apps.demos.finance import compose, launch

    demo = compose(desk)
    yield launch(demo, block=False)
    demo.close()


@pytest.fixture
def ready() -> Callable[[Any], Any]:
    return lambda page: page.get_by_test_id("pd")
