from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verticals.medical.corpus import duplicates
from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.duplicates import alike, normalised, pairs, sketches
from verticals.medical.corpus.ingest import ingest

WORDS = [f"{a}{b}" for a in ("car", "neu", "hep", "pul", "der") for b in ("osis", "itis", "oma")]


def text(seed: int, words: int = 120) -> str:
    rng = np.random.default_rng(seed)
    return " ".join(rng.choice(WORDS, words)) + f" in {seed} patients"


def edited(original: str, words: int) -> str:
    parts = original.split()
    for place in np.linspace(5, len(parts) - 10, words).astype(int):
        parts[place] = "changed"
    return " ".join(parts)


def found(texts: list[str]) -> list[tuple[int, int]]:
    ready = [normalised(t) for t in texts]
    return list(pairs(np.arange(len(ready)), sketches(ready), lambda n: ready[n]))


def test_finds_copies_that_differ_in_print_or_in_a_few_words():
    texts = [text(n) for n in range(50)]
    again = [texts[3].upper().replace(" ", "  "), texts[7] + ".", edited(texts[9], 2)]
    assert sorted(found(texts + again)) == [(50, 3), (51, 7), (52, 9)]


def test_finds_nearly_every_pair_that_is_alike_enough():
    texts = [text(n, 200) for n in range(300)]
    copies = [edited(t, 3) for t in texts]
    alike_ones = sum(
        alike(normalised(a), normalised(b)) for a, b in zip(texts, copies, strict=True)
    )
    assert alike_ones > 250
    assert len(found(texts + copies)) >= 0.97 * alike_ones


def test_another_dose_or_another_drug_is_another_document():
    one = text(1) + " Give 5 mg daily."
    assert not found([one, one.replace("5 mg", "10 mg")])
    assert not found(["Colchicine is given daily.", "Allopurinol is given daily."])
    assert found(["Colchicine is given daily.", "colchicine is given  daily"])


def test_a_chain_of_copies_leads_to_the_first():
    assert sorted(found([text(1)] * 4)) == [(1, 0), (2, 0), (3, 0)]


@given(st.lists(st.text(max_size=80), min_size=1, max_size=6))
def test_windows_are_those_that_the_comparison_uses(texts):
    ready = [normalised(t) for t in texts]
    hashes, offsets = duplicates._windows(ready)
    assert len(offsets) == len(ready) + 1
    for n, one in enumerate(ready):
        part = hashes[int(offsets[n]) : int(offsets[n + 1])]
        words = list(duplicates._words(one))
        assert len(part) == len(words)
        assert len({*part.tolist()}) == len({*words})


def test_equal_texts_have_equal_sketches_whatever_is_beside_them():
    alone = sketches([normalised(text(5))])
    among = sketches([normalised(text(n)) for n in range(10)])
    assert np.array_equal(alone[0], among[5])
    assert not sketches([b"", b"word"])[0].any()


def test_the_corpus_keeps_the_first_and_remembers_the_other(tmp_path):
    first = [Document(f"a{n}", f"Title {n}", text(n)) for n in range(5)]
    copy = Document("b", "Title 2", edited(text(2), 1))
    report = ingest([*first, copy], tmp_path)
    assert report.duplicates == 1
    assert report.corpus.aliases() == {"b": "a2"}
    assert report.corpus.document("b").id == "a2"
    assert len(report.corpus) == 5
    later = ingest([Document("c", "Title 4", text(4))], tmp_path)
    assert later.corpus.aliases() == {"b": "a2", "c": "a4"}


def test_a_changed_document_sets_its_copies_free(tmp_path):
    pair = [Document("a", "T", text(1)), Document("b", "T", text(1))]
    ingest(pair, tmp_path)
    report = ingest([Document("a", "T", text(2))], tmp_path)
    assert not report.corpus.aliases()
    assert report.corpus.document("b").text == text(1)
    assert len(report.corpus) == 2


@pytest.mark.parametrize("count", [3])
def test_titles_alone_are_never_copies(tmp_path, count):
    report = ingest([Document(f"e{n}", "Editorial", "") for n in range(count)], tmp_path)
    assert (report.duplicates, report.without_text, len(report.corpus)) == (0, count, 0)
