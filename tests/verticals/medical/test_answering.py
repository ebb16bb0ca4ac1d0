"""Answers over a small corpus whose truth is known: quoted, graded, refused, never invented."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import DataError, ParameterError
from verticals.medical.answer import GRADES, Answer, Filters, Question
from verticals.medical.answering import Engine, answer, open_engine
from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.ingest import ingest
from verticals.medical.data import SAMPLES

TOPIC = "Does colchicine reduce recurrent pericarditis?"
DOCUMENTS = [
    Document(
        "trial", "Colchicine for recurrent pericarditis: a randomized controlled trial",
        "We randomly assigned 240 patients to colchicine or placebo. Colchicine significantly "
        "reduced recurrent pericarditis compared with placebo (21% versus 42%, P < 0.001). "
        "Side effects were similar in both groups.",
        year=2014, journal="Lancet", doi="10.1000/trial", publication_types=(
            "Randomized Controlled Trial",),
    ),
    Document(
        "case", "Recurrent pericarditis under colchicine: a case report",
        "A 40-year-old man took colchicine for pericarditis. His recurrent pericarditis did not "
        "improve with colchicine and he needed prednisone.",
        year=2009, journal="Case Reports", pmid="111", publication_types=("Case Reports",),
    ),
    Document(
        "guideline", "Guideline on pericardial diseases",
        "Diagnosis rests on chest pain and a friction rub. Colchicine is recommended to reduce "
        "recurrent pericarditis, in addition to aspirin. Exercise should be restricted.",
        year=2015, doi="10.1000/guide", organisation="ESC", publication_types=(
            "Practice Guideline",),
    ),
    Document(
        "withdrawn", "Colchicine abolishes recurrent pericarditis",
        "Colchicine abolished recurrent pericarditis in every one of the patients of this study.",
        year=2012, retracted=True,
    ),
    *(
        Document(f"other-{n}", title, text, year=2010 + n)
        for n, (title, text) in enumerate(
            [
                ("Metformin in diabetes", "Metformin lowers glucose. Lactic acidosis is rare."),
                ("Statins after stroke", "Atorvastatin reduced recurrent stroke."),
                ("Asthma in children", "Inhaled corticosteroids control asthma in most children."),
                ("Gout flares", "Colchicine and prednisone both shorten flares of gout."),
                ("Warfarin and bleeding", "Warfarin increases bleeding when taken with aspirin."),
                ("Iron deficiency", "Ferrous sulfate corrects anaemia within two months."),
            ]
        )
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("corpus")
    opened = open_engine(ingest(DOCUMENTS, folder).corpus, folder / "index")
    return replace(opened, abstention=replace(opened.abstention, threshold=0.0))


def ask(engine: Engine, question: str = TOPIC, **more: object) -> Answer:
    return answer(Question.model_validate({"question": question, **more}), engine)


def test_quotes_are_verbatim_and_best_grade_first(engine: Engine) -> None:
    found = ask(engine)
    assert found.status == "answered"
    for piece in found.evidence:
        document = engine.corpus.document(piece.document)
        assert document.text[piece.start : piece.end] == piece.quote
    grades = [GRADES.index(e.grade) for e in found.evidence]
    assert grades == sorted(grades)
    assert found.evidence[0].document == "guideline"
    assert {"guideline", "trial"} <= {e.document for e in found.evidence}
    assert found.evidence[0].link == "https://doi.org/10.1000/guide"


def test_the_quote_is_the_sentence_that_answers(engine: Engine) -> None:
    by_document = {e.document: e.quote for e in reversed(ask(engine).evidence)}
    assert "significantly reduced recurrent pericarditis" in by_document["trial"]
    assert "recommended to reduce" in by_document["guideline"]


def test_what_was_retracted_is_never_evidence(engine: Engine) -> None:
    found = ask(engine, "Did colchicine abolish recurrent pericarditis in every patient?")
    assert "withdrawn" not in {e.document for e in [*found.evidence, *found.nearest]}


def test_below_the_threshold_it_says_why_it_is_silent(engine: Engine) -> None:
    strict = replace(engine, abstention=replace(engine.abstention, threshold=1.01))
    found = ask(strict)
    assert found.status == "abstained"
    assert not found.evidence
    assert found.nearest
    assert "confidence" in found.reason


def test_a_foreign_question_is_less_sure(engine: Engine) -> None:
    foreign = ask(engine, "How is a torn meniscus repaired by arthroscopy?")
    assert foreign.confidence < ask(engine).confidence


def test_filters_leave_nothing_else(engine: Engine) -> None:
    recent = ask(engine, filters=Filters(year_from=2015))
    assert {e.year for e in recent.evidence} == {2015}
    trials = ask(engine, filters=Filters(grades=("randomised trial",)))
    assert {e.document for e in trials.evidence} == {"trial"}
    body = ask(engine, filters=Filters(organisations=("esc",)))
    assert {e.document for e in body.evidence} == {"guideline"}
    with pytest.raises(ParameterError, match="NICE"):
        ask(engine, filters=Filters(organisations=("NICE",)))


def test_asked_twice_it_answers_alike(engine: Engine) -> None:
    assert ask(engine) == ask(engine)


def test_a_question_it_cannot_take_is_refused(engine: Engine) -> None:
    with pytest.raises(DataError, match="empty"):
        ask(engine, "  ")


def test_the_patient_s_facts_are_named(engine: Engine) -> None:
    import orjson

    bundle = orjson.loads((SAMPLES / "atrial_fibrillation.json").read_bytes())
    found = ask(engine, "Does aspirin increase bleeding?", patient=bundle)
    assert any("warfarin" in fact.lower() for fact in found.facts_used)


@pytest.mark.parametrize("limit", [1, 2, 20])
def test_the_limit_holds(engine: Engine, limit: int) -> None:
    assert 0 < len(ask(engine, limit=limit).evidence) <= limit


def test_words_answer_before_the_vectors_are_there(tmp_path: Path) -> None:
    opened = open_engine(ingest(DOCUMENTS, tmp_path).corpus, tmp_path / "index")
    opened.index._dense = None
    opened = replace(opened, abstention=replace(opened.abstention, threshold=0.0))
    found = ask(opened)
    assert "trial" in {e.document for e in found.evidence}
    assert "vector index" in found.warnings[0]
