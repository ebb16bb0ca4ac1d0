"""Why a policy chose an action: which road users and which of its own numbers spoke for it.

Shapley values over what can be taken away from an observation: a road user by leaving it out, as
the policy reads a set; a number of the ego by putting what is usual in its place. The deletion test
says whether the answer beats chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import ParameterError
from explain.deletion import deletion_test
from explain.sentences import shap_of_parts
from verticals.driving.traffic.columns import ACTIONS
from verticals.driving.traffic.roads import Floats
from verticals.driving.traffic.seeing import EGO_FEATURES, FEATURES

Chances = Callable[[Floats], Floats]  # (n, rows, features) observations to (n, actions) chances
EGO_PARTS = {
    "own speed": ("speed", "target_speed"), "place in the lane": ("off_lane", "heading_off"),
    "lanes beside": ("lane_on_left", "lane_on_right"),
    "way ahead": ("to_goal", "to_junction"), "light": ("to_stop", "light"),
}  # fmt: skip
OTHER_PARTS = {
    "how far ahead others are": ("ahead", "s"), "how far aside others are": ("left", "d"),
    "how fast others move": ("v_ahead", "v_left"), "where others head": ("cos", "sin"),
    "what others are": ("kind",),
}  # fmt: skip
CERTIFICATE = ("test", "whole", "without the heaviest", "without as many at random",
               "random as bad", "sum misses by")  # fmt: skip
_LEAST = 1e-6  # a chance; its logarithm must be finite


@dataclass(frozen=True)
class Part:
    """Something that can be taken away, and what it adds to the action's log-odds."""

    name: str
    row: int  # of the observation; 0 for the ego
    weight: float


@dataclass(frozen=True)
class Why:
    """What carried a decision.

    Attributes:
        action: That was chosen.
        chances: By action.
        parts: Heaviest first.
        certificate: One row (CERTIFICATE): the chance of the action whole, without the heaviest
            quarter of the parts, without as many at random, the share of random ones that hurt as
            much, and by how much the weights miss the log-odds they explain.
    """

    action: str
    chances: dict[str, float]
    parts: tuple[Part, ...]
    certificate: pd.DataFrame

    def sentence(self, most: int = 2) -> str:
        """The decision and what spoke most for it, in words."""
        least = 0.1 * max((part.weight for part in self.parts), default=0.0)
        heavy = [part.name for part in self.parts if part.weight > max(least, 0.0)][:most]
        because = f", because of {' and '.join(heavy)}" if heavy else ""
        return f"{self.action} ({self.chances[self.action]:.0%}){because}"


def usual(observations: Floats) -> tuple[Floats, Floats]:
    """What is usual: means of the ego's numbers and of the numbers of a road user in sight.

    Args:
        observations: (n, rows, features) of some drives.
    """
    seen = np.asarray(observations, float)
    others = seen[:, 1:].reshape(-1, seen.shape[2])
    present = others[others[:, 0] > 0]
    return seen[:, 0].mean(axis=0), present.mean(axis=0) if len(present) else np.zeros(
        len(FEATURES)
    )


def explain_decision(
    policy: Chances, seen: Floats, observations: Floats, *, most: int = 1024, seed: int = 0
) -> Why:
    """Which road users, and which of the ego's own numbers, spoke for the action chosen.

    Args:
        policy: Observations to chances.
        seen: (rows, features) the observation it decided on.
        observations: (n, rows, features) that say what is usual.
        most: Observations that are judged at most.
        seed: Of the random deletions.

    Raises:
        ParameterError: `seen` is not one observation.
    """
    if np.ndim(seen) != 2:
        raise ParameterError(f"an observation has 2 dimensions, not {np.ndim(seen)}", where="seen",
                             remedy="Give one row of Traffic.seen")  # fmt: skip
    ordinary, _ = usual(observations)
    rows = [row for row in range(1, len(seen)) if seen[row, 0] > 0]
    names = [*EGO_PARTS, *(_named(seen[row]) for row in rows)]

    def kept(masks: Floats) -> Floats:
        out = np.repeat(np.asarray(seen, np.float32)[None], len(masks), axis=0)
        _put(out, masks, ordinary)
        for i, row in enumerate(rows, start=len(EGO_PARTS)):
            out[masks[:, i] == 0, row] = 0.0
        return out

    chances = policy(np.asarray(seen, np.float32)[None])[0]
    chosen = int(chances.argmax())
    weights, gap = _weights(policy, kept, len(names), chosen, most)
    left = deletion_test(lambda mask: float(policy(kept(mask[None].astype(float)))[0, chosen]),
                         weights, seed=seed)  # fmt: skip
    parts = [Part(name, row, float(weight)) for name, row, weight
             in zip(names, [0] * len(EGO_PARTS) + rows, weights, strict=True)]  # fmt: skip
    row = (f"parts, {ACTIONS[chosen]}", left.whole, left.heaviest, left.random, left.as_bad, gap)
    return Why(
        ACTIONS[chosen], dict(zip(ACTIONS, map(float, chances), strict=True)),
        tuple(sorted(parts, key=lambda part: -part.weight)),
        pd.DataFrame([row], columns=list(CERTIFICATE)),
    )  # fmt: skip


