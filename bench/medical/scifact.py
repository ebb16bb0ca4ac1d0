"""SciFact as the medical case sees it: a corpus, claims, and what every model reads of them.

Wadden et al. (2020); claims CC BY 4.0, abstracts ODC-By 1.0 (S2ORC). Foreign questions are those
of MedQuAD (Ben Abacha and Demner-Fushman, 2019; CC BY 4.0).
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from core.models.encoder import TextEncoder
from verticals.medical.corpus.ingest import ingest
from verticals.medical.evidence.abstain import answer_signals
from verticals.medical.evidence.sentences import split_sentences
from verticals.medical.evidence.support import SupportModel, score_passages, sentence_features
from verticals.medical.retrieval.index import SearchIndex
from verticals.medical.retrieval.reranker import Reranker, candidates, titles_of

DATA = Path(__file__).parents[3] / "shared" / "data" / "medical"
WORK = Path("runs") / "bench-medical"  # indexes, kept between runs
FOREIGN = 600  # questions of MedQuAD that are asked
CLOSELY = 5  # passages whose sentences are read, as in answering


@dataclass(frozen=True)
class SciFact:
    """Claims over their corpus, indexed."""

    index: SearchIndex
    claims: tuple[dict[str, Any], ...]
    relevant: tuple[frozenset[str], ...]  # by claim, the cited abstracts
    sentences: dict[str, list[str]]  # by abstract, as annotated

    @classmethod
    def open(cls, data: Path = DATA, work: Path = WORK) -> SciFact:
        """Ingest and index; what is there already is not encoded again."""
        folder = data / "scifact"
        report = ingest(folder / "corpus.jsonl.gz", work / "scifact")
        index = SearchIndex.open(report.corpus, TextEncoder.open(), background=False)
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
            index, claims, tuple(frozenset(relevant[c["_id"]]) for c in claims),
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
    def rationale(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Sentences of all cited abstracts.

        Returns:
            Features (n, f); whether annotators named the sentence; its claim; and whether its
            abstract was named at all.
        """
        encoder, rarity = self.index.encoder, self.index.lexical.rarity
        names = sorted({n for c in self.claims for n in c["cited_doc_ids"]})
        flat = [s for n in names for s in self.sentences[n]]
        ends = np.cumsum([0, *(len(self.sentences[n]) for n in names)])
        vectors = encoder.encode(flat)
        place = {n: slice(a, b) for n, a, b in zip(names, ends, ends[1:], strict=False)}
        asked = encoder.encode(self.texts)
        rows, labels, owner, named = [], [], [], []
        for number, claim in enumerate(self.claims):
            gold: dict[str, set[int]] = {}
            for evidence in claim["evidence"]:
                gold.setdefault(evidence["doc_id"], set()).update(evidence["sentences"])
            for name in claim["cited_doc_ids"]:
                sentences = self.sentences[name]
                rows.append(
                    sentence_features(
                        claim["text"], asked[number], sentences, vectors[place[name]], rarity
                    )
                )
                labels += [n in gold.get(name, ()) for n in range(len(sentences))]
                owner += [number] * len(sentences)
                named += [name in gold] * len(sentences)
        return np.concatenate(rows), np.array(labels), np.array(owner), np.array(named)

    def signals(self, question: str, reranker: Reranker, support: SupportModel) -> np.ndarray:
        """What abstention sees of a question, searched with these models."""
        index = self.index
        hits = reranker.rerank(question, index.candidates(question), index)[:10]
        passages = index.corpus.passages([h.row for h in hits[:CLOSELY]])
        parts = [[p.text[a:b] for a, b in split_sentences(p.text)] for p in passages]
        scores = score_passages(question, parts, support, index.encoder, index.lexical.rarity)
        titles = titles_of(passages, index)
        texts = [f"{t} {p.text}" for t, p in zip(titles, passages, strict=True)]
        flat = np.concatenate(scores).tolist() if scores else []
        return answer_signals(question, hits, texts, flat, index.lexical)


def foreign_questions(data: Path = DATA, count: int = FOREIGN, seed: int = 1) -> list[str]:
    """Questions to patients' information pages, which no abstract of SciFact was cited for."""
    with gzip.open(data / "medquad" / "qa_dev.jsonl.gz", "rt", encoding="utf-8") as file:
        asked = {json.loads(line)["question"].replace(" ?", "?") for line in file}
    pool = sorted(asked)
    rng = np.random.default_rng(seed)
    return [pool[i] for i in rng.choice(len(pool), min(count, len(pool)), replace=False)]
