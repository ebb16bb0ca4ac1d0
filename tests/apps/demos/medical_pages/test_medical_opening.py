from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from apps.demos.medical_pages.ask import EXAMPLES
from apps.demos.medical_pages.asking import ask
from apps.demos.medical_pages.desk import Facets
from apps.demos.medical_pages.finding import newest_bundle
from apps.demos.medical_pages.opening import (
    EngineReader,
    advice_of,
    explanation_of,
    open_desk,
    score_of,
)
from explain.text import WordAttribution
from verticals.medical.answer import Answer, Evidence
from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.ingest import ingest
from verticals.medical.decisions.calculators import Calculated
from verticals.medical.decisions.cards import make_card


def evidence(document: str) -> Evidence:
    return Evidence(
        quote="Q", document=document, start=0, end=1, title="T", grade="other",
        direction="unclear", direction_probability=0.5, support=0.5,
    )  # fmt: skip


class FoundWhy:
    """What the vertical says of an answer with two pieces of one document and one of another."""

    words = ((WordAttribution("Q", 0, 1, 0.4),), (), ())
    features = pd.DataFrame(
        [(1, "dense_z", 2.0, 0.5), (1, "pairs", 0.1, -0.2), (3, "pairs", 0.3, 0.1)],
        columns=["evidence", "feature", "value", "effect"],
    )
    leave_one_out = pd.DataFrame(
        [("a", "T", 0.2, "abstained", "b"), ("b", "T", 0.85, "answered", "a")],
        columns=["document", "title", "confidence", "status", "first"],
    )


def test_an_explanation_goes_to_its_pieces() -> None:
    answer = Answer(
        status="answered", confidence=0.9, evidence=[evidence("a"), evidence("a"), evidence("b")]
    )
    found = explanation_of(FoundWhy(), answer)  # type: ignore[arg-type]
    assert found.without == (0.2, 0.2, 0.85)
    assert [len(c.words) for c in found.carried] == [1, 0, 0]
    assert found.carried[0].features == (("dense_z", 2.0, 0.5), ("pairs", 0.1, -0.2))
    assert found.carried[1].features == ()


def test_a_corpus_says_what_can_be_filtered(tmp_path: Path) -> None:
    class Engine:
        corpus = ingest(
            [
                Document(id="a", title="A guideline", text="Text one of it.", year=2001,
                         organisation="KDIGO", publication_types=("Practice Guideline",)),
                Document(id="b", title="A trial", text="Another text is here.", year=2020,
                         publication_types=("Randomized Controlled Trial",)),
            ],
            tmp_path / "corpus",
        ).corpus  # fmt: skip

    reader = EngineReader(Engine())  # type: ignore[arg-type]
    assert reader.facets() == Facets(
        (2001, 2020), ("guideline", "randomised trial"), ("KDIGO",), 2, len(Engine.corpus)
    )
    assert reader.text("a") == "Text one of it."
    assert reader.text("nowhere") == ""


def test_a_cds_card_becomes_advice_without_its_disclaimer() -> None:
    card = make_card("A with B: bleeding", "Effect.\n\n**Stop it**", "warning", "X, doi:10.1/y")
    shown = advice_of(card)
    assert (shown.indicator, shown.summary) == ("warning", "A with B: bleeding")
    assert shown.detail == "Effect.\nStop it"
    assert shown.link == "https://doi.org/10.1/y"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(37.42, "mL/min", "37.4 mL/min"), (3.0, "", "3"), (None, "kg/m²", "")],
)
def test_scores_are_rounded_and_absent_ones_empty(
    value: float | None, unit: str, text: str
) -> None:
    given = Calculated("S", value, unit, "says", ("a",), ("b",), ("c",), "10.1/x")
    shown = score_of(given)
    assert shown.value == text
    assert shown.link == "https://doi.org/10.1/x"


@pytest.mark.slow
def test_without_a_run_the_guidelines_are_read_and_the_demo_opens(
    casekit_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from apps.demos.medical import build

    monkeypatch.chdir(tmp_path)
    build()
    bundle = newest_bundle(casekit_home / "demos")
    assert bundle is not None
    desk = open_desk(bundle)
    asked = ask(desk, EXAMPLES[0])
    assert asked.answer.status == "answered"
    for piece in asked.answer.evidence:
        assert desk.reader.text(piece.document)[piece.start : piece.end] == piece.quote
    explanation = desk.reader.explain(asked.question, asked.answer)
    assert len(explanation.carried) == len(explanation.without) == len(asked.answer.evidence)
    assert ask(desk, EXAMPLES[-1]).answer.status == "abstained"
    assert desk.files["card.md"]
    assert desk.patients
