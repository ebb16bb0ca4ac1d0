"""An answer's explanation: words at their place, features of its passage, and what it leans on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.errors import ModelError
from verticals.medical import why
from verticals.medical.answer import Answer, Evidence, Question
from verticals.medical.corpus.documents import Document
from verticals.medical.corpus.ingest import ingest
from verticals.medical.patient.expansion import Expanded

TEXTS = {
    "a": "Background is long. Apixaban is preferred over warfarin in atrial fibrillation.",
    "b": "Warfarin needs monitoring in atrial fibrillation. It is old.",
    "c": "Gout flares are treated with colchicine at a low dose.",
}
QUESTION = Question(
    question="Which anticoagulant is preferred in atrial fibrillation?", patient=None,
    filters=None, limit=5,
)  # fmt: skip


@dataclass(frozen=True)
class SmallEngine:
    """What an explanation reads of an engine."""

    corpus: Any
    index: Any
    encoder: Any
    generator: None = None


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> SmallEngine:
    import lightgbm

    from core.models.encoder import TextEncoder
    from verticals.medical.retrieval.features import FEATURE_NAMES
    from verticals.medical.retrieval.index import SearchIndex
    from verticals.medical.retrieval.reranker import Reranker

    folder: Path = tmp_path_factory.mktemp("why")
    documents = [Document(id=k, title=f"About {k}", text=t, year=2020) for k, t in TEXTS.items()]
    corpus = ingest(documents, folder / "corpus").corpus
    try:
        encoder = TextEncoder.open("minilm")
    except ModelError as error:
        pytest.skip(str(error))
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, len(FEATURE_NAMES)))
    settings = {"num_leaves": 4, "verbose": -1, "num_threads": 1, "objective": "regression"}
    data = lightgbm.Dataset(rows, rows[:, 0], feature_name=list(FEATURE_NAMES))
    trees = lightgbm.train(settings, data, 10)
    index = SearchIndex.open(corpus, encoder, folder=folder / "index", reranker=Reranker((trees,)))
    index.wait()
    return SmallEngine(corpus, index, encoder)


def cited(engine: Any, limit: int = 2) -> list[Evidence]:
    hits = engine.index.search(QUESTION.question, k=limit)
    found = []
    for passage in engine.corpus.passages([hit.row for hit in hits]):
        text = engine.corpus.document(passage.document).text
        start = text.index(". ") + 2 if ". " in text else 0
        found.append(
            Evidence(
                quote=text[start:], document=passage.document, start=start, end=len(text),
                title="T", grade="other", direction="unclear", direction_probability=0.5,
                support=0.5,
            )
        )  # fmt: skip
    return found


@pytest.fixture
def explained(engine: SmallEngine, monkeypatch: pytest.MonkeyPatch) -> tuple[Answer, why.Why]:
    @dataclass(frozen=True)
    class Found:
        expanded: Expanded

    def answer(question: Question, asked: Any) -> Answer:
        pieces = cited(asked)
        sure = 0.9 if any(piece.document == "a" for piece in pieces) else 0.3
        return Answer(status="answered", confidence=sure, evidence=pieces)

    monkeypatch.setattr(why, "answer", answer)
    monkeypatch.setattr(why, "find", lambda q, e: Found(Expanded(q.question, ())))
    given = Answer(status="answered", confidence=0.9, evidence=cited(engine))
    return given, why.explain_answer(QUESTION, given, engine)  # type: ignore[arg-type]


def test_words_lie_in_their_quotes(engine: SmallEngine, explained: tuple[Answer, why.Why]) -> None:
    answer, found = explained
    assert found.method == "integrated gradients"
    assert len(found.words) == len(answer.evidence)
    for piece, words in zip(answer.evidence, found.words, strict=True):
        text = engine.corpus.document(piece.document).text
        assert words
        for word in words:
            assert piece.start <= word.start < word.end <= piece.end
            assert text[word.start : word.end] == word.word


def test_the_words_that_were_asked_for_carry_most(explained: tuple[Answer, why.Why]) -> None:
    answer, found = explained
    place = [piece.document for piece in answer.evidence].index("a")
    weights = {word.word: word.weight for word in found.words[place]}
    assert max(weights["atrial"], weights["fibrillation"]) == max(weights.values())


def test_features_sum_to_how_the_passage_was_ranked(
    engine: SmallEngine, explained: tuple[Answer, why.Why]
) -> None:
    answer, found = explained
    assert set(found.features["evidence"]) == set(range(1, len(answer.evidence) + 1))
    hits = {
        engine.corpus.passages([hit.row])[0].document: hit.score
        for hit in engine.index.search(QUESTION.question, k=3)
    }
    sums = found.features.groupby("evidence")["effect"].sum()
    gaps = [hits[p.document] - sums[n] for n, p in enumerate(answer.evidence, 1)]
    assert gaps == pytest.approx([gaps[0]] * len(gaps))  # the same base for all
    first = found.features[found.features["evidence"] == 1]["effect"].abs()
    assert list(first) == sorted(first, reverse=True)


def test_without_its_document_the_answer_falls(explained: tuple[Answer, why.Why]) -> None:
    table = explained[1].leave_one_out.set_index("document")
    assert table.loc["a", "confidence"] == 0.3
    assert table.loc["a", "first"] != "a"
    others = table.drop(index="a")["confidence"]
    assert (others == 0.9).all()


def test_a_hidden_document_is_replaced_by_the_next(engine: SmallEngine) -> None:
    hidden = why.Without(engine.index, "a")
    rows = [hit.row for hit in hidden.search(QUESTION.question, k=2)]
    documents = {p.document for p in engine.corpus.passages(rows)}
    assert documents == {"b", "c"}
    assert hidden.dense_ready  # everything else is the index's own


def test_another_encoder_is_explained_by_occlusion(engine: SmallEngine) -> None:
    class Other:
        def encode(self, texts: list[str]) -> np.ndarray:
            rows = [[t.lower().count("fibrillation") + 0.1, 1.0] for t in texts]
            vectors = np.array(rows, np.float32)
            return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    words, method = why._words(QUESTION.question, cited(engine), Other())  # type: ignore[arg-type]
    assert method == "occlusion"
    heaviest = {max(found, key=lambda w: abs(w.weight)).word for found in words if found}
    assert "fibrillation" in heaviest


def test_without_a_learned_reranker_there_are_no_features(engine: SmallEngine) -> None:
    class Plain:
        reranker = None

    bare = SmallEngine(engine.corpus, Plain(), engine.encoder)
    table = why._features(QUESTION, cited(engine), bare)  # type: ignore[arg-type]
    assert isinstance(table, pd.DataFrame)
    assert table.empty
