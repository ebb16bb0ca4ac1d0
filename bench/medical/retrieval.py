"""SciFact in cross-validation: ranking, evidence sentences, and knowing when to be silent.

    python -m bench.medical.retrieval [--data ../shared/data/medical]

Five folds by claim; a model is never asked about a claim it was trained on, and every threshold
is chosen inside the training folds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import machine, write_result
from bench.medical.scifact import DATA, WORK, SciFact, foreign_questions
from core.evaluation.bootstrap import bootstrap_intervals, mean_interval, paired_means
from core.evaluation.ranking import ndcg
from verticals.medical.evidence.abstain import AbstentionModel, fit_abstention
from verticals.medical.evidence.support import SupportModel, fit_support
from verticals.medical.retrieval.reranker import Reranker, fit_trees

FOLDS, SEED, RESAMPLES = 5, 0, 2_000


def main() -> None:
    """Measure; write bench/results/medical_retrieval.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, default=WORK)
    given = parser.parse_args()
    begun = time.perf_counter()
    scifact = SciFact.open(given.data, given.work)
    folds = np.random.default_rng(SEED).permutation(len(scifact.claims)) % FOLDS
    rankers, ranking = rank(scifact, folds)
    supports, rationale = choose(scifact, folds)
    silence = abstain(scifact, folds, rankers, supports, foreign_questions(given.data))
    headline = {
        "SciFact nDCG@10, 5-fold": ranking["ours"]["value"],
        "... of BM25": ranking["bm25"]["value"],
        "... of vectors alone": ranking["dense"]["value"],
        "... of both merged by rank": ranking["fused"]["value"],
        "SciFact rationale sentence F1, 5-fold": rationale["ours"]["value"],
        "... of the nearest sentences": rationale["nearest"]["value"],
        "AUROC, claims against foreign questions": silence["foreign"]["ours"]["value"],
        "... of the nearest passage's cosine": silence["foreign"]["cosine"]["value"],
        "AUROC, claims with against without evidence": silence["no_evidence"]["ours"]["value"],
        "... of the nearest passage's cosine, too": silence["no_evidence"]["cosine"]["value"],
    }
    write_result(
        "medical_retrieval",
        {
            "machine": machine("lightgbm", "bm25s", "onnxruntime"), "headline": headline,
            "ranking": ranking, "rationale": rationale, "abstention": silence,
            "seconds": round(time.perf_counter() - begun, 1),
        },
    )  # fmt: skip


def rank(scifact: SciFact, folds: np.ndarray) -> tuple[list[Reranker], dict[str, Any]]:
    """One reranker a fold, and nDCG@10 of all beside the parts they are made of."""
    features, names, owner = scifact.ranking
    labels = np.array(
        [n in scifact.relevant[o] for n, o in zip(names.tolist(), owner.tolist(), strict=True)]
    )
    scores, models = np.zeros(len(labels)), []
    for fold in range(FOLDS):
        train = folds[owner] != fold
        groups = np.unique(owner[train], return_counts=True)[1]
        models.append(fit_trees(features[train], labels[train], groups, seed=SEED))
        scores[~train] = models[-1].score(features[~train])
    ours = np.array(
        [
            ndcg(_ordered(names[owner == n], scores[owner == n]), scifact.relevant[n])
            for n in range(len(scifact.claims))
        ]
    )
    out: dict[str, Any] = {"ours": vars(mean_interval(ours, seed=SEED))}
    for name, mode in (("bm25", "lexical"), ("dense", "dense"), ("fused", "hybrid")):
        other = np.array([_plain(scifact, n, mode) for n in range(len(ours))])
        out[name] = vars(mean_interval(other, seed=SEED))
        out[f"ours_minus_{name}"] = vars(paired_means(ours, other, seed=SEED))
    return models, out


def choose(scifact: SciFact, folds: np.ndarray) -> tuple[list[SupportModel], dict[str, Any]]:
    """One support model a fold, and the F1 of the sentences that it chooses.

    F1 is over all sentences of the abstracts that annotators took evidence from; the models that
    answer questions learn from the cited abstracts without evidence as well.
    """
    features, labels, owner, named = scifact.rationale
    wide = [
        fit_support(features[folds[owner] != f], labels[folds[owner] != f], seed=SEED)
        for f in range(FOLDS)
    ]
    features, labels, owner = features[named], labels[named], owner[named]
    chosen, nearest = np.zeros(len(labels), bool), np.zeros(len(labels), bool)
    for fold in range(FOLDS):
        train = folds[owner] != fold
        model = fit_support(features[train], labels[train], seed=SEED)
        chosen[~train] = model.score(features[~train]) >= _threshold(
            features[train], labels[train], owner[train],
            lambda x, y, z: fit_support(x, y, seed=SEED).score(z),
        )  # fmt: skip
        nearest[~train] = features[~train, 1] >= _threshold(
            features[train], labels[train], owner[train], lambda _x, _y, z: z[:, 1]
        )
    found = _f1_intervals(labels, {"ours": chosen, "nearest": nearest}, owner)
    return wide, found | {"sentences": len(labels), "claims": len(np.unique(owner))}


