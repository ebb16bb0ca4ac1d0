"""What is said of objects that were found: distance, a light's state, a sign's name; and errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import DataError
from core.evaluation.bootstrap import Interval
from verticals.driving.frame import OBJECTS, Floats
from verticals.driving.perception.judging.detections import DISTANCES, SHOWN, bin_name
from verticals.driving.perception.judging.matching import Matches
from verticals.driving.perception.judging.resampling import interval
from verticals.driving.perception.settings import LIGHTS, SIGNS

LAST = 3  # frames over which a light's state is smoothed


@dataclass(frozen=True, eq=False)
class DistanceScores:
    """How far off distances are, of objects that were found."""

    error: Interval  # median of |said / true - 1|
    bias: Interval  # median of said / true - 1: above 0 things seem too far
    baseline: float  # the same error if distance followed from the class and the box's height
    bins: pd.DataFrame  # by, bin, error, low, high, bias, objects
    unit: str


def distance_scores(matches: Matches, *, shown: float = SHOWN) -> DistanceScores:
    """Compare distances of objects found (overlap 0.5) with the true ones.

    Args:
        matches: From `match`.
        shown: Score from which a detection is believed.

    Raises:
        DataError: No object with a known distance was found with one.
    """
    pairs = found_objects(matches, shown)
    known = np.isfinite(pairs["distance"]) & np.isfinite(pairs["distance_found"])
    pairs = pairs[known & (pairs["distance"] > 0)]
    if not len(pairs):
        raise DataError("no object of known distance was found with one",
                        remedy="Give labels with distances")  # fmt: skip
    frames, true = pairs["frame"].to_numpy(int), pairs["distance"].to_numpy(float)
    off = pairs["distance_found"].to_numpy(float) / true - 1
    units, rows = matches.units, []
    kinds = pairs["kind"].to_numpy(int)
    parts = [("distance", bin_name(low, high, "m"), (true >= low) & (true < high))
             for low, high in pairwise(DISTANCES)]  # fmt: skip
    parts += [("class", OBJECTS[k], kinds == k) for k in np.unique(kinds)]
    for by, name, mine in parts:
        if mine.any():
            one = interval(units.medians(np.abs(off[mine]), frames[mine]), int(mine.sum()))
            rows.append(
                (by, name, one.value, one.low, one.high, float(np.median(off[mine])), one.n)
            )
    guess = _from_height(pairs, matches.focal[frames], units.of[frames])
    return DistanceScores(
        interval(units.medians(np.abs(off), frames), len(off)),
        interval(units.medians(off, frames), len(off)),
        float(np.nanmedian(np.abs(guess / true - 1))),
        pd.DataFrame(rows, columns=["by", "bin", "error", "low", "high", "bias", "objects"]),
        units.kind,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class NameScores:
    """How often the right name is given to what was found."""

    right: Interval  # single frames
    over_time: Interval | None  # smoothed along tracks, each frame; None without tracks
    baseline: float  # share of the most frequent name
    baseline_is: str
    names: pd.DataFrame  # name, right, low, high, objects
    confusion: pd.DataFrame  # true name by row, name given by column ("" for none)
    unit: str


def light_scores(matches: Matches, *, shown: float = SHOWN, last: int = LAST) -> NameScores:
    """How often a found traffic light's state is right, frame by frame and over time.

    Over time a light's state is the most frequent of the last frames in which it was found, and
    holds while it is not found; from the first sight on every frame counts in which the light does.

    Args:
        matches: From `match`.
        shown: Score from which a detection is believed.
        last: Frames over which `smooth_states` looks.

    Raises:
        DataError: No light of known state was found.
    """
    kind = OBJECTS.index("traffic_light")
    return _name_scores(matches, kind, LIGHTS, shown, _over_time(matches, kind, shown, last))


def sign_scores(matches: Matches, *, shown: float = SHOWN) -> NameScores:
    """How often a found traffic sign's name is right; signs of names not learned are left out.

    Args:
        matches: From `match`.
        shown: Score from which a detection is believed.

    Raises:
        DataError: No sign of a known name was found.
    """
    return _name_scores(matches, OBJECTS.index("traffic_sign"), SIGNS, shown, None)


def smooth_states(shares: Floats, last: int = LAST) -> Floats:
    """Mean of each frame's and the frames' before it; one-hot rows give the majority.

    Args:
        shares: (n, states) probabilities along a track; rows of NaN where it was not found.
        last: Frames to look back on, the present one among them; those without sight do not count.

    Returns:
        (n, states); where states are level the later one leads by a hair. NaN before first sight.
    """
    out = np.full(np.shape(shares), np.nan)
    seen: list[Floats] = []
    for row, one in enumerate(np.asarray(shares, float)):
        if np.isfinite(one).all():
            seen = [*seen, one][-last:]
        if seen:
            weights = 1 + 1e-6 * np.arange(len(seen))
            out[row] = np.average(seen, axis=0, weights=weights)
    return out


@dataclass(frozen=True, eq=False)
class PerceptionErrors:
    """Every object to be found and what became of it: what an error model is measured from."""

    objects: pd.DataFrame  # frame, sequence, track, class, counted (false: too small to count),
    # distance, hidden, height, missed, ratio (distance said / true) and side_m (said to the right
    # of the true place), both NaN if missed
    false_alarms: pd.DataFrame  # frame, sequence, class, score, distance
    views: NDArray[np.int64]  # of each frame as numbered here: its index among the views judged


def perception_errors(matches: Matches, *, shown: float = SHOWN) -> PerceptionErrors:
    """Misses, false alarms and errors of place, one row each.

    Args:
        matches: From `match`.
        shown: Score from which a detection is believed.
    """
    truth = matches.truth[~matches.truth["region"].to_numpy(bool)]
    partner = matches.found.reindex(truth["found"]).set_index(truth.index)
    seen = (partner["score"] >= shown).to_numpy(bool)
    frames = truth["frame"].to_numpy(int)
    ratio = np.where(seen, partner["distance"] / truth["distance"], np.nan)
    bearing = (partner["x"] - truth["x"]) / matches.focal[frames]
    objects = pd.DataFrame({
        "frame": frames, "sequence": matches.sequences[frames], "track": truth["track"],
        "class": [OBJECTS[k] for k in truth["kind"]], "counted": truth["counted"],
        "distance": truth["distance"], "hidden": truth["hidden"], "height": truth["height"],
        "missed": ~seen, "ratio": ratio,
        "side_m": np.where(seen, bearing * truth["distance"], np.nan),
    }).reset_index(drop=True)  # fmt: skip
    wrong = (matches.found["score"] >= shown) & ~matches.hit[:, 0] & ~matches.void[:, 0]
    alarms = matches.found[wrong]
    false = pd.DataFrame({
        "frame": alarms["frame"], "sequence": matches.sequences[alarms["frame"].to_numpy(int)],
        "class": [OBJECTS[k] for k in alarms["kind"]], "score": alarms["score"],
        "distance": alarms["distance"],
    }).reset_index(drop=True)  # fmt: skip
    return PerceptionErrors(objects, false, matches.frames)


def found_objects(matches: Matches, shown: float = SHOWN) -> pd.DataFrame:
    """Objects that count and were found: their columns, and the detection's with `_found`."""
    truth = matches.truth[matches.truth["counted"] & (matches.truth["found"] >= 0)]
    partner = matches.found.loc[truth["found"]].set_index(truth.index)
    both = truth.join(partner[["score", "distance", "height", "detail"]], suffixes=("", "_found"))
    return both[both["score"] >= shown]


