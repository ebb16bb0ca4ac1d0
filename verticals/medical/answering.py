"""From a question to an answer: search, weigh sentences, say what they say, or abstain."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from verticals.medical.answer import GRADES, Answer, Direction, Evidence, Question
from verticals.medical.corpus.chunking import section_at
from verticals.medical.corpus.markdown import STEP
from verticals.medical.evidence.abstain import answer_signals
from verticals.medical.evidence.grade import grade
from verticals.medical.evidence.pico import pico
from verticals.medical.evidence.sentences import split_sentences
from verticals.medical.evidence.support import score_passages
from verticals.medical.patient.expansion import Expanded, expand
from verticals.medical.patient.fhir import read_patient
from verticals.medical.wording import check_question

if TYPE_CHECKING:
    from core.models.encoder import Remembering, TextEncoder
    from verticals.medical.corpus.documents import Document, Passage
    from verticals.medical.corpus.store import Corpus
    from verticals.medical.evidence.abstain import AbstentionModel
    from verticals.medical.evidence.direction import DirectionModel
    from verticals.medical.evidence.support import SupportModel
    from verticals.medical.generation.verify import Generator
    from verticals.medical.retrieval.index import Hit, SearchIndex
    from verticals.medical.retrieval.reranker import Reranker

PASSAGES = 10  # of the search, that say how sure an answer is
WEIGHED = 16  # sentences, the best supported, that are weighed again in their context
_CONTEXT = 24.0  # of the cosine in context beside the log-odds of support; dev questions chose it
CLOSELY = 5  # of these, whose sentences are encoded one by one
QUOTES = 3  # at most, of one document
DIRECTIONS: tuple[Direction, ...] = ("supports", "contradicts", "no difference")
_MARKS = re.compile(r"[*_`|#]+")
_CLEAR = 0.5  # probability of a direction before it is named


@dataclass(frozen=True)
class Engine:
    """Everything an answer needs, opened once."""

    corpus: Corpus
    index: SearchIndex
    encoder: TextEncoder
    reranker: Reranker
    support: SupportModel
    direction: DirectionModel
    abstention: AbstentionModel
    sentences: Remembering  # encodes what is read closely
    generator: Generator | None = None


@dataclass(frozen=True)
class Sentence:
    """A sentence of a retrieved passage, by its place in its document."""

    hit: Hit
    passage: Passage
    document: Document
    start: int
    end: int
    support: float = 0.0

    @property
    def text(self) -> str:
        """Verbatim."""
        return self.document.text[self.start : self.end]


@dataclass(frozen=True)
class Findings:
    """What was found on the way to an answer, for explanations and tuning."""

    expanded: Expanded
    hits: tuple[Hit, ...]
    sentences: tuple[Sentence, ...]  # the most relevant first
    confidence: float


def answer(question: Question, engine: Engine) -> Answer:
    """Answer a question with verbatim evidence, or say why not.

    Args:
        question: With the patient's FHIR bundle, if it is asked for one.
        engine: The opened models and corpus.

    Raises:
        DataError: The question or the patient cannot be read; names the field and the remedy.
    """
    found = find(question, engine)
    best = quotes(found.sentences, question.limit)
    evidence = cite(question.question, best, engine)
    if not evidence or found.confidence < engine.abstention.threshold:
        return Answer(
            status="abstained",
            reason=engine.abstention.reason(found.confidence, len(evidence)),
            confidence=found.confidence,
            nearest=evidence[:3],
            facts_used=list(found.expanded.facts),
            pico=pico(found.expanded.question, ""),
            warnings=_warnings(engine),
        )
    evidence.sort(key=lambda e: GRADES.index(e.grade))  # within a grade the best stays first
    agreement = directions_of(evidence)
    answered = Answer(
        status="answered",
        confidence=found.confidence,
        evidence=evidence,
        agreement=agreement,
        conflict=agreement.get("supports", 0) > 0 and agreement.get("contradicts", 0) > 0,
        pico=pico(found.expanded.question, evidence[0].quote),
        facts_used=list(found.expanded.facts),
        warnings=_warnings(engine),
    )
    return _worded(found.expanded.question, answered, engine)


def find(question: Question, engine: Engine) -> Findings:
    """Search for a question, and read the nearest passages closely."""
    asked = check_question(question.question)
    expanded = Expanded(asked, ())
    if question.patient is not None:
        expanded = expand(asked, read_patient(question.patient))
    # Whether the corpus answers is a matter of the question alone: facts would blur its signals.
    plain = engine.index.search(asked, k=PASSAGES, filters=question.filters)
    sentences, texts, scores = _read(asked, plain[:CLOSELY], engine)
    signals = answer_signals(asked, plain, texts, scores, engine.index.lexical)
    confidence = engine.abstention.confidence(signals) if plain else 0.0
    if not expanded.facts:
        return Findings(expanded, tuple(plain), tuple(sentences), confidence)
    sought = expanded.search or expanded.question
    hits = engine.index.search(sought, k=PASSAGES, filters=question.filters)
    sentences, _, _ = _read(asked, hits[:CLOSELY], engine)
    return Findings(expanded, tuple(hits), tuple(sentences), confidence)


def cite(question: str, sentences: Sequence[Sentence], engine: Engine) -> list[Evidence]:
    """The sentences as citations, with what each says of the question."""
    if not sentences:
        return []
    chances = engine.direction.predict(question, [s.text for s in sentences])
    return [_evidence(s, p) for s, p in zip(sentences, chances, strict=True)]


def directions_of(evidence: Sequence[Evidence]) -> dict[str, int]:
    """Documents by what their best sentence says."""
    first: dict[str, Direction] = {}
    for piece in evidence:
        first.setdefault(piece.document, piece.direction)
    return dict(Counter(first.values()))


def _evidence(sentence: Sentence, chances: np.ndarray) -> Evidence:
    document, top = sentence.document, int(chances.argmax())
    clear = float(chances[top]) >= _CLEAR
    return Evidence(
        quote=sentence.text, document=document.id, start=sentence.start, end=sentence.end,
        section=sentence.passage.section, title=document.title, year=document.year,
        journal=document.journal, organisation=document.organisation, doi=document.doi,
        pmid=document.pmid, link=document.link, note=document.note, grade=grade(document),
        direction=DIRECTIONS[top] if clear else "unclear",
        direction_probability=float(chances[top]), support=sentence.support,
    )  # fmt: skip


def _read(
    question: str, hits: Sequence[Hit], engine: Engine
) -> tuple[list[Sentence], list[str], list[np.ndarray]]:
    """Every sentence of the passages, best first; by passage, its text and its scores."""
    found, spans, texts = [], [], []
    for hit, passage in zip(hits, engine.corpus.passages([h.row for h in hits]), strict=True):
        document = engine.corpus.document(passage.document)
        found.append((hit, passage, document))
        spans.append(split_sentences(passage.text))
        texts.append(f"{document.title} {passage.text}")
    parts = [
        [passage.text[a:b] for a, b in part]
        for (_, passage, _), part in zip(found, spans, strict=True)
    ]
    scores = score_passages(
        question, parts, engine.support, engine.sentences, engine.index.lexical.rarity,
        titles=[document.title for _, _, document in found],
    )  # fmt: skip
    sentences = [
        Sentence(*where, where[1].start + a, where[1].start + b, float(p))
        for where, part, chances in zip(found, spans, scores, strict=True)
        for (a, b), p in zip(part, chances, strict=True)
    ]
    return _in_context(question, sentences, engine), texts, scores


def _in_context(question: str, sentences: list[Sentence], engine: Engine) -> list[Sentence]:
    """Best first. A bullet says little without its headings: the best are read with theirs."""
    ordered = sorted(sentences, key=lambda s: -s.support)
    near, far = ordered[:WEIGHED], ordered[WEIGHED:]
    if not near:
        return []
    vectors = engine.sentences.encode([question, *(_with_headings(s) for s in near)])
    odds = np.array([np.log((s.support + 1e-6) / (1 - s.support + 1e-6)) for s in near])
    relevance = odds + _CONTEXT * (vectors[1:] @ vectors[0])
    return [near[i] for i in np.argsort(-relevance, kind="stable")] + far


def _with_headings(sentence: Sentence) -> str:
    """A sentence after its document's subject and its headings, without the marks of Markdown."""
    document = sentence.document
    # A guideline's title names the body and the year before its subject.
    subject = document.title.rpartition(": ")[2] if document.organisation else document.title
    heading = section_at(document, sentence.start).replace(STEP, " ")
    plain = _MARKS.sub(" ", sentence.text)
    return f"{subject}. {heading}: {plain}" if heading else f"{subject}. {plain}"


