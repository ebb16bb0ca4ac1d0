"""Images that the network never learned.

An image is strange if its embedding lies far from those of the training images; how far is far is
set by a share of false alarms on images kept apart, so 1 always means "at the alarm". Nothing here
needs labels of strange things, which is why it cannot promise to know all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from verticals.driving.perception.unknown_calibration import Floats

Measure = Literal["mahalanobis", "neighbours"]
NEIGHBOURS = 5
MOST_KEPT = 2000  # training embeddings that are kept to measure distances to
_KEPT_APART = 0.3  # of the embeddings, for the threshold, if no others are given
_FLOOR = 1e-4  # of a direction's variance, share of the largest


@dataclass(frozen=True, eq=False)
class Domain:
    """The images that a network knows, as a cloud of embeddings."""

    mean: Floats  # (d,)
    whiten: Floats  # (d, k) to directions of variance one; for neighbours (d, 0)
    known: Floats  # (m, d) unit vectors of training images; (0, d) for Mahalanobis
    threshold: float  # distance at the chosen share of false alarms
    false_alarm: float

    def strangeness(self, embeddings: Floats) -> Floats:
        """(n,) from 0 for (n, d) or one for (d,): above 1 lies beyond the threshold.

        What is not finite is infinitely strange.

        Raises:
            ModelError: Embeddings of another length than those that were learned from.
        """
        rows = np.atleast_2d(np.asarray(embeddings, np.float64))
        if rows.shape[1] != len(self.mean):
            raise ModelError(
                f"embeddings have {rows.shape[1]} numbers, not {len(self.mean)}",
                remedy="Fit the domain with the network that is used",
            )
        sound = np.isfinite(rows).all(axis=1)
        found = np.full(len(rows), np.inf)
        found[sound] = self._distance(rows[sound]) / self.threshold
        return found if np.ndim(embeddings) > 1 else found[0]

    def _distance(self, rows: Floats) -> Floats:
        if len(self.known):
            return _to_neighbours(_unit(rows - self.mean), self.known, NEIGHBOURS)
        found: Floats = np.linalg.norm((rows - self.mean) @ self.whiten, axis=1)
        return found

    def to_arrays(self) -> dict[str, NDArray[np.float32]]:
        """Everything as float32 arrays, for npz or safetensors."""
        limits = np.array([self.threshold, self.false_alarm])
        arrays = {"mean": self.mean, "whiten": self.whiten, "known": self.known, "limits": limits}
        return {name: np.ascontiguousarray(value, np.float32) for name, value in arrays.items()}

    @staticmethod
    def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> Domain:
        """The domain that `to_arrays` gave.

        Raises:
            ModelError: An array is missing.
        """
        try:
            mean, whiten, known = (np.asarray(arrays[name], np.float64)
                                   for name in ("mean", "whiten", "known"))  # fmt: skip
            threshold, false_alarm = (float(value) for value in arrays["limits"])
        except KeyError as error:
            raise ModelError(f"the domain lacks the array {error}",
                             remedy="Write it anew with Domain.to_arrays") from None  # fmt: skip
        return Domain(mean, whiten, known, threshold, false_alarm)


def fit_domain(
    embeddings: Floats,
    *,
    validation: Floats | None = None,
    false_alarm: float = 0.01,
    measure: Measure = "mahalanobis",
    seed: int = 0,
) -> Domain:
    """Learn what is familiar.

    Args:
        embeddings: (n, d) of training images.
        validation: (m, d) of familiar images the network did not train on, best one or two a
            sequence: neighbours in time count as one. Without them, 30% of the training images,
            which makes the alarm too eager wherever the network has overfitted.
        false_alarm: Share of familiar images that may raise it.
        measure: Mahalanobis distance with a shrunken covariance (Lee et al., 2018; Ledoit and
            Wolf, 2004), or the distance to the fifth neighbour on the unit sphere (Sun et al.,
            2022), which needs no single cloud but keeps up to 2,000 embeddings.
        seed: Of what is kept.

    Raises:
        ModelError: Too few embeddings, or such as are not finite.
    """
    rows, random = np.asarray(embeddings, np.float64), np.random.default_rng(seed)
    if rows.ndim != 2 or len(rows) < 10 or not np.isfinite(rows).all():
        raise ModelError(
            "a domain needs ten finite embeddings or more", where=f"shape {rows.shape}",
            remedy="Embed more training images",
        )  # fmt: skip
    if validation is None:
        order = random.permutation(len(rows))
        apart = max(2, int(_KEPT_APART * len(rows)))
        validation, rows = rows[order[:apart]], rows[order[apart:]]
    mean = rows.mean(axis=0)
    if measure == "neighbours":
        kept = rows[random.permutation(len(rows))[:MOST_KEPT]]
        plain = Domain(mean, np.zeros((len(mean), 0)), _unit(kept - mean), 1.0, false_alarm)
    else:
        plain = Domain(mean, _whitening(rows), np.zeros((0, len(mean))), 1.0, false_alarm)
    distances = plain.strangeness(np.asarray(validation, np.float64))
    threshold = max(split_quantile(distances, false_alarm), 1e-9)
    return Domain(plain.mean, plain.whiten, plain.known, threshold, false_alarm)


def split_quantile(values: Floats, false_alarm: float) -> float:
    """The value that a new one of the same kind exceeds with at most that chance.

    The conformal quantile (Vovk et al., 2005): exact for exchangeable values. With too few of them
    for so small a chance it is the largest, and the promise cannot be kept.
    """
    rank = int(np.ceil((len(values) + 1) * (1 - false_alarm)))
    return float(np.sort(values)[min(rank, len(values)) - 1])


def _whitening(rows: Floats) -> Floats:
    """(d, k) that makes the shrunken covariance the identity."""
    from sklearn.covariance import ledoit_wolf

    covariance, _ = ledoit_wolf(rows)
    spread, directions = np.linalg.eigh(covariance)
    kept = spread > _FLOOR * spread.max()  # the others hold rounding errors
    found: Floats = directions[:, kept] / np.sqrt(spread[kept])
    return found


def _unit(rows: Floats) -> Floats:
    found: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return found


def _to_neighbours(rows: Floats, known: Floats, k: int) -> Floats:
    """(n,) distance to the k-th nearest known vector."""
    k = min(k, len(known))
    parts = [np.zeros(0)]
    for start in range(0, len(rows), 1000):
        likeness = rows[start : start + 1000] @ known.T
        nearest = np.partition(likeness, len(known) - k, axis=1)[:, len(known) - k]
        parts.append(np.sqrt(np.maximum(2 - 2 * nearest, 0)))
    return np.concatenate(parts)
