from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import DataError
from verticals.medical.answer import Answer, Evidence
from verticals.medical.feedback import as_labelled, feedback_file, give_feedback, read_feedback


def evidence(document: str = "guideline:a/b") -> Evidence:
    return Evidence(
        quote="Quote.", document=document, start=3, end=9, title="T", grade="guideline",
        direction="supports", direction_probability=0.8, support=0.9,
    )  # fmt: skip


def answered(*documents: str) -> Answer:
    return Answer(
        status="answered",
        confidence=0.9,
        evidence=[evidence(d) for d in documents or ("guideline:a/b",)],
        facts_used=["eGFR 28 of the patient"],
    )


def test_a_verdict_survives_with_the_places_quoted_and_nothing_of_the_patient() -> None:
    given = give_feedback("wrong", "Is it?", answered(), "No, see page 3", bundle="ab")
    assert read_feedback() == (given,)
    text = feedback_file().read_text()
    assert "eGFR" not in text
    assert "Quote." not in text
    assert given.quoted[0].document == "guideline:a/b"
    assert stat.S_IMODE(feedback_file().stat().st_mode) == 0o600


def test_personal_data_is_replaced_before_it_is_written() -> None:
    give_feedback("useful", "Dose for jane.roe@example.org?", answered(), "call +44 20 7946 0958")
    text = feedback_file().read_text()
    assert "jane.roe" not in text
    assert "7946" not in text


def test_the_patients_own_name_is_replaced_too() -> None:
    given = give_feedback("wrong", "Q?", answered(), "Not for Zofia Okonkwo", known=["Okonkwo"])
    assert "Okonkwo" not in given.comment


def test_entries_are_only_ever_added(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    before = ""
    for verdict in ("useful", "wrong", "unsafe"):
        give_feedback(verdict, "Q?", answered(), path=path)
        now = path.read_text()
        assert now.startswith(before)
        before = now
    assert [f.verdict for f in read_feedback(path)] == ["useful", "wrong", "unsafe"]


def test_many_readers_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    with ThreadPoolExecutor(8) as pool:
        said = [f"comment {i} " + "x" * 500 for i in range(64)]
        list(pool.map(lambda c: give_feedback("useful", "Q?", answered(), c, path=path), said))
    assert sorted(f.comment for f in read_feedback(path)) == sorted(said)


def test_an_abstention_keeps_what_was_nearest() -> None:
    abstained = Answer(status="abstained", confidence=0.1, nearest=[evidence("pmid:1")])
    assert give_feedback("wrong", "Q?", abstained).quoted[0].document == "pmid:1"


@pytest.mark.parametrize(
    ("verdict", "question", "comment", "field"),
    [("great", "Q?", "", "verdict"), ("useful", "Q?", "x" * 2001, "comment"),
     ("useful", "q" * 2001, "", "question")],
)  # fmt: skip
def test_what_cannot_be_kept_is_named(
    verdict: str, question: str, comment: str, field: str
) -> None:
    with pytest.raises(DataError, match=field):
        give_feedback(verdict, question, answered(), comment)  # type: ignore[arg-type]
    assert not feedback_file().exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="CASEKIT_HOME"):
        give_feedback("useful", "Q?", answered(), path=tmp_path / "file" / "f.jsonl")


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    give_feedback("useful", "Q?", answered(), path=path)
    with path.open("a") as file:
        file.write('{"verdict": "us\n')
    with pytest.raises(DataError, match="line 2"):
        read_feedback(path)


def test_no_feedback_is_none(tmp_path: Path) -> None:
    assert read_feedback(tmp_path / "none") == ()


def test_renewal_learns_from_what_nobody_doubts() -> None:
    give_feedback("useful", "A?", answered("d1", "d2"))
    give_feedback("useful", "A?", answered("d3"))
    give_feedback("useful", "B?", answered("d1"))
    give_feedback("unsafe", "B?", answered("d1"))
    give_feedback("useful", "C?", Answer(status="abstained", confidence=0.1))
    (learned,) = as_labelled(read_feedback())
    assert (learned.question, learned.documents) == ("A?", ("d1", "d2", "d3"))
