"""Sentences as a reader would cut them, each verbatim."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verticals.medical.evidence.sentences import split_sentences


def cut(text: str) -> list[str]:
    return [text[a:b] for a, b in split_sentences(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Drug A vs. Drug B was better (P < 0.05).",
        "Counts of E. coli fell by 3.5 log units.",
        "Smith et al. Nature 2001 reports otherwise.",
        "See Fig. 2 for details.",
        "Beta-blockers, e.g. Metoprolol, were allowed.",
        "They received 500 mg i.v. Ceftriaxone daily.",
        "As J. Smith wrote, nothing changed.",
        "The hazard ratio was 0.82 (95% C.I. 0.70 to 0.96).",
    ],
)
def test_a_stop_inside_a_sentence_does_not_end_it(text: str) -> None:
    assert cut(text) == [text]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("It was better.", "We saw 12 patients."),
        ("It was better.[12]", "We saw none."),
        ('"It was better."', "(So they said.)"),
        ("They took vitamin C.", "The others did not."),
        ("It lasted 30 min.", "Patients slept."),
        ("It was shown by Smith et al.", "We repeated it."),
        ("Was it better?", "Nobody knows."),
        ("Mortality was 5.2%.", "50 patients died."),
    ],
)
def test_two_sentences_are_two(first: str, second: str) -> None:
    assert cut(f"{first} {second}") == [first, second]


def test_bullets_and_rows_are_units_and_headings_are_none() -> None:
    text = (
        "# Treatment\n\nStart at once. Then\nwait a day.\n\n- **Aspirin** daily\n"
        "- Statin. High dose.\n\n| drug | dose |\n|---|---|\n| apixaban | 5 mg. Twice. |\n\n"
        "1. Ask. 2. Tell\n## Next\nEnd."
    )
    found = cut(text)
    assert found == [
        "Start at once.", "Then\nwait a day.", "**Aspirin** daily", "Statin.", "High dose.",
        "| drug | dose |", "| apixaban | 5 mg. Twice. |", *found[7:-1], "End.",
    ]  # fmt: skip
    assert not any(piece.startswith("#") or set(piece) <= set("|-") for piece in found)


@given(st.text(alphabet='abAB .!?\n-|#*1()"\t', max_size=200))
def test_sentences_are_verbatim_in_order_and_trimmed(text: str) -> None:
    last = 0
    for start, end in split_sentences(text):
        assert last <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        last = end


@given(st.lists(st.from_regex(r"[A-Z][a-z]{3,9}( [a-z]{3,9}){2,6}\.", fullmatch=True), min_size=1))
def test_plain_sentences_are_all_found(sentences: list[str]) -> None:
    assert cut(" ".join(sentences)) == sentences


def test_it_cuts_abstracts_where_their_annotators_did(shared_medical: Path) -> None:
    right = ours = theirs = 0
    with gzip.open(shared_medical / "scifact" / "corpus.jsonl.gz", "rt", encoding="utf-8") as file:
        for _, line in zip(range(500), file, strict=False):
            sentences = [" ".join(s.split()) for s in json.loads(line)["sentences"]]
            text = " ".join(sentences)
            ends, at = set(), 0
            for sentence in sentences:
                at += len(sentence) + 1
                ends.add(at - 1)
            mine = {end for _, end in split_sentences(text)}
            right, ours, theirs = right + len(mine & ends), ours + len(mine), theirs + len(ends)
    assert right / ours > 0.96
    assert right / theirs > 0.96