def quotes(sentences: Sequence[Sentence], limit: int) -> list[Sentence]:
    """The best supported sentences, few of one document, none twice."""
    out: list[Sentence] = []
    taken: Counter[str] = Counter()
    for sentence in sentences:
        if taken[sentence.document.id] < QUOTES and len(out) < limit:
            out.append(sentence)
            taken[sentence.document.id] += 1
    return out


def _worded(question: str, answered: Answer, engine: Engine) -> Answer:
    """The answer in a model's words too, if there is one; only sentences that hold."""
    if engine.generator is None:
        return answered
    from verticals.medical.generation.verify import verify

    text = engine.generator.answer(question, answered.evidence)
    kept, dropped = verify(text, answered.evidence)
    return answered.model_copy(update={"generated": kept, "dropped": dropped})


def _warnings(engine: Engine) -> list[str]:
    if engine.index.dense_ready:
        return []
    return ["The vector index is still being built: this answer rests on words alone."]


def open_engine(
    corpus: Corpus,
    folder: Path,
    *,
    encoder: str = "minilm",
    weights: Path | None = None,
    generator: str | None = None,
    vectors: np.ndarray | None = None,
    wait: bool = True,
) -> Engine:
    """Open the models over a corpus.

    Args:
        corpus: What is searched.
        folder: Keeps the indexes.
        encoder: Asset, hub name or folder of the sentence encoder.
        weights: Folder of the learned models; by default those that the kit ships.
        generator: None, smollm2 or the URL of an OpenAI-compatible endpoint.
        vectors: (passages, d) embeddings of the corpus, if they are known.
        wait: Whether to wait for the vector index; without it, words alone answer at first.
    """
    from core.models.encoder import Remembering, TextEncoder
    from verticals.medical.evidence.abstain import AbstentionModel
    from verticals.medical.evidence.direction import DirectionModel
    from verticals.medical.evidence.support import SupportModel
    from verticals.medical.retrieval.index import SearchIndex
    from verticals.medical.retrieval.reranker import Reranker

    def kept(name: str) -> Path | None:
        return weights / name if weights else None

    model = TextEncoder.open(encoder)
    reranker = Reranker.open(kept("reranker"))
    index = SearchIndex.open(corpus, model, folder=folder, reranker=reranker, vectors=vectors)
    if wait:
        index.wait()
    return Engine(
        corpus, index, model, reranker, SupportModel.open(kept("support")),
        DirectionModel.open(kept("direction")), AbstentionModel.open(kept("abstain")),
        Remembering(model),
        _generator(generator),
    )  # fmt: skip


def _generator(name: str | None) -> Generator | None:
    if not name:
        return None
    if "://" in name:
        from verticals.medical.generation.endpoint import EndpointModel

        return EndpointModel(name)
    from verticals.medical.generation.local import LocalModel

    return LocalModel.open(name)
