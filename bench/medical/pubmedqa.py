"""How often a study's results alone, without its conclusion, answer its question as it did.

    python -m bench.medical.pubmedqa [--data ../shared/data/medical]

PubMedQA (Jin et al., 2019; MIT), the 500 questions of its cross-validation part in the ten folds
given. A question under test shows its contexts, never its conclusion; MeSH terms and years are not
read. Conclusions of the other nine folds' questions are used to train (the paper's multi-phase
idea). The reader of sentences learned from Evidence Inference, which shares no label with
PubMedQA; the same chain with points set by hand in its place is measured beside it. Settings are
constants, chosen on other partitions of the same 500 questions, so a little optimism is left;
thresholds are chosen inside the training folds.
"""

from __future__ import annotations

import argparse
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import machine, write_result
from bench.medical.confusion import paired, scores
from bench.medical.direction_data import DATA, read_lines, trial_effects, trial_prompts
from bench.medical.evidence_inference import sectioned, tells
from verticals.medical.evidence.conclude import (
    ANSWERS,
    NOTHING,
    NULL,
    SIGNIFICANT,
    fit_reader,
    question_features,
    read_sentences,
    relevance,
    result_features,
)  # fmt: skip
from verticals.medical.evidence.cues import count_nulls, count_significant, read_numbers
from verticals.medical.evidence.direction import ruled_effect
from verticals.medical.evidence.frames import frame_features
from verticals.medical.evidence.linear import Softmax, fit_softmax
from verticals.medical.evidence.pairs import masked_pair
from verticals.medical.evidence.sentences import split_sentences

STRENGTH, READER_STRENGTH, WORDS = 0.003, 1.0, 0.3  # WORDS: share of the n-gram model
INNER, SEED = 6, 0
_RESULTS = re.compile(r"RESULT|FINDING|OUTCOME|CONCLU|DISCUSS")
_FEW = 4  # last sentences read where no section is called results
_QUIET = 40  # characters of a sentence that can say nothing
_NO, _MAYBE = (1.0, 1.15, 1.3), (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0)  # thresholds tried


@dataclass(frozen=True)
class Asked:
    """A question and the sentences of its results."""

    question: str
    sentences: list[str]
    conclusion: str


def main() -> None:
    """Measure and write bench/results/medical_pubmedqa.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    data = parser.parse_args().data
    begun = time.perf_counter()
    rows = list(read_lines(data / "pubmedqa" / "pqal_dev500.jsonl.gz"))
    asked = [Asked(r["question"], results_of(r), r["long_answer"]) for r in rows]
    y = np.array([ANSWERS.index(r["final_decision"]) for r in rows])
    folds = np.array([r["fold"] for r in rows])
    matters = weights(asked)
    reader = trial_reader(data)
    read = {
        "read by a model of trials": [
            read_sentences(reader, a.question, a.sentences) for a in asked
        ],
        "read by hand-set points": [ruled(a) for a in asked],
    }
    own = np.array([question_features(a.question) for a in asked])
    chosen: dict[str, np.ndarray] = {
        "always yes": np.zeros(len(y), int),
        "TF-IDF": baseline(asked, y, folds).argmax(1),
        "question alone": crossed(own, None, y, folds)[0].argmax(1),
    }
    for name, chances in read.items():
        whole = np.array([result_features(c, m) for c, m in zip(chances, matters, strict=True)])
        for words in (True, False):
            plain, tuned = crossed(np.hstack([whole, own]), asked if words else None, y, folds)
            label = name + (", with n-grams" if words else "")
            chosen[label] = plain.argmax(1)
            chosen[f"{label}, tuned for macro-F1"] = tuned.argmax(1)
    names = np.arange(len(y))
    found = {name: scores(y, picked, names) for name, picked in chosen.items()}
    differences = {
        f"{name} minus TF-IDF": paired(y, picked, chosen["TF-IDF"], names)
        for name, picked in chosen.items() if "read" in name
    }  # fmt: skip
    headline = {
        f"{name}: {measure.replace('_', '-')}": found[name][measure]["value"]
        for name in found for measure in ("accuracy", "macro_f1")
    }  # fmt: skip
    result: dict[str, Any] = {
        "machine": machine("scikit-learn"), "seconds": round(time.perf_counter() - begun, 1),
        "headline": headline, "measured": found, "paired": differences,
    }  # fmt: skip
    print(*headline.items(), sep="\n")
    print(write_result("medical_pubmedqa", result))


def results_of(row: dict[str, Any]) -> list[str]:
    """Sentences of the sections that report results; the last few where none is called so."""
    listed = [
        (label, text[a:b])
        for text, label in zip(row["contexts"], row["section_labels"], strict=True)
        for a, b in split_sentences(text)
    ]
    results = [s for label, s in listed if _RESULTS.search(label.upper())]
    return results or [s for _, s in listed[-_FEW:]]


def weights(asked: list[Asked]) -> list[np.ndarray]:
    """By question, how much each sentence matters to it."""
    from core.models.encoder import TextEncoder

    encoder = TextEncoder.open("minilm", threads=1)
    questions = encoder.encode([a.question for a in asked])
    vectors = encoder.encode([s for a in asked for s in a.sentences])
    parts = np.split(vectors, np.cumsum([len(a.sentences) for a in asked])[:-1])
    return [
        relevance(a.question, a.sentences, part @ question)
        for a, part, question in zip(asked, parts, questions, strict=True)
    ]


def trial_reader(data: Path) -> Softmax:
    """Reads significant, null and silent sentences, learned from trials."""
    prompts = trial_prompts(data)
    effects = trial_effects(prompts)
    abstracts = {
        row["_id"].removeprefix("PMC"): sectioned(row["text"])
        for row in read_lines(data / "evidence_inference" / "abstracts.jsonl.gz")
    }
    rng = np.random.default_rng(SEED)
    questions = [f"{e.outcome} {e.intervention} {e.comparator}" for e in effects]
    texts = [e.span for e in effects]
    reported = [NULL if e.effect == "no difference" else SIGNIFICANT for e in effects]
    for prompt, question in zip(prompts, list(questions), strict=True):
        quiet = [
            s for _, s in abstracts[prompt["pmcid"]]
            if len(s) > _QUIET and not _speaks(s) and not tells(s, prompt["evidence"])
        ]  # fmt: skip
        if quiet:
            questions.append(question)
            texts.append(quiet[int(rng.integers(len(quiet)))])
            reported.append(NOTHING)
    return fit_reader(questions, texts, np.array(reported), strength=READER_STRENGTH)


def ruled(asked: Asked) -> np.ndarray:
    """(s, 3) like `read_sentences`, by points set by hand."""
    features = np.array([frame_features("", "", asked.question, s) for s in asked.sentences])
    points = ruled_effect().probabilities(features)
    speaks = np.array([0.9 if _speaks(s) else 0.2 for s in asked.sentences])
    return np.column_stack(
        [speaks * (points[:, 0] + points[:, 1]), speaks * points[:, 2], 1 - speaks]
    )


def _speaks(sentence: str) -> bool:
    """Whether a sentence has any cue of significance."""
    cues = count_nulls(sentence) + count_significant(sentence)
    return cues > 0 or read_numbers(sentence).smallest_p < 1


def crossed(
    features: np.ndarray, asked: list[Asked] | None, y: np.ndarray, folds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) probabilities out of fold, and the same times thresholds tuned inside."""
    from sklearn.model_selection import StratifiedKFold

    plain, tuned = np.zeros((len(y), 3)), np.zeros((len(y), 3))
    for fold in np.unique(folds):
        rows, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        plain[rows] = _chances(features, asked, y, others, rows)
        inside = np.zeros((len(others), 3))
        parts = StratifiedKFold(INNER, shuffle=True, random_state=SEED)
        for a, b in parts.split(others, y[others]):
            inside[b] = _chances(features, asked, y, others[a], others[b])
        tuned[rows] = plain[rows] * _thresholds(inside, y[others])
    return plain, tuned


