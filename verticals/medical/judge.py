"""Asks the test questions once, and says how well the corpus was searched, quoted and refused.

Tables: questions (one row each), abstention (by answerable or not), bodies (by guideline body).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.deployment.results import Measurement
from core.evaluation.bootstrap import Interval, bootstrap_intervals, mean_interval, wilson
from core.evaluation.ranking import ndcg, recall
from verticals.medical.answering import Engine, cite, quotes
from verticals.medical.fitting import Asked, ask
from verticals.medical.labelled import LabelledQuestion
from verticals.medical.retrieval.index import Mode
from verticals.medical.stages import Evaluated, Fitted

MODEL, BASELINE = "hybrid search with reranking", "BM25"
_DEEP = 50  # passages, of which ten documents are left


def evaluate(fitted: Fitted) -> Evaluated:
    """Measure on the test questions."""
    engine = fitted.engine
    asked = ask(fitted.split.test, engine)
    table = pd.DataFrame([_row(a, engine) for a in asked])
    known = table[table["answerable"]]
    measurements = [
        _mean("ndcg_at_10", known["ndcg"], known["ndcg_words"]),
        _mean("recall_at_5", known["recall"], known["recall_words"]),
        _share("answered_rightly", known["right"] & known["answered"]),
        _share("quotes_verbatim", table["verbatim"]),
    ]
    if (known["phrase"] != "").any():
        measurements.append(_share("phrase_quoted", known["quoted"][known["phrase"] != ""]))
    if not table["answerable"].all():
        measurements.append(_refusal(table))
        measurements.append(_share("refused_rightly", ~table["answered"][~table["answerable"]]))
    tables = {"questions": table, "abstention": _abstention(table), "bodies": _bodies(known)}
    return Evaluated(fitted, tuple(measurements), tables)


def _row(asked: Asked, engine: Engine) -> dict[str, object]:
    """One question: where its documents stood, what was quoted, how sure it was."""
    labelled, found = asked.labelled, asked.found
    ranked = _documents(labelled, engine, "hybrid")
    words = _documents(labelled, engine, "lexical")
    evidence = cite(labelled.question, quotes(found.sentences, 5), engine)
    relevant, flat = set(labelled.documents), " ".join(labelled.phrase.split())
    known = labelled.answerable
    return {
        "question": labelled.question, "answerable": known, "confidence": found.confidence,
        "answered": found.confidence >= engine.abstention.threshold, "right": asked.right,
        "ndcg": ndcg(ranked, relevant) if known else np.nan,
        "ndcg_words": ndcg(words, relevant) if known else np.nan,
        "recall": recall(ranked, relevant, k=5) if known else np.nan,
        "recall_words": recall(words, relevant, k=5) if known else np.nan,
        "words_score": max((h.bm25 for h in found.hits), default=0.0),
        "phrase": labelled.phrase,
        "quoted": any(flat in " ".join(e.quote.split()) for e in evidence),
        "verbatim": all(engine.corpus.document(e.document).text[e.start : e.end] == e.quote
                        for e in evidence),
        "first": evidence[0].document if evidence else "",
        "body": engine.corpus.document(labelled.documents[0]).organisation if known else "",
    }  # fmt: skip


def _documents(labelled: LabelledQuestion, engine: Engine, mode: Mode) -> list[str]:
    """Documents found, best first, each once."""
    hits = engine.index.search(labelled.question, k=_DEEP, mode=mode)
    passages = engine.corpus.passages([h.row for h in hits])
    return list(dict.fromkeys(p.document for p in passages))


def _mean(metric: str, ours: pd.Series, words: pd.Series) -> Measurement:
    interval = mean_interval(ours.to_numpy(float))
    return _measurement(metric, interval, float(words.mean()), BASELINE)


def _share(metric: str, hits: pd.Series) -> Measurement:
    value = float(hits.mean())
    low, high = wilson(value, len(hits))
    return _measurement(metric, Interval(value, low, high, len(hits)))


def _refusal(table: pd.DataFrame) -> Measurement:
    """Whether confidence tells questions that the corpus answers from those it does not."""
    y = table["answerable"].to_numpy(int)
    ours = bootstrap_intervals(y, table["confidence"].to_numpy(float), metrics=["roc_auc"])
    words = bootstrap_intervals(y, table["words_score"].to_numpy(float), metrics=["roc_auc"])
    return _measurement("abstention_auroc", ours["roc_auc"], words["roc_auc"].value,
                        "best BM25 score")  # fmt: skip


def _measurement(
    metric: str, interval: Interval, baseline: float | None = None, beside: str | None = None
) -> Measurement:
    return Measurement(
        metric=metric, value=interval.value, low=interval.low, high=interval.high, n=interval.n,
        split="test", model=MODEL, baseline=baseline, baseline_model=beside,
    )  # fmt: skip


def _abstention(table: pd.DataFrame) -> pd.DataFrame:
    """Answered and withheld, by whether the corpus has an answer."""
    rows = []
    for name, part in (("in the corpus", table[table["answerable"]]),
                       ("not in the corpus", table[~table["answerable"]])):  # fmt: skip
        answered = part["answered"]
        rows.append((name, len(part), int((answered & part["right"]).sum()),
                     int((answered & ~part["right"]).sum()), int((~answered).sum())))  # fmt: skip
    return pd.DataFrame(
        rows, columns=["answer", "questions", "answered rightly", "answered wrongly", "withheld"]
    )


def _bodies(known: pd.DataFrame) -> pd.DataFrame:
    """By guideline body: where the search is weak."""
    grouped = known[known["body"] != ""].groupby("body")
    out = grouped.agg(questions=("ndcg", "size"), ndcg=("ndcg", "mean"), right=("right", "mean"))
    return out.sort_values("ndcg").reset_index()
