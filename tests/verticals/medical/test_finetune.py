"""Pairs are mined as they will be served, and an adapted encoder is compared on fair terms."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.training.contrastive import Pair, _right
from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.ingest import ingest
from verticals.medical.finetune import adapt, compare, labelled_pairs, unlabelled_pairs
from verticals.medical.labelled import LabelledQuestion
from verticals.medical.retrieval.index import SearchIndex

DRUGS = ["aspirin", "warfarin", "salbutamol", "colchicine", "metformin", "apixaban"]


class Words:
    """Sums of random word vectors; blind to the words it was told to ignore."""

    def __init__(self, name: str, blind: Sequence[str] = ()) -> None:
        self.id, self.dimension, self.blind = name, 64, set(blind)

    def encode(self, texts: Sequence[str], **_: object) -> np.ndarray:
        out = np.full((len(texts), self.dimension), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for word in set(re.findall(r"[a-z]+", text.lower())) - self.blind:
                seed = zlib.crc32(word.encode())
                out[row] += np.random.default_rng(seed).standard_normal(self.dimension)
        return out / np.linalg.norm(out, axis=1, keepdims=True)


@pytest.fixture
def index(tmp_path: Path) -> SearchIndex:
    documents = [
        Document(
            f"{drug}-{n}", f"A trial of the drug {drug} number {n}",
            f"The {drug} group had fewer events over {n + 2} years of treatment than placebo.",
        )
        for drug in DRUGS
        for n in range(4)
    ]  # fmt: skip
    corpus = ingest(documents, tmp_path / "corpus").corpus
    return SearchIndex.open(corpus, Words("all"), background=False)  # type: ignore[arg-type]


def questions() -> list[LabelledQuestion]:
    return [
        LabelledQuestion(f"Does {drug} lower events?", tuple(f"{drug}-{n}" for n in range(4)))
        for drug in DRUGS
    ]


def test_negatives_look_alike_are_wrong_and_carry_their_titles(index: SearchIndex) -> None:
    pairs = labelled_pairs(questions(), index, negatives=2)
    assert len(pairs) == 4 * len(DRUGS)
    for pair in pairs:
        drug = pair.anchor.split()[1]
        assert drug in pair.positive
        assert len(pair.negatives) == 2
        for text in (pair.positive, *pair.negatives):
            assert text.startswith("A trial of the drug")
        assert all(drug not in text for text in pair.negatives)


def test_a_corpus_without_labels_pairs_titles_with_texts(index: SearchIndex) -> None:
    pairs = unlabelled_pairs(index, most=10, seed=1)
    assert len(pairs) == 10
    assert pairs == unlabelled_pairs(index, most=10, seed=1)
    for pair in pairs:
        assert pair.anchor.startswith("A trial")
        assert not pair.positive.startswith("A trial")  # a copied title would teach nothing
        assert pair.negatives[0] != pair.positive


def test_known_answers_are_no_negatives() -> None:
    rows = [Pair("q", "a"), Pair("q", "b"), Pair("other", "a", ("b",))]
    assert _right(rows, ["b"]).tolist() == [
        [True, True, True, True],
        [True, True, True, True],
        [True, False, True, False],
    ]


def test_before_and_after_are_paired_by_question(index: SearchIndex, tmp_path: Path) -> None:
    blind, seeing = Words("blind", DRUGS), Words("seeing", ["the", "of", "a", "does", "events"])
    unanswerable = LabelledQuestion("What of nothing?")
    found = compare(
        [*questions(), unanswerable],
        index.corpus,
        blind,
        seeing,
        tmp_path,  # type: ignore[arg-type]
    )
    assert found.before.shape == found.after.shape == (len(DRUGS),)
    assert found.after.mean() > found.before.mean()
    assert found.test.difference == pytest.approx(found.after.mean() - found.before.mean())
    assert found.test.low <= found.test.difference <= found.test.high


@pytest.mark.slow
def test_an_adapter_helps_on_questions_that_it_was_not_trained_on(tmp_path: Path) -> None:
    """Made-up drugs and what they treat: only the training can tell."""
    from core.models.encoder import TextEncoder

    diseases = ["gout", "asthma", "eczema", "angina", "migraine", "anaemia", "acne", "fever"]
    drugs = ["zolumab", "trivexin", "prandole", "nostrel", "quentide", "halcifen", "borvastol",
             "mexitran"]  # fmt: skip
    documents = [
        Document(f"d{n}", f"{disease} and its treatment", f"Patients with {disease} were treated.")
        for n, disease in enumerate(diseases)
    ]
    corpus = ingest(documents, tmp_path / "corpus").corpus
    before = TextEncoder.open(threads=1)
    index = SearchIndex.open(corpus, before, background=False)
    asked = [LabelledQuestion(f"Who takes {drug}?", (f"d{n}",)) for n, drug in enumerate(drugs)]
    held = [LabelledQuestion(f"What is {drug} for?", (f"d{n}",)) for n, drug in enumerate(drugs)]
    adapter = tmp_path / "adapter.safetensors"
    history = adapt(labelled_pairs(asked, index), adapter, epochs=30, learning_rate=2e-3)
    after = TextEncoder.open(threads=1, adapter=adapter)
    found = compare(held, corpus, before, after, tmp_path / "vectors")
    assert history.losses[-1] < history.losses[0]
    assert found.after.mean() > found.before.mean() + 0.2
