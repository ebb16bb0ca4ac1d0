"""SciFact in cross-validation: ranking, evidence sentences, and knowing when to be silent.

    python -m bench.medical.retrieval [--data ../shared/data/medical]

Five folds. Claims that cite the same abstract are in one fold (many are the negation of another;
`by_claim` beside it draws folds claim by claim, which lets a model meet an abstract twice). A
model is never asked about a claim it was trained on; thresholds are chosen inside the training
folds. Signals of abstention come from rerankers and support models of other folds.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import machine, write_result
from bench.medical.scifact import DATA, WORK, Rationale, SciFact, foreign_questions
from core.evaluation.bootstrap import bootstrap_intervals, mean_interval, paired_means
from core.evaluation.ranking import ndcg
from verticals.medical.evidence.abstain import SIGNALS, AbstentionModel, fit_abstention
from verticals.medical.evidence.sentence_features import FEATURE_NAMES
from verticals.medical.evidence.support import SupportModel, fit_support
from verticals.medical.retrieval.reranker import Reranker, fit_trees

FOLDS, REPEATS, SEED, RESAMPLES = 5, 3, 0, 2_000
# Of claims with evidence, the same without their abstracts, claims without evidence, and foreign
# questions: set by hand, so that one confidence serves both tasks.
IMPORTANCE = (1.0, 0.25, 0.25, 2.0)
_NEAREST = FEATURE_NAMES.index("cosine_below_best")
_COSINE = SIGNALS.index("cosine")


@dataclass(frozen=True)
class Signals:
    """What abstention saw of every question, by models that had not seen it."""

    claims: np.ndarray  # (claims, signals)
    emptied: np.ndarray  # (claims, signals) once the abstracts that it cites are gone
    foreign: np.ndarray  # (foreign questions, signals)
    folds: np.ndarray  # (claims,)
    answered: np.ndarray  # (claims,) whether a cited abstract says something of the claim

    def fitted(self, held: int | None = None) -> AbstentionModel:
        """A model of all questions but those of one fold.

        A claim with evidence is answered. Not answered are the same claims once their abstracts
        are gone, claims whose abstracts say nothing of them, and foreign questions: the first
        kind is worded as the answered ones are, so that wording alone tells nothing.
        """
        far = np.arange(len(self.foreign)) % FOLDS
        keep, outside = self.folds != held, far != held
        known = keep & self.answered
        parts = [
            self.claims[known], self.emptied[known], self.claims[keep & ~self.answered],
            self.foreign[outside],
        ]  # fmt: skip
        sizes = [len(part) for part in parts]
        return fit_abstention(
            np.concatenate(parts), np.repeat([True, False, False, False], sizes),
            importance=np.repeat(IMPORTANCE, sizes),
        )  # fmt: skip


def main() -> None:
    """Measure; write bench/results/medical_retrieval.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, default=WORK)
    given = parser.parse_args()
    measure(SciFact.open(given.data, given.work), foreign_questions(given.data))


