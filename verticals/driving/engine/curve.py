"""What labels buy: a model's quality against the number of labels, chosen and drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.bootstrap import Interval, PairedTest, mean_interval, paired_means
from verticals.driving.engine.choosing import choose_frames
from verticals.driving.frame import Floats

Rows = NDArray[np.int64]
RANDOM = "random"
# Takes labelled rows and a seed; gives the model's quality and its (n,) doubt of all rows.
TrainAndScore = Callable[[Rows, int], tuple[float, Floats]]
# Takes (n,) doubts, (n, d) embeddings, how many, labelled rows and a seed; gives new rows.
Choose = Callable[[Floats, Floats, int, Rows, int], Rows]


@dataclass(frozen=True, eq=False)
class LabelCurve:
    """Quality by the number of labels, for every way to choose them."""

    budgets: tuple[int, ...]
    quality: Mapping[str, Floats]  # by way: (seeds, budgets)

    def interval(self, way: str) -> tuple[Interval, ...]:
        """Mean quality at every budget, its interval over seeds."""
        return tuple(mean_interval(column) for column in self.quality[way].T)

    def gain(self, way: str) -> tuple[PairedTest, ...]:
        """How much better than random at every budget, seed by seed."""
        return tuple(paired_means(a, b) for a, b in zip(
            self.quality[way].T, self.quality[RANDOM].T, strict=True))  # fmt: skip

    def saved(self, way: str) -> Interval:
        """Share of labels saved: what this way needs for the quality that random ends with.

        Between two budgets the quality lies on the line between them. 0 where it is not reached.
        """
        ends = self.quality[RANDOM].mean(axis=0)[-1]
        shares = []
        for row in np.maximum.accumulate(self.quality[way], axis=1):
            if row[-1] < ends:
                shares.append(0.0)
                continue
            at = int(np.searchsorted(row, ends))
            need = float(self.budgets[0]) if at == 0 else float(
                np.interp(ends, row[at - 1 : at + 1], self.budgets[at - 1 : at + 1]))  # fmt: skip
            shares.append(1 - need / self.budgets[-1])
        return mean_interval(np.array(shares))


def label_curve(
    train_and_score: TrainAndScore,
    embeddings: Floats,
    budgets: Sequence[int],
    *,
    ways: Mapping[str, Choose] | None = None,
    seeds: Sequence[int] = tuple(range(5)),
) -> LabelCurve:
    """Buy labels in rounds, train after each, and see what they were worth.

    All ways begin with the same frames, drawn at random; random is always among them.

    Args:
        train_and_score: Trains on some rows of the pool and scores on data that are not in it.
        embeddings: (n, d) of the pool.
        budgets: Labels owned after each round, rising, the first round's among them.
        ways: How the next frames are chosen; `choose_frames` by default.
        seeds: Of the first frames, the choices and the training, one run each.

    Raises:
        ValueError: Budgets do not rise, or exceed the pool.
    """
    steps = list(budgets)
    if steps != sorted(set(steps)) or steps[0] < 1 or steps[-1] > len(embeddings):
        raise ValueError(f"budgets must rise from 1 to at most {len(embeddings)}: {steps}")
    given = dict(ways or {"doubt and difference": engine}) | {RANDOM: at_random}
    quality = {name: np.empty((len(seeds), len(steps))) for name in given}
    for i, seed in enumerate(seeds):
        first = np.random.default_rng(seed).choice(len(embeddings), steps[0], replace=False)
        begun = train_and_score(first, seed)
        for name, choose in given.items():
            rows, (score, doubts) = first, begun
            quality[name][i, 0] = score
            for j, total in enumerate(steps[1:], 1):
                new = choose(doubts, embeddings, total - len(rows), rows, seed)
                rows = np.concatenate([rows, new])
                quality[name][i, j], doubts = train_and_score(rows, seed)
    return LabelCurve(tuple(steps), quality)


def engine(doubts: Floats, embeddings: Floats, count: int, labelled: Rows, seed: int) -> Rows:
    """`choose_frames`."""
    return choose_frames(doubts, embeddings, count, labelled=labelled, seed=seed)


def most_doubted(doubts: Floats, embeddings: Floats, count: int, labelled: Rows, seed: int) -> Rows:
    """Those with the greatest doubt, near duplicates and all."""
    del embeddings, seed
    order = np.argsort(-doubts, kind="stable")
    return order[~np.isin(order, labelled)][:count].astype(np.int64)


def at_random(doubts: Floats, embeddings: Floats, count: int, labelled: Rows, seed: int) -> Rows:
    """Any."""
    del embeddings
    free = np.setdiff1d(np.arange(len(doubts)), labelled)
    random = np.random.default_rng([seed, len(labelled)])
    return random.choice(free, min(count, len(free)), replace=False).astype(np.int64)
