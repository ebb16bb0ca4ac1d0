"""How well the result of a trial's comparison is read, with the annotated span and without.

    python -m bench.medical.evidence_inference [--data ../shared/data/medical]

Evidence Inference 2.0 (DeYoung et al., 2020): 1,598 comparisons over 600 trials, five folds that
part no trial. Everything learned, the finder of sentences too, saw only the other folds' trials;
the settings are the modules' constants. `own span` sees the abstract alone. Where the evidence is
not in the abstract, a correct system abstains: `in the abstract` leaves those out, and `answered`
keeps the half of which the finder is surest. Rarity of words is counted over all abstracts, unread.
"""

from __future__ import annotations

import argparse
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import machine, write_result
from bench.medical.confusion import paired, scores
from bench.medical.direction_data import DATA, read_lines, trial_effects, trial_prompts
from core.evaluation.bootstrap import bootstrap_intervals
from verticals.medical.evidence.direction import EFFECTS, DirectionModel, ruled_effect
from verticals.medical.evidence.direction_fit import fit_effect_features
from verticals.medical.evidence.frames import frame_features
from verticals.medical.evidence.sentences import split_sentences
from verticals.medical.evidence.spans import (
    Comparison,
    ReadReport,
    find,
    fit_finder,
    found_features,
    rarity_of,
    read_report,
)  # fmt: skip

FOLDS, INNER, SEED = 5, 4, 0
_SHORTEST = 5  # words two texts must share in a row of matches to be the same statement
_HEADING = re.compile(r"^(TITLE|ABSTRACT(?:\.[^:\n]+)?):\s*$", re.MULTILINE)


def main() -> None:
    """Measure and write bench/results/medical_evidence_inference.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    data = parser.parse_args().data
    begun = time.perf_counter()
    prompts = trial_prompts(data)
    effects = trial_effects(prompts)
    y = np.array([EFFECTS.index(e.effect) for e in effects])
    trials = np.array([e.group for e in effects])
    flagged = np.array([p["evidence_in_abstract"] for p in prompts])
    folds = folds_of(trials, FOLDS, SEED)
    gold = np.array(
        [frame_features(e.intervention, e.comparator, e.outcome, e.span) for e in effects]
    )
    chances = {
        "gold span": cross_validated(gold, y, folds),
        "gold span, TF-IDF": tfidf([f"{e.outcome} {e.span}" for e in effects], y, folds),
        "gold span, hand-set points (shipped)": ruled_effect().probabilities(gold),
    }
    own, sure, hit = own_spans(data, prompts, y, trials, folds)
    chances |= own
    always = np.full(len(y), np.bincount(y).argmax())
    found: dict[str, Any] = {"always the commonest": scores(y, always, trials)}
    for name, z in chances.items():
        found[name] = scores(y, z.argmax(1), trials)
        found[f"{name}, in the abstract"] = scores(
            y[flagged], z[flagged].argmax(1), trials[flagged]
        )
    answered = sure >= np.median(sure)
    chosen = chances["own span"].argmax(1)
    found["own span, answered half"] = scores(y[answered], chosen[answered], trials[answered])
    found["own span, other half"] = scores(y[~answered], chosen[~answered], trials[~answered])
    differences = {
        f"{name} minus TF-IDF": paired(
            y, chances[name].argmax(1), chances[f"{name}, TF-IDF"].argmax(1), trials
        )
        for name in ("gold span", "own span")
    }
    abstain = bootstrap_intervals(flagged.astype(int), sure, metrics=("roc_auc",))["roc_auc"]
    result: dict[str, Any] = {
        "machine": machine("scikit-learn", "lightgbm"),
        "seconds": round(time.perf_counter() - begun, 1),
        "prompts": len(y), "in_the_abstract": int(flagged.sum()), "trials": len(set(trials)),
        "headline": {
            f"{name}: {measure.replace('_', '-')}": found[name][measure]["value"]
            for name in found for measure in ("accuracy", "macro_f1")
        },
        "measured": found, "paired": differences,
        "finder": {"surest sentence is annotated, where one is": hit,
                   "evidence in the abstract or not: AUROC": vars(abstain)},
    }  # fmt: skip
    headline: dict[str, float] = result["headline"]
    print(*headline.items(), differences, result["finder"], sep="\n")
    print(write_result("medical_evidence_inference", result))


def folds_of(groups: np.ndarray, count: int, seed: int) -> np.ndarray:
    """(n,) fold of each row; rows of one group share it."""
    names, at = np.unique(groups, return_inverse=True)
    return np.asarray((np.random.default_rng(seed).permutation(len(names)) % count)[at])


def cross_validated(features: np.ndarray, y: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """(n, 3) of the kit's model of effects, fitted on the other folds."""
    out = np.zeros((len(y), len(EFFECTS)))
    for fold in np.unique(folds):
        rows = folds == fold
        out[rows] = fitted(features[~rows], y[~rows]).effects(features[rows])
    return out