def measure(scifact: SciFact, foreign: list[str]) -> Signals:
    """Measure all three; write the result; return what abstention saw."""
    begun = time.perf_counter()
    folds = scifact.folds(FOLDS, SEED)
    alone = scifact.folds(FOLDS, SEED, grouped=False)
    rankers, ranking = rank(scifact, folds)
    ranking["by_claim"] = rank(scifact, alone)[1]["ours"]
    supports, rationale = choose(scifact, folds)
    signals = collect(scifact, folds, (rankers, supports), foreign)
    silence = abstain(signals)
    everywhere = rationale["all_cited"]["ours"]["value"]
    headline = {
        "SciFact nDCG@10, 5-fold": ranking["ours"]["value"],
        "... of BM25": ranking["bm25"]["value"],
        "... of vectors alone": ranking["dense"]["value"],
        "... of both merged by rank": ranking["fused"]["value"],
        "SciFact rationale sentence F1, 5-fold": rationale["ours"]["value"],
        "... of the nearest sentences": rationale["nearest"]["value"],
        "... ours, with cited abstracts that hold no evidence": everywhere,
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
    for name, value in headline.items():
        print(f"{name}: {value:.3f}")
    return signals


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
    for name, other in scifact.plain.items():
        out[name] = vars(mean_interval(other, seed=SEED))
        out[f"ours_minus_{name}"] = vars(paired_means(ours, other, seed=SEED))
    return models, out


def choose(scifact: SciFact, folds: np.ndarray) -> tuple[list[SupportModel], dict[str, Any]]:
    """One support model a fold, and the F1 of the sentences that are chosen.

    Micro F1 over all sentences of the cited abstracts that annotators took evidence from: the
    best sentence of each, and all above a threshold. The folds are drawn `REPEATS` times, as one
    draw moves F1 by more than a hundredth. `all_cited`: by threshold alone, over those of cited
    abstracts without evidence as well, drawn once; its models are those that answer questions,
    as no one tells them which abstract holds evidence.
    """
    out = chosen_by(scifact, [scifact.folds(FOLDS, SEED + n) for n in range(REPEATS)])
    read = scifact.rationale
    wide, models = _chosen(read, folds, best=False)
    near = _nearest(read, folds)
    out["all_cited"] = _f1_intervals(read.labels, {"ours": wide, "nearest": near}, read.owner)
    draws = [scifact.folds(FOLDS, SEED + n, grouped=False) for n in range(REPEATS)]
    out["by_claim"] = chosen_by(scifact, draws)["ours"]
    sizes = {"sentences": int(read.named.sum()), "sentences_all_cited": len(read.labels)}
    return models, out | sizes


def chosen_by(scifact: SciFact, draws: list[np.ndarray]) -> dict[str, Any]:
    """F1 over several draws of folds, in abstracts with evidence."""
    read = scifact.rationale.only_named()
    ours = np.concatenate([_chosen(read, folds, best=True)[0] for folds in draws])
    near = np.concatenate([_nearest(read, folds) for folds in draws])
    labels, owner = np.tile(read.labels, len(draws)), np.tile(read.owner, len(draws))
    return _f1_intervals(labels, {"ours": ours, "nearest": near}, owner)


def collect(
    scifact: SciFact,
    folds: np.ndarray,
    models: tuple[list[Reranker], list[SupportModel]],
    foreign: list[str],
) -> Signals:
    """Search for every question, with models of the folds that it is not in."""
    rankers, supports = models
    claims, emptied = [], []
    for text, fold, cited in zip(scifact.texts, folds, scifact.relevant, strict=True):
        claims.append(scifact.signals(text, rankers[fold], supports[fold]))
        emptied.append(scifact.signals(text, rankers[fold], supports[fold], cited))
    far = [
        scifact.signals(text, rankers[n % FOLDS], supports[n % FOLDS])
        for n, text in enumerate(foreign)
    ]
    arrays = (np.array(claims), np.array(emptied), np.array(far))
    return Signals(*arrays, folds, scifact.has_evidence)


def abstain(signals: Signals) -> dict[str, Any]:
    """AUROC of one confidence on three tasks.

    `foreign`: all claims against foreign questions. `no_evidence`: claims with against claims
    without evidence. `emptied`: claims with evidence against the same claims once the abstracts
    that they cite are taken out of the corpus.
    """
    far = np.arange(len(signals.foreign)) % FOLDS
    claims = np.zeros(len(signals.claims))
    emptied, foreign = np.zeros(len(claims)), np.zeros(len(far))
    for fold in range(FOLDS):
        model = signals.fitted(fold)
        held = signals.folds == fold
        claims[held] = _confidence(model, signals.claims[held])
        emptied[held] = _confidence(model, signals.emptied[held])
        foreign[far == fold] = _confidence(model, signals.foreign[far == fold])
    known, cosine = signals.answered, signals.claims[:, _COSINE]
    far_cosine = signals.foreign[:, _COSINE]
    return {
        "foreign": _auroc((claims, foreign), (cosine, far_cosine)),
        "foreign_with_evidence": _auroc((claims[known], foreign), (cosine[known], far_cosine)),
        "no_evidence": _auroc((claims[known], claims[~known]), (cosine[known], cosine[~known])),
        "emptied": _auroc(
            (claims[known], emptied[known]), (cosine[known], signals.emptied[known, _COSINE])
        ),
        "foreign_questions": len(foreign),
        "answerable": int(known.sum()),
    }


def _confidence(model: AbstentionModel, rows: np.ndarray) -> np.ndarray:
    return np.array([model.confidence(row) for row in rows])


def _auroc(
    ours: tuple[np.ndarray, np.ndarray], cosine: tuple[np.ndarray, np.ndarray]
) -> dict[str, Any]:
    """Of scores of answerable questions, then of the others."""
    y = np.repeat([1, 0], [len(part) for part in ours])
    return {
        name: vars(bootstrap_intervals(y, np.concatenate(scores), metrics=["roc_auc"])["roc_auc"])
        for name, scores in (("ours", ours), ("cosine", cosine))
    }


def _ordered(names: np.ndarray, scores: np.ndarray) -> list[str]:
    """Abstracts, best first, each once."""
    return list(dict.fromkeys(names[np.argsort(-scores, kind="stable")].tolist()))


def _chosen(
    read: Rationale, folds: np.ndarray, *, best: bool
) -> tuple[np.ndarray, list[SupportModel]]:
    """(n,) the sentences chosen by models and thresholds of other folds; and those models."""
    x, y, part = read.features, read.labels, folds[read.owner]
    chosen, models = np.zeros(len(y), bool), []
    for fold in range(FOLDS):
        scores = np.zeros(len(y))
        for inner in set(range(FOLDS)) - {fold}:
            train = (part != fold) & (part != inner)
            scores[part == inner] = fit_support(x[train], y[train], seed=SEED).score(
                x[part == inner]
            )
        train = part != fold
        models.append(fit_support(x[train], y[train], seed=SEED))
        sure = best & _highest(scores, read.abstract)
        least = _best(scores[train], y[train], sure[train])
        scores[~train] = models[-1].score(x[~train])
        sure = best & _highest(scores, read.abstract)
        chosen[~train] = ((scores >= least) | sure)[~train]
    return chosen, models


def _nearest(read: Rationale, folds: np.ndarray) -> np.ndarray:
    """(n,) the sentences about as near as the nearest of their abstract."""
    gap, part = read.features[:, _NEAREST], folds[read.owner]
    chosen = np.zeros(len(gap), bool)
    for fold in range(FOLDS):
        train = part != fold
        chosen[~train] = gap[~train] >= _best(gap[train], read.labels[train])
    return chosen


def _highest(scores: np.ndarray, abstract: np.ndarray) -> np.ndarray:
    """(n,) whether a sentence is the best of its abstract."""
    top = np.full(abstract.max() + 1, -np.inf)
    np.maximum.at(top, abstract, scores)
    return scores >= top[abstract]


def _best(scores: np.ndarray, labels: np.ndarray, sure: np.ndarray | None = None) -> float:
    """The threshold with the best F1, smoothed over its neighbours; `sure` is chosen anyway."""
    always = np.zeros(len(labels), bool) if sure is None else sure
    grid = np.quantile(scores, np.linspace(0.5, 0.97, 95))
    found = [_f1((scores >= t) | always, labels) for t in grid]
    smooth = np.convolve(np.pad(found, 5, mode="edge"), np.full(11, 1 / 11), "valid")
    return float(grid[int(np.argmax(smooth))])


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
