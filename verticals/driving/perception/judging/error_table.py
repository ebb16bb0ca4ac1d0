"""From what became of every object to the table of errors that decisions are trained with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import DataError
from verticals.driving.deciding.perception_error import DEFAULT, KEYS, PerceptionError
from verticals.driving.perception.judging.objects import PerceptionErrors

FEWEST = 30  # objects from which an entry is measured rather than taken over
PARTLY = 0.33  # share hidden from which traffic calls an object partly seen
_VULNERABLE = ("pedestrian", "cyclist")
_VEHICLES = ("car", "van", "truck", "bus", "motorcycle")
_NORMAL = 1.4826  # standard deviations of a normal error in its median size


def error_table(
    errors: PerceptionErrors,
    nights: Sequence[bool],
    *,
    step_s: float,
    basis: PerceptionError = DEFAULT,
) -> PerceptionError:
    """Measure shares found, errors of place and lengths of gaps.

    Objects too small to count in average precision are among them: a policy must know that they
    are not seen. Spreads are robust and about zero, so that a bias is part of them.

    Args:
        errors: From `perception_errors`, of frames in the order of time in each sequence.
        nights: For each view that was given to `match`, whether it was dark.
        step_s: Seconds between the frames of a sequence.
        basis: Gives the bins of distance, and what single frames do not tell or too few objects
            show: speed, heading, phantoms that last, entries with fewer than 30 objects.

    Raises:
        DataError: Not as many nights as views.
    """
    if len(nights) <= errors.views.max(initial=-1):
        raise DataError(f"there are {len(nights)} nights for more views",
                        remedy="Give one for each view that was judged")  # fmt: skip
    table = errors.objects[errors.objects["class"].isin(_VEHICLES + _VULNERABLE)]
    table = table[table["distance"] < basis.edges_m[-1]]
    dark = np.asarray(nights, bool)[errors.views][table["frame"].to_numpy(int)]
    weak = table["class"].isin(_VULNERABLE).to_numpy()
    partly = table["hidden"].fillna(0).to_numpy(float) > PARTLY
    bins = np.searchsorted(basis.edges_m, table["distance"].to_numpy(float), side="right")
    seen = ~table["missed"].to_numpy(bool)
    found, measured = {}, 0
    for key in KEYS:
        kind, light, view = key.split()
        mine = (weak == (kind == "vulnerable")) & (dark == (light == "night"))
        mine &= partly == (view == "partly")
        found[key] = list(basis.found[key])
        for b in range(len(basis.edges_m)):
            rows = mine & (bins == b)
            if rows.sum() >= FEWEST:
                found[key][b] = float(seen[rows].mean())
                measured += 1
    along = (table["ratio"].to_numpy(float) - 1) * table["distance"].to_numpy(float)
    gap = _mean_gap(table) * step_s
    cells = len(KEYS) * len(basis.edges_m)
    return basis.model_copy(update={
        "source": f"measured on {len(errors.views)} frames, {len(table)} objects; {measured} of "
                  f"{cells} shares found had {FEWEST} objects or more; the rest, speed, heading "
                  f"and phantoms: {basis.source}",
        "found": found,
        "miss_s": gap if gap > 0 else basis.miss_s,
        "range_sigma_m": _spreads(along, bins, basis.range_sigma_m),
        "side_sigma_m": _spreads(table["side_m"].to_numpy(float), bins, basis.side_sigma_m),
    })  # fmt: skip


def _spreads(off: NDArray, bins: NDArray, usual: Sequence[float]) -> list[float]:
    out = list(usual)
    for b in range(len(out)):
        some = off[(bins == b) & np.isfinite(off)]
        if len(some) >= FEWEST:
            out[b] = float(_NORMAL * np.median(np.abs(some)))
    return out


def _mean_gap(table: pd.DataFrame) -> float:
    """Mean number of frames that a track is missed between two sights; 0 without any."""
    tracked = table[table["track"] >= 0].sort_values(["sequence", "track", "frame"])
    gaps: list[int] = []
    for _, missed in tracked.groupby(["sequence", "track"])["missed"]:
        sights = np.flatnonzero(~missed.to_numpy(bool))
        lengths = np.diff(sights) - 1
        gaps += lengths[lengths > 0].tolist()
    return float(np.mean(gaps)) if gaps else 0.0