def _chances(
    features: np.ndarray, asked: list[Asked] | None, y: np.ndarray, fit_on: np.ndarray,
    apply_to: np.ndarray,
) -> np.ndarray:  # fmt: skip
    model = fit_softmax(features[fit_on], y[fit_on], strength=STRENGTH)
    chances = model.probabilities(features[apply_to])
    if asked is None:
        return chances
    words = _by_words(asked, y, fit_on, apply_to, conclusions=True)
    return (1 - WORDS) * chances + WORDS * words


def _by_words(
    asked: list[Asked], y: np.ndarray, fit_on: np.ndarray, apply_to: np.ndarray, *,
    conclusions: bool,
) -> np.ndarray:  # fmt: skip
    """(m, 3) by TF-IDF of question and results; conclusions of the training rows teach too."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    def texts(rows: np.ndarray, *, concluded: bool) -> tuple[list[str], list[str]]:
        shown = [asked[i].conclusion if concluded else " ".join(asked[i].sentences) for i in rows]
        questions = [asked[i].question.lower() for i in rows]
        if not conclusions:
            return questions, [text.lower() for text in shown]
        return questions, [masked_pair(q, text) for q, text in zip(questions, shown, strict=True)]

    fit_texts, labels = texts(fit_on, concluded=False), y[fit_on]
    if conclusions:
        more = texts(fit_on, concluded=True)
        fit_texts = fit_texts[0] + more[0], fit_texts[1] + more[1]
        labels = np.r_[labels, labels]
    seen, shown = [], []
    for known, asked_of in zip(fit_texts, texts(apply_to, concluded=False), strict=True):
        vectoriser = TfidfVectorizer(
            ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\S+"
        )
        seen.append(vectoriser.fit_transform(known))
        shown.append(vectoriser.transform(asked_of))
    model = LogisticRegression(C=2, max_iter=500).fit(hstack(seen).tocsr(), labels)
    return np.asarray(model.predict_proba(hstack(shown).tocsr()))


def _thresholds(chances: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(3,) factors of no and maybe with the best accuracy plus twice macro-F1."""
    from sklearn.metrics import f1_score

    def worth(factors: tuple[float, float]) -> float:
        picked = (chances * [1.0, *factors]).argmax(1)
        f1 = f1_score(y, picked, average="macro")
        return float((picked == y).mean() + 2 * f1)

    best = max(((no, maybe) for no in _NO for maybe in _MAYBE), key=worth)
    return np.array([1.0, *best])


def baseline(asked: list[Asked], y: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """(n, 3) of TF-IDF of question and results, without conclusions."""
    out = np.zeros((len(y), 3))
    for fold in np.unique(folds):
        rows, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        out[rows] = _by_words(asked, y, others, rows, conclusions=False)
    return out


if __name__ == "__main__":
    main()