def _from_height(pairs: pd.DataFrame, focal: Floats, units: NDArray) -> Floats:
    """Distances if all of a class were equally tall; learned on the other half of the units."""
    lens = focal if np.isfinite(focal).all() else np.ones(len(focal))
    tall = pairs["height_found"].to_numpy(float) / lens  # metres a metre of distance
    size = pairs["distance"].to_numpy(float) * tall
    half, kinds = units % 2, pairs["kind"].to_numpy(int)
    usual = np.full(len(pairs), np.nan)
    for kind in np.unique(kinds):
        for side in (0, 1):
            rest = size[(kinds == kind) & (half != side)]
            if len(rest):
                usual[(kinds == kind) & (half == side)] = np.median(rest)
    return usual / tall


def _name_scores(
    matches: Matches, kind: int, names: Sequence[str], shown: float, over_time: Interval | None
) -> NameScores:
    pairs = found_objects(matches, shown)
    pairs = pairs[(pairs["kind"] == kind) & pairs["detail"].isin(names)]
    if not len(pairs):
        raise DataError(f"no {OBJECTS[kind]} of a known name was found",
                        remedy="Give labels whose details hold it")  # fmt: skip
    frames = pairs["frame"].to_numpy(int)
    true, given = pairs["detail"].to_numpy(str), pairs["detail_found"].to_numpy(str)
    rows = []
    for name in [n for n in names if (true == n).any()]:
        mine = true == name
        shares = matches.units.shares(given == true, frames, mine)
        one = interval(shares, int(mine.sum()))
        rows.append((name, one.value, one.low, one.high, one.n))
    usual = max(rows, key=lambda row: row[4])
    confusion = pd.crosstab(pd.Series(true, name="true"), pd.Series(given, name="given"))
    return NameScores(
        interval(matches.units.shares(given == true, frames), len(true)), over_time,
        usual[4] / len(true), usual[0],
        pd.DataFrame(rows, columns=["name", "right", "low", "high", "objects"]), confusion,
        matches.units.kind,
    )  # fmt: skip


def _over_time(matches: Matches, kind: int, shown: float, last: int) -> Interval | None:
    """Share of frames in which the smoothed state of a track is its true one."""
    truth = matches.truth
    truth = truth[(truth["kind"] == kind) & (truth["track"] >= 0) & truth["counted"]]
    truth = truth[truth["detail"].isin(LIGHTS)]
    partner = matches.found.reindex(truth["found"]).set_index(truth.index)
    given = np.where(partner["score"] >= shown, partner["detail"], "")
    frames = truth["frame"].to_numpy(int)
    right, counted = np.zeros(len(truth), bool), np.zeros(len(truth), bool)
    states = np.array(LIGHTS)
    true = truth["detail"].to_numpy(str)
    tracks = pd.DataFrame({"sequence": matches.sequences[frames], "track": truth["track"]})
    for rows in tracks.reset_index(drop=True).groupby(["sequence", "track"]).indices.values():
        order = rows[np.argsort(frames[rows], kind="stable")]
        shares = np.array([states == one for one in given[order]], float)
        shares[shares.sum(axis=1) == 0] = np.nan
        smooth = smooth_states(shares, last)
        counted[order] = np.isfinite(smooth).all(axis=1)
        best = np.nan_to_num(smooth, nan=-1.0).argmax(axis=1)
        right[order] = states[best] == true[order]
    if not counted.any():
        return None
    return interval(matches.units.shares(right, frames, counted), int(counted.sum()))
