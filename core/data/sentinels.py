"""Numbers that mean "missing": repeated, far from all others, and shaped like a code."""

from __future__ import annotations

import numpy as np

# Such as -9, 99, 98, 996, -999, 9999, 8888, 99999999.
_HIGH = {float(f"{'9' * k}{d}") for k in range(1, 8) for d in "6789"}
_REPEATED = {float(d * k) for d in "789" for k in range(1, 10)}
_CODES = np.array(sorted(_HIGH | _REPEATED | {1e9 - 1}))
_LEAST = 3  # times a code must occur


def sentinel_codes(values: np.ndarray) -> tuple[float, ...]:
    """Codes for missing among numbers.

    A code is shaped like one (-999, 96, 9999), occurs at least three times, and lies apart from
    every other value: above all by more than their whole range, or below zero where nothing else
    is negative and at least as far from zero as the bulk of the others reaches (two-digit codes)
    or written with three digits or more.

    Args:
        values: (n,) float64, NaN allowed.
    """
    present = values[np.isfinite(values)]
    distinct, counts = np.unique(present, return_counts=True)
    shaped = np.isin(np.abs(distinct), _CODES)
    rest = distinct[~shaped]
    if len(rest) < 2 or not shaped.any():
        return ()
    low, high = rest[0], rest[-1]
    spread = max(high - low, 1.0)
    found = []
    for code, count in zip(distinct[shaped], counts[shaped], strict=True):
        above = code >= 90 and code - high > spread
        below = code <= -9 and low >= 0 and (code <= -99 or -code > spread)
        far_below = code <= -90 and low - code > spread
        if count >= _LEAST and (above or below or far_below):
            found.append(float(code))
    # Values shaped like codes but part of the distribution speak against their neighbours too.
    ordinary = distinct[shaped & ~np.isin(distinct, found)]
    if len(ordinary):
        reach = max(high, ordinary[-1])
        found = [c for c in found if c < 0 or c - reach > max(reach - low, 1.0)]
    return tuple(found)
