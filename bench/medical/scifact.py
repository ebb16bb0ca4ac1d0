"""SciFact as the medical case sees it: a corpus, claims, and what every model reads of them.

Wadden et al. (2020); claims CC BY 4.0, abstracts ODC-By 1.0 (S2ORC). Foreign questions are those
of MedQuAD (Ben Abacha and Demner-Fushman, 2019; CC BY 4.0).
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bench.medical.vectors import RememberingEncoder
from core.evaluation.ranking import ndcg
from core.models.encoder import TextEncoder
from verticals.medical.corpus.ingest import ingest
from verticals.medical.evidence.abstain import answer_signals
from verticals.medical.evidence.sentence_features import sentence_features
from verticals.medical.evidence.sentences import split_sentences
from verticals.medical.evidence.support import SupportModel, score_passages
from verticals.medical.retrieval.index import Mode, SearchIndex
from verticals.medical.retrieval.reranker import Reranker, candidates

DATA = Path(__file__).parents[3] / "shared" / "data" / "medical"
WORK = Path("runs") / "bench-medical"  # indexes, kept between runs
FOREIGN = 800  # questions of MedQuAD that are asked, of as many topics
CLOSELY = 5  # passages whose sentences are read, as in answering
NONE: frozenset[str] = frozenset()
_MARKS = re.compile(r"\s*\?+")


@dataclass(frozen=True)
class Rationale:
    """Sentences of the abstracts that claims cite, read for these claims."""

    features: np.ndarray  # (n, f)
    labels: np.ndarray  # (n,) whether annotators named the sentence
    owner: np.ndarray  # (n,) number of the claim
    abstract: np.ndarray  # (n,) number of the claim and abstract
    named: np.ndarray  # (n,) whether annotators named any sentence of the abstract

    def only_named(self) -> Rationale:
        """Without abstracts that hold no evidence."""
        arrays = (self.features, self.labels, self.owner, self.abstract, self.named)
        return Rationale(*(a[self.named] for a in arrays))


@dataclass(frozen=True)
class SciFact:
    """Claims over their corpus, indexed."""

    index: SearchIndex
    encoder: RememberingEncoder
    claims: tuple[dict[str, Any], ...]
    relevant: tuple[frozenset[str], ...]  # by claim, the cited abstracts
    sentences: dict[str, list[str]]  # by abstract, as annotated

    @classmethod
    def open(cls, data: Path = DATA, work: Path = WORK) -> SciFact:
        """Ingest and index; what is there already is not encoded again."""
        folder = data / "scifact"
        report = ingest(folder / "corpus.jsonl.gz", work / "scifact")
        encoder = TextEncoder.open()
        index = SearchIndex.open(report.corpus, encoder, background=False)
        lines = (folder / "claims_train.jsonl").read_text(encoding="utf-8").splitlines()
        claims = tuple(json.loads(line) for line in lines)
        relevant: dict[str, set[str]] = {}
        rows = (folder / "qrels_train.tsv").read_text(encoding="utf-8").splitlines()[1:]
        for claim, abstract, score in (row.split("\t") for row in rows):
            if float(score) > 0:
                relevant.setdefault(claim, set()).add(abstract)
        with gzip.open(folder / "corpus.jsonl.gz", "rt", encoding="utf-8") as file:
            abstracts = [json.loads(line) for line in file]
        return cls(
            index, RememberingEncoder.open(encoder, work), claims,
            tuple(frozenset(relevant[c["_id"]]) for c in claims),
            {a["_id"]: a["sentences"] for a in abstracts},
        )  # fmt: skip

    @property
    def texts(self) -> list[str]:
        """The claims' words."""
        return [claim["text"] for claim in self.claims]

    @cached_property
    def has_evidence(self) -> np.ndarray:
        """(claims,) whether any cited abstract supports or contradicts the claim."""
        return np.array([bool(claim["evidence"]) for claim in self.claims])

    @cached_property
    def groups(self) -> np.ndarray:
        """(claims,) number of the group; claims that cite the same abstract are in one.

        Many claims are a rewording or the negation of another and cite the same abstracts: a model
        could learn the abstract instead of the task, were they in different folds.
        """
        first: dict[str, int] = {}
        groups = np.arange(len(self.claims))
        for number, names in enumerate(self.relevant):
            for name in names:
                other = groups[first.setdefault(name, number)]
                groups[groups == groups[number]] = other
        return np.unique(groups, return_inverse=True)[1]

    def folds(self, count: int, seed: int, *, grouped: bool = True) -> np.ndarray:
        """(claims,) fold of every claim: no abstract in two of them, or drawn claim by claim."""
        of = self.groups if grouped else np.arange(len(self.claims))
        folds: np.ndarray = (np.random.default_rng(seed).permutation(of.max() + 1) % count)[of]
        return folds

    @cached_property
    def ranking(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Features of all candidates, their abstracts, and which claim each belongs to."""
        found = [candidates(text, self.index) for text in self.texts]
        owner = np.repeat(np.arange(len(found)), [len(names) for _, names in found])
        return (
            np.concatenate([features for features, _ in found]),
            np.array([name for _, names in found for name in names]),
            owner,
        )

    @cached_property
    def plain(self) -> dict[str, np.ndarray]:
        """By list, (claims,) nDCG@10 without anything learned here."""
        modes: dict[str, Mode] = {"bm25": "lexical", "dense": "dense", "fused": "hybrid"}
        return {
            name: np.array([self._plain(n, mode) for n in range(len(self.claims))])
            for name, mode in modes.items()
        }

    def _plain(self, number: int, mode: Mode) -> float:
        hits = self.index.search(self.texts[number], k=50, mode=mode)
        names = [p.document for p in self.index.corpus.passages([h.row for h in hits])]
        return ndcg(list(dict.fromkeys(names)), self.relevant[number])

    @cached_property
    def rationale(self) -> Rationale:
        """Sentences of all cited abstracts."""
        encoder, rarity = self.encoder, self.index.lexical.rarity
        names = sorted({n for c in self.claims for n in c["cited_doc_ids"]})
        flat = [s for n in names for s in self.sentences[n]]
        ends = np.cumsum([0, *(len(self.sentences[n]) for n in names)])
        vectors = encoder.encode(flat)
        place = {n: slice(a, b) for n, a, b in zip(names, ends, ends[1:], strict=False)}
        asked = encoder.encode(self.texts)
        titles = {d.id: d.title for d in self.index.corpus.documents()}
        rows, labels, owner, named, abstract = [], [], [], [], []
        for number, claim in enumerate(self.claims):
            gold: dict[str, set[int]] = {}
            for evidence in claim["evidence"]:
                gold.setdefault(evidence["doc_id"], set()).update(evidence["sentences"])
            for name in claim["cited_doc_ids"]:
                sentences = self.sentences[name]
                found = sentence_features(
                    claim["text"], asked[number], sentences, vectors[place[name]], rarity,
                    title=titles[name],
                )  # fmt: skip
                rows.append(found)
                abstract += [len(rows)] * len(sentences)
                labels += [n in gold.get(name, ()) for n in range(len(sentences))]
                owner += [number] * len(sentences)
                named += [name in gold] * len(sentences)
        arrays = (np.array(a) for a in (labels, owner, abstract, named))
        return Rationale(np.concatenate(rows), *arrays)

    def signals(
        self, question: str, reranker: Reranker, support: SupportModel, without: Set[str] = NONE
    ) -> np.ndarray:
        """What abstention sees of a question, searched with these models.

        Args:
            question: A claim or a foreign question.
            reranker: Not trained on it.
            support: Not trained on it.
            without: Abstracts that are taken out of the corpus.
        """
        index = self.index
        hits = reranker.rerank(question, index.candidates(question), index)[: 10 + 3 * len(without)]
        found = [
            (hit, title, passage)
            for hit, (title, passage) in zip(
                hits, index.corpus.titled([h.row for h in hits]), strict=True
            )
            if passage.document not in without
        ][:10]
        passages = [passage for _, _, passage in found[:CLOSELY]]
        parts = [[p.text[a:b] for a, b in split_sentences(p.text)] for p in passages]
        titles = [title for _, title, _ in found[:CLOSELY]]
        scores = score_passages(
            question, parts, support, self.encoder, index.lexical.rarity, titles=titles
        )
        texts = [f"{t} {p.text}" for t, p in zip(titles, passages, strict=True)]
        return answer_signals(question, [hit for hit, _, _ in found], texts, scores, index.lexical)


def foreign_questions(data: Path = DATA, count: int = FOREIGN, seed: int = 1) -> list[str]:
    """Questions to patients' information pages, which no abstract of SciFact was cited for.

    As many of every source as it has, one of a topic: templates would otherwise outweigh the rest.
    """
    topics: dict[str, dict[str, list[str]]] = {}
    with gzip.open(data / "medquad" / "qa_dev.jsonl.gz", "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            question = _MARKS.sub("?", row["question"])
            topics.setdefault(row["source"], {}).setdefault(row["focus"].lower(), []).append(
                question
            )
    rng = np.random.default_rng(seed)
    out: list[str] = []
    for place, source in enumerate(sorted(topics, key=lambda s: len(topics[s]))):
        names = sorted(topics[source])
        share = min(len(names), (count - len(out)) // (len(topics) - place))
        for name in rng.choice(len(names), share, replace=False):
            asked = topics[source][names[name]]
            out.append(asked[rng.integers(len(asked))])
    return out
