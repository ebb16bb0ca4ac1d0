"""Where to stop lending: the most profitable cut-off, the break-even one, and that of capacity.

A good loan earns margin × exposure, a bad one costs LGD × exposure, every application its
handling. Cut-offs are chosen on out-of-fold scores and judged on held-out ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from verticals.finance.decide.assumptions import Assumptions
from verticals.finance.decide.book import Book

Rule = Literal["profit", "break_even", "capacity"]
GRID = 200  # candidate cut-offs: quantiles of the scores
_CELLS = 1_000_000


@dataclass(frozen=True)
class Cutoff:
    """A PD from which applications are declined, with the interval of where it might lie."""

    rule: Rule
    pd: float
    low: float
    high: float


def profits(book: Book, assumptions: Assumptions) -> np.ndarray:
    """Profit of each loan if it is approved, in currency, (n,); handling not yet taken off."""
    return np.where(book.target == 1, -assumptions.lgd, assumptions.margin) * book.ead


def choose_cutoffs(
    past: Book, assumptions: Assumptions, *, n_boot: int = 200, seed: int = 0
) -> tuple[Cutoff, ...]:
    """Cut-offs on past applications, by three rules.

    profit: the highest observed profit. break_even: margin / (margin + LGD), which is optimal
    where the PD is calibrated, and needs no data. capacity: the profit rule, but approving at
    most the share that capacity allows.

    Args:
        past: Applications scored out of fold.
        assumptions: Margin, LGD, capacity.
        n_boot: Resamples behind the 95% intervals.
        seed: Of the resamples.
    """
    candidates, place = _candidates(past.pd)
    value = profits(past, assumptions)
    resampled = _resampled_totals(place, value, len(candidates), n_boot, seed)
    every = np.bincount(place, value, minlength=len(candidates))
    best = _smoothed_best(np.vstack([every[None], resampled[0]]))
    chosen = candidates[best]
    # The largest cut-off that capacity allows, in the sample and in each resample.
    counts = np.vstack([np.bincount(place, minlength=len(candidates))[None], resampled[1]])
    filled = np.cumsum(counts, axis=1) <= assumptions.capacity * len(past)
    room = candidates[np.maximum(filled.sum(axis=1) - 1, 0)]
    level = assumptions.break_even
    return (
        _interval("profit", chosen),
        Cutoff("break_even", level, level, level),
        _interval("capacity", np.minimum(chosen, room)),
    )


def _interval(rule: Rule, values: np.ndarray) -> Cutoff:
    low, high = np.quantile(values[1:], [0.025, 0.975])
    value = float(values[0])
    return Cutoff(rule, value, min(float(low), value), max(float(high), value))


def _candidates(pd_: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ascending cut-offs (c,), the last above every PD, and each loan's first cut-off (n,)."""
    inner = np.unique(np.quantile(pd_, np.linspace(0, 1, GRID + 1)[1:-1]))
    candidates = np.append(inner, np.nextafter(max(pd_.max(), inner[-1]), 2))
    return candidates, np.searchsorted(candidates, pd_, side="right")


def _resampled_totals(
    place: np.ndarray, value: np.ndarray, size: int, n_boot: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Profit and number of loans by candidate in each resample, (n_boot, c) each."""
    rng = np.random.Generator(np.random.SFC64(seed))
    n = len(place)
    sums, counts = np.empty((n_boot, size)), np.empty((n_boot, size))
    step = max(1, _CELLS // n)
    for start in range(0, n_boot, step):
        stop = min(start + step, n_boot)
        rows = rng.integers(0, n, (stop - start, n), dtype=np.int32)
        flat = (place[rows] + size * np.arange(stop - start)[:, None]).ravel()
        cells = (stop - start) * size
        sums[start:stop] = np.bincount(flat, value[rows].ravel(), cells).reshape(-1, size)
        counts[start:stop] = np.bincount(flat, minlength=cells).reshape(-1, size)
    return sums, counts


def _smoothed_best(totals: np.ndarray) -> np.ndarray:
    """Candidate of the highest profit in each row, after a moving mean that takes off ripples."""
    curve = np.cumsum(totals, axis=1)
    half = max(1, curve.shape[1] // 40)
    padded = np.pad(curve, ((0, 0), (half, half)), mode="edge")
    sums = np.cumsum(np.pad(padded, ((0, 0), (1, 0))), axis=1)
    width = 2 * half + 1
    return ((sums[:, width:] - sums[:, :-width]) / width).argmax(axis=1)


def profit_curve(
    book: Book, assumptions: Assumptions, *, n_boot: int = 200, seed: int = 0
) -> pd.DataFrame:
    """Profit and approvals under every cut-off, on one book.

    Returns:
        cutoff, approval_rate, bad_rate (of approved), bads_declined (share of all bad),
        profit (share of the exposure applied for, handling taken off), low and high (95%).
    """
    candidates, place = _candidates(book.pd)
    size, n = len(candidates), len(book)
    value = profits(book, assumptions)
    handling, applied = assumptions.application_cost, book.ead.sum()
    taken = np.cumsum(np.bincount(place, minlength=size))
    bads = np.cumsum(np.bincount(place, book.target == 1, minlength=size))
    drawn = np.cumsum(_resampled_totals(place, value, size, n_boot, seed)[0], axis=1) / applied
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0) - handling
    return pd.DataFrame(
        {
            "cutoff": candidates,
            "approval_rate": taken / n,
            "bad_rate": bads / np.maximum(taken, 1),
            "bads_declined": 1 - bads / max(bads[-1], 1),
            "profit": np.cumsum(np.bincount(place, value, minlength=size)) / applied - handling,
            "low": low,
            "high": high,
        }
    )


def cutoff_table(
    cutoffs: tuple[Cutoff, ...], book: Book, assumptions: Assumptions, *, n_boot: int = 200,
    seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """What each rule, and approving everyone, would have done on held-out applications.

    Returns:
        rule, cutoff with low and high, approval_rate, bad_rate (of approved), profit (currency)
        with profit_low and profit_high, and profit_share (of the exposure applied for).
    """
    value = profits(book, assumptions)
    handling = assumptions.application_cost * float(book.ead.sum())
    names, limits = [*(c.rule for c in cutoffs), "everyone"], [*(c.pd for c in cutoffs), np.inf]
    taken = book.pd[:, None] < np.array(limits)  # (n, rules)
    gained = np.where(taken, value[:, None], 0.0)
    rng = np.random.Generator(np.random.SFC64(seed))
    n = len(book)
    drawn = np.array(
        [gained[rng.integers(0, n, n, dtype=np.int32)].sum(axis=0) for _ in range(n_boot)]
    )
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0) - handling
    total = gained.sum(axis=0) - handling
    bads = (taken & (book.target == 1)[:, None]).sum(axis=0)
    return pd.DataFrame(
        {
            "rule": names,
            "cutoff": limits,
            "low": [*(c.low for c in cutoffs), np.inf],
            "high": [*(c.high for c in cutoffs), np.inf],
            "approval_rate": taken.mean(axis=0),
            "bad_rate": bads / np.maximum(taken.sum(axis=0), 1),
            "profit": total,
            "profit_low": low,
            "profit_high": high,
            "profit_share": total / float(book.ead.sum()),
        }
    )