def explain_policy(
    policy: Chances, seen: Floats, observations: Floats, *, most: int = 1024
) -> pd.DataFrame:
    """Which kinds of numbers a policy reads, over many decisions.

    Args:
        policy: Observations to chances.
        seen: (k, rows, features) decisions to explain.
        observations: (n, rows, features) that say what is usual.
        most: Observations that are judged at most for each decision.

    Returns:
        By part the mean absolute effect on the log-odds of the action chosen, and the mean effect;
        heaviest first.
    """
    ordinary, another = usual(observations)
    names = [*EGO_PARTS, *OTHER_PARTS]
    table = []
    for one in np.asarray(seen, np.float32):
        present = np.flatnonzero(one[1:, 0] > 0) + 1

        def kept(masks: Floats, one: Floats = one, present: NDArray[np.int64] = present) -> Floats:
            out = np.repeat(one[None], len(masks), axis=0)
            _put(out, masks, ordinary)
            for i, features in enumerate(OTHER_PARTS.values(), start=len(EGO_PARTS)):
                columns = np.array([FEATURES.index(name) for name in features])
                out[np.ix_(masks[:, i] == 0, present, columns)] = another[columns]
            return out

        chosen = int(policy(one[None])[0].argmax())
        table.append(_weights(policy, kept, len(names), chosen, most)[0])
    weights = np.array(table).reshape(-1, len(names))
    found = pd.DataFrame({"part": names, "mean absolute effect": np.abs(weights).mean(axis=0),
                          "mean effect": weights.mean(axis=0)})  # fmt: skip
    return found.sort_values("mean absolute effect", ascending=False, ignore_index=True)


def _put(out: NDArray[np.float32], masks: Floats, ordinary: Floats) -> None:
    """Write what is usual over the numbers of the ego that a mask takes away."""
    for i, features in enumerate(EGO_PARTS.values()):
        for column in (EGO_FEATURES.index(name) for name in features):
            out[masks[:, i] == 0, 0, column] = ordinary[column]


def _weights(
    policy: Chances, kept: Callable[[Floats], Floats], parts: int, chosen: int, most: int
) -> tuple[Floats, float]:
    """Effects on the log-odds of an action, and by how much they miss adding up."""

    def odds(masks: Floats) -> Floats:
        chance = np.clip(policy(kept(np.asarray(masks, float)))[:, chosen], _LEAST, 1 - _LEAST)
        found: Floats = np.log(chance / (1 - chance))[:, None]
        return found

    weights = shap_of_parts(odds, parts, most=most)[:, 0]
    both = odds(np.stack([np.ones(parts), np.zeros(parts)]))[:, 0]
    return weights, float(abs(weights.sum() - (both[0] - both[1])))


def _named(row: Floats) -> str:
    """A road user as one would point it out."""
    what = {1: "the person or cyclist", -1: "the lorry"}.get(round(float(row[7])), "the car")
    ahead, left = 50 * float(row[1]), 12 * float(row[2])
    along = f"{abs(ahead):.0f} m {'ahead' if ahead >= 0 else 'behind'}"
    aside = (
        "" if abs(left) < 1.5 else f", {abs(left):.0f} m to the {'left' if left > 0 else 'right'}"
    )
    return f"{what} {along}{aside}"