def abstain(
    scifact: SciFact,
    folds: np.ndarray,
    rankers: list[Reranker],
    supports: list[SupportModel],
    foreign: list[str],
) -> dict[str, Any]:
    """AUROC of the confidence: on foreign questions, and on claims without evidence."""
    claims = np.array(
        [
            scifact.signals(t, rankers[f], supports[f])
            for t, f in zip(scifact.texts, folds, strict=True)
        ]
    )
    parts = np.arange(len(foreign)) % FOLDS
    others = np.array(
        [scifact.signals(t, rankers[f], supports[f]) for t, f in zip(foreign, parts, strict=True)]
    )
    signals = np.concatenate([claims, others])
    where = np.concatenate([folds, parts])
    known = np.concatenate([np.ones(len(claims), bool), np.zeros(len(others), bool)])
    return {
        "foreign": _auroc(signals, known, where),
        "no_evidence": _auroc(claims, scifact.has_evidence, folds),
        "foreign_questions": len(foreign),
    }


def _auroc(signals: np.ndarray, known: np.ndarray, folds: np.ndarray) -> dict[str, Any]:
    confidence = np.zeros(len(known))
    for fold in range(FOLDS):
        model: AbstentionModel = fit_abstention(signals[folds != fold], known[folds != fold])
        confidence[folds == fold] = [model.confidence(s) for s in signals[folds == fold]]
    scores = {"ours": confidence, "cosine": signals[:, 0]}
    return {
        name: vars(bootstrap_intervals(known.astype(int), s, metrics=["roc_auc"])["roc_auc"])
        for name, s in scores.items()
    }


def _ordered(names: np.ndarray, scores: np.ndarray) -> list[str]:
    """Abstracts, best first, each once."""
    return list(dict.fromkeys(names[np.argsort(-scores, kind="stable")].tolist()))


def _plain(scifact: SciFact, number: int, mode: Any) -> float:
    index = scifact.index
    hits = index.search(scifact.texts[number], k=50, mode=mode)
    names = [p.document for p in index.corpus.passages([h.row for h in hits])]
    return ndcg(list(dict.fromkeys(names)), scifact.relevant[number])


def _threshold(
    features: np.ndarray, labels: np.ndarray, owner: np.ndarray,
    score: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
) -> float:  # fmt: skip
    """The threshold with the best F1 on scores of claims that the scorer had not seen."""
    claims = np.unique(owner)
    part = dict(zip(claims, np.random.default_rng(SEED).permutation(len(claims)) % 3, strict=True))
    inner = np.array([part[o] for o in owner])
    scores = np.zeros(len(labels))
    for fold in range(3):
        fit, held = inner != fold, inner == fold
        scores[held] = score(features[fit], labels[fit], features[held])
    grid = np.quantile(scores, np.linspace(0.5, 0.99, 60))
    return float(grid[int(np.argmax([_f1(scores >= t, labels) for t in grid]))])


def _f1(chosen: np.ndarray, labels: np.ndarray) -> float:
    return float(2 * (chosen & labels).sum() / max(chosen.sum() + labels.sum(), 1))


def _f1_intervals(
    labels: np.ndarray, chosen: dict[str, np.ndarray], owner: np.ndarray
) -> dict[str, Any]:
    """Micro F1 with intervals over resampled claims, the same ones for every method."""
    claims, place = np.unique(owner, return_inverse=True)
    rng = np.random.default_rng(SEED)
    drawn = rng.multinomial(len(claims), np.full(len(claims), 1 / len(claims)), size=RESAMPLES)
    spread = {}
    out: dict[str, Any] = {}
    for name, picked in chosen.items():
        both = np.bincount(place, picked & labels, len(claims))
        either = np.bincount(place, picked.astype(float) + labels, len(claims))
        spread[name] = 2 * (drawn @ both) / np.maximum(drawn @ either, 1)
        low, high = np.quantile(spread[name], [0.025, 0.975])
        out[name] = {"value": _f1(picked, labels), "low": low, "high": high, "n": len(claims)}
    first, second = chosen
    low, high = np.quantile(spread[first] - spread[second], [0.025, 0.975])
    out[f"{first}_minus_{second}"] = {
        "difference": out[first]["value"] - out[second]["value"], "low": low, "high": high,
    }  # fmt: skip
    return out


if __name__ == "__main__":
    main()
