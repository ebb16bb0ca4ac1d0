"""Finds the sentences of a trial's report that tell the result of a comparison.

A learned ranking over overlap, section and cues of significance; what it finds is then read by
the model of effects, the surest sentence first.
"""

from __future__ import annotations

import html
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from verticals.medical.evidence.cues import content_stems, stems, tokens
from verticals.medical.evidence.frames import FRAME_NAMES, frame_features

READ = 3  # sentences whose features are averaged, by how sure the finder is of them
_SECTIONS = (
    r"title", r"result|finding", r"conclu|interpr|discuss",
    r"method|backgr|object|introd|aim|purpose|design|setting|partic",
)  # fmt: skip
_CUES = (
    "significant_p", "insignificant_p", "clear_intervals", "crossing_intervals", "nulls",
    "significant_words", "up", "down", "good", "bad", "pair_plain", "interventions",
    "comparators", "words", "than",
)  # fmt: skip
_TREES = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 10, "min_data_in_leaf": 20,
    "feature_fraction": 0.6, "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 2.0,
    "verbosity": -1, "num_threads": 1, "deterministic": True, "seed": 0,
}  # fmt: skip
_ROUNDS = 150


@dataclass(frozen=True)
class Comparison:
    """What is asked of a trial."""

    intervention: str
    comparator: str
    outcome: str


@dataclass(frozen=True)
class ReadReport:
    """The sentences of a report, read for one comparison.

    Attributes:
        finding: (s, f) what the finder ranks by.
        frames: (s, 35) what the model of effects reads.
    """

    finding: np.ndarray
    frames: np.ndarray


def rarity_of(texts: Iterable[str]) -> dict[str, float]:
    """Inverse document frequencies of stems, from any texts of the field."""
    counts: Counter[str] = Counter()
    total = 0
    for text in texts:
        counts.update(set(stems(tokens(text))))
        total += 1
    return {stem: math.log(1 + total / (1 + n)) for stem, n in counts.items()}


def read_report(
    asked: Comparison, sentences: Sequence[tuple[str, str]], rarity: dict[str, float]
) -> ReadReport:
    """Read every sentence of a report for a comparison.

    Args:
        asked: The comparison.
        sentences: (section label, sentence), in order.
        rarity: Of stems; one that is unknown counts as rare.
    """
    rarest = max(rarity.values(), default=1.0)
    outcome = content_stems(html.unescape(asked.outcome))
    arms = content_stems(html.unescape(f"{asked.intervention} {asked.comparator}"))
    phrase = " ".join(stems(tokens(html.unescape(asked.outcome))))
    frames = np.array(
        [frame_features(asked.intervention, asked.comparator, asked.outcome, s)
         for _, s in sentences]
    ).reshape(len(sentences), len(FRAME_NAMES))  # fmt: skip
    rows = []
    for at, (section, sentence) in enumerate(sentences):
        listed = stems(tokens(sentence))
        own = set(listed)
        rows.append([
            _share(outcome, own, rarity, rarest), _share(arms, own, rarity, rarest),
            float(phrase in " ".join(listed)), float(len(outcome & own)),
            *(float(bool(re.search(p, section, re.IGNORECASE))) for p in _SECTIONS),
            at / len(sentences), float(len(sentences) - at),
        ])  # fmt: skip
    finding = np.array(rows).reshape(len(sentences), 6 + len(_SECTIONS))
    covered = finding[:, 0]
    before, after = np.r_[0.0, covered[:-1]], np.r_[covered[1:], 0.0]
    better = (covered[None, :] > covered[:, None]).sum(1)
    cues = np.abs(frames[:, [FRAME_NAMES.index(name) for name in _CUES]])
    return ReadReport(
        np.column_stack([finding, cues, covered - covered.max(initial=0.0), before, after, better]),
        frames,
    )


def fit_finder(reports: Sequence[ReadReport], told: Sequence[np.ndarray]) -> str:
    """LightGBM text of a finder.

    Args:
        reports: One a comparison.
        told: By report, (s,) whether the sentence tells the result; reports that tell it nowhere
            say nothing of where, so leave them out.
    """
    import lightgbm

    data = lightgbm.Dataset(np.vstack([r.finding for r in reports]), np.concatenate(told))
    return lightgbm.train(_TREES, data, _ROUNDS).model_to_string()


def find(finder: str, reports: Sequence[ReadReport]) -> list[np.ndarray]:
    """By report, (s,) probabilities that a sentence tells the result."""
    import lightgbm

    booster = lightgbm.Booster(model_str=finder)
    chances = np.asarray(booster.predict(np.vstack([r.finding for r in reports])))
    return np.split(chances, np.cumsum([len(r.finding) for r in reports])[:-1])


def found_features(report: ReadReport, chances: np.ndarray) -> np.ndarray:
    """(73,) of the surest sentence, the surest few averaged, and how sure the finder is."""
    order = np.argsort(-chances, kind="stable")[:READ]
    weight = chances[order] / max(float(chances[order].sum()), 1e-9)
    second = float(chances[order[1]]) if len(order) > 1 else 0.0
    return np.concatenate([
        report.frames[order[0]], weight @ report.frames[order],
        [float(chances[order[0]]), second, float(len(chances))],
    ])  # fmt: skip


def _share(wanted: set[str], own: set[str], rarity: dict[str, float], rarest: float) -> float:
    """Share of the wanted stems that occur, by rarity."""
    total = sum(rarity.get(s, rarest) for s in wanted)
    return sum(rarity.get(s, rarest) for s in wanted & own) / total if total else 0.0