def fitted(features: np.ndarray, y: np.ndarray) -> DirectionModel:
    """A model that reads comparisons only."""
    return DirectionModel(ruled_effect(), (), ruled_effect()).with_effect(
        *fit_effect_features(features, y)
    )


def tfidf(texts: list[str], y: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """(n, 3) of logistic regression on TF-IDF of one- and two-word runs."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    out = np.zeros((len(y), len(EFFECTS)))
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        others = np.flatnonzero(folds != fold)
        model = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
            LogisticRegression(C=8, max_iter=500),
        )
        model.fit([texts[i] for i in others], y[others])
        out[rows] = model.predict_proba([texts[i] for i in rows])
    return out


def own_spans(
    data: Path, prompts: list[dict[str, Any]], y: np.ndarray, trials: np.ndarray, folds: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray, float]:
    """Probabilities from sentences found in the abstract, how sure the finder is, its hit rate."""
    abstracts = {
        row["_id"].removeprefix("PMC"): sectioned(row["text"])
        for row in read_lines(data / "evidence_inference" / "abstracts.jsonl.gz")
    }
    reports, told = [], []
    rarity = rarity_of(" ".join(s for _, s in found) for found in abstracts.values())
    for prompt in prompts:
        asked = Comparison(prompt["intervention"], prompt["comparator"], prompt["outcome"])
        sentences = abstracts[prompt["pmcid"]]
        reports.append(read_report(asked, sentences, rarity))
        told.append(np.array([tells(s, prompt["evidence"]) for _, s in sentences]))
    features = np.zeros((len(y), 0))
    out = np.zeros((len(y), len(EFFECTS)))
    sure, hits = np.zeros(len(y)), []
    for fold in range(FOLDS):
        rows = np.flatnonzero(folds == fold)
        features = _features(reports, told, trials, folds, fold)
        others = np.flatnonzero(folds != fold)
        out[rows] = fitted(features[others], y[others]).effects(features[rows])
        sure[rows] = features[rows, -3]
        hits += _hits(reports, told, others, rows)
    closest = [
        abstracts[p["pmcid"]][int(np.argmax(r.finding[:, 0] + r.finding[:, 1]))][1]
        for p, r in zip(prompts, reports, strict=True)
    ]
    plain = tfidf([f"{p['outcome']} {s}" for p, s in zip(prompts, closest, strict=True)], y, folds)
    ruled = ruled_effect().probabilities(features[:, : reports[0].frames.shape[1]])
    chances = {
        "own span": out, "own span, TF-IDF": plain,
        "own span, hand-set points on the found sentence": ruled,
    }  # fmt: skip
    return chances, sure, round(float(np.mean(hits)), 4)


def _features(
    reports: list[ReadReport], told: list[np.ndarray], trials: np.ndarray, folds: np.ndarray,
    fold: int,
) -> np.ndarray:  # fmt: skip
    """What is found for every prompt by finders that saw neither it nor the fold under test."""
    inner = folds_of(trials, INNER, SEED + 1 + fold)
    chances: dict[int, np.ndarray] = {}
    for part in range(INNER + 1):
        last = part == INNER
        fit_on = np.flatnonzero((folds != fold) & (last | (inner != part)))
        apply_to = np.flatnonzero(folds == fold if last else (folds != fold) & (inner == part))
        kept = [i for i in fit_on if told[i].any()]
        finder = fit_finder([reports[i] for i in kept], [told[i] for i in kept])
        found = find(finder, [reports[i] for i in apply_to])
        chances |= dict(zip(apply_to.tolist(), found, strict=True))
    return np.array([found_features(r, chances[i]) for i, r in enumerate(reports)])


def _hits(
    reports: list[ReadReport], told: list[np.ndarray], others: np.ndarray, rows: np.ndarray
) -> list[bool]:
    kept = [i for i in others if told[i].any()]
    finder = fit_finder([reports[i] for i in kept], [told[i] for i in kept])
    tested = [i for i in rows if told[i].any()]
    found = find(finder, [reports[i] for i in tested])
    return [bool(told[i][int(c.argmax())]) for i, c in zip(tested, found, strict=True)]


def sectioned(text: str) -> list[tuple[str, str]]:
    """(section, sentence) of an abstract as the set writes them."""
    parts = _HEADING.split(text)
    out = []
    for label, body in zip(parts[1::2], parts[2::2], strict=True):
        out += [(label, body[a:b]) for a, b in split_sentences(body)]
    return out or [("", text)]


def tells(sentence: str, quoted: list[str]) -> bool:
    """Whether an annotator quoted the sentence, a part of it or a text around it."""
    own = re.sub(r"\W+", " ", sentence.lower()).split()
    for quote in quoted:
        theirs = re.sub(r"\W+", " ", quote.lower()).split()
        a, b = " ".join(own), " ".join(theirs)
        if (a in b and len(own) > 3) or (b in a and len(theirs) > 2):
            return True
        shared = sum((Counter(own) & Counter(theirs)).values())
        shorter = min(len(own), len(theirs))
        if shorter > _SHORTEST and shared / shorter > 0.8:
            return True
    return False


if __name__ == "__main__":
    main()
