"""Follows objects over the ground by constant velocity, and remembers them while they are hidden.

One Kalman filter for all tracks at once: both ground axes share their variances, so a track is a
row of a table and a time step a handful of array operations. Detections are assigned by the
likelihood of their distance (Blackman and Popoli, 1999, chapter 6); whether a track is real is a
running mean of what its detections speak for, so weak detections continue tracks and do not begin
them (Zhang et al., 2022, "ByteTrack", in one assignment instead of two).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from verticals.driving.tracking.settings import TrackerSettings

if TYPE_CHECKING:
    from verticals.driving.frame import Floats

# Columns of the table of tracks.
X, Y, VX, VY, PP, PV, VV, MEAN, NOW, SEEN, UNSEEN_S, ID, LEFT, TOP, RIGHT, BOTTOM = range(16)
_FAR = 1e6
_SMALLEST = 8.0  # pixels: sizes below say nothing


@dataclass(frozen=True)
class Tracks:
    """The tracks of one time that are reported, k of them."""

    ids: np.ndarray  # (k,) int64, from 1
    positions: Floats  # (k, 2) metres, filtered
    velocities: Floats  # (k, 2) metres per second, relative to the sensor
    xyxy: Floats  # (k, 4) pixels, as detected
    detection: np.ndarray  # (k,) row of the detection
    evidence: Floats  # (k,) log-odds, roughly, that it is real


class Tracker:
    """The objects of one class in one drive."""

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        """Begin a drive.

        Args:
            settings: Of class and detector; cars by PointRCNN by default.
        """
        self.settings = settings or TrackerSettings()
        self._table = np.zeros((0, 16))
        self._next = 1
        self._time: float | None = None

    def update(self, positions: Floats, xyxy: Floats, scores: Floats, time_s: float) -> Tracks:
        """Take the detections of the next moment.

        Args:
            positions: (n, 2) metres over the ground; the sensor is at the origin.
            xyxy: (n, 4) pixels.
            scores: (n,) of the detector.
            time_s: Later than that of the last call.

        Raises:
            ValueError: Time did not pass.
        """
        self._predict(time_s)
        table, settings = self._table, self.settings
        weight = self._evidence(xyxy, scores)
        noise = settings.noise_m + settings.noise_by_distance * np.hypot(*positions.T)
        noise *= noise
        rows, columns = self._assigned(positions, noise)
        self._correct(rows, positions[columns], noise[columns])
        table[rows, MEAN] += settings.memory * (weight[columns] - table[rows, MEAN])
        table[rows, NOW] = weight[columns]
        table[rows, SEEN] += 1
        table[rows, UNSEEN_S] = 0
        table[rows, LEFT:] = xyxy[columns]
        found = np.full(len(table), -1)
        found[rows] = columns
        free = weight > settings.born
        free[columns] = False
        born = np.flatnonzero(free)
        if len(born):
            table = np.concatenate([table, self._new(positions, xyxy, weight, noise, born)])
            found = np.concatenate([found, born])
        alive = (table[:, UNSEEN_S] <= settings.longest_s) & (
            table[:, MEAN] - settings.missing * table[:, UNSEEN_S] > settings.lost
        )
        self._table, found = table[alive], found[alive]
        return self._reported(found)

    def _predict(self, time_s: float) -> None:
        """Move everything on."""
        step = 0.0 if self._time is None else time_s - self._time
        if self._time is not None and step <= 0:
            raise ValueError(f"time went from {self._time} to {time_s} s")
        self._time = time_s
        table, settings = self._table, self.settings
        if not len(table):
            return
        away = np.hypot(table[:, X], table[:, Y])
        table[:, X : Y + 1] += step * table[:, VX : VY + 1]
        strength = settings.acceleration + settings.acceleration_by_distance * away
        strength *= strength
        table[:, PP] += step * (2 * table[:, PV] + step * table[:, VV]) + strength * step**4 / 4
        table[:, PV] += step * table[:, VV] + strength * step**3 / 2
        table[:, VV] += strength * step**2
        table[:, UNSEEN_S] += step

    def _evidence(self, xyxy: Floats, scores: Floats) -> Floats:
        settings = self.settings
        height = np.maximum(xyxy[:, 3] - xyxy[:, 1], _SMALLEST)
        wanted = settings.score_zero + settings.score_by_size * np.log2(height / settings.size_zero)
        most = settings.evidence_most
        return np.minimum(np.maximum(scores - wanted, -most), most)

    def _assigned(self, positions: Floats, noise: Floats) -> tuple[np.ndarray, np.ndarray]:
        """Which track gets which detection."""
        from scipy.optimize import linear_sum_assignment

        table = self._table
        spread = table[:, PP, None] + noise
        x, y = table[:, X, None] - positions[:, 0], table[:, Y, None] - positions[:, 1]
        distance = (x * x + y * y) / spread
        cost = np.where(distance > self.settings.gate, _FAR, distance + 2 * np.log(spread))
        rows, columns = linear_sum_assignment(cost)
        good = cost[rows, columns] < _FAR
        return rows[good], columns[good]

    def _correct(self, rows: np.ndarray, positions: Floats, noise: Floats) -> None:
        """The Kalman update of some tracks."""
        table = self._table
        pp, pv = table[rows, PP], table[rows, PV]
        spread = pp + noise
        gain, faster = pp / spread, pv / spread
        error = positions - table[rows, X : Y + 1]
        table[rows, X : Y + 1] += gain[:, None] * error
        table[rows, VX : VY + 1] += faster[:, None] * error
        table[rows, VV] -= faster * pv
        table[rows, PV] = pv * (1 - gain)
        table[rows, PP] = pp * (1 - gain)

    def _new(
        self, positions: Floats, xyxy: Floats, weight: Floats, noise: Floats, born: np.ndarray
    ) -> Floats:
        """Rows for detections that belong to no track."""
        rows = np.zeros((len(born), 16))
        rows[:, X : Y + 1], rows[:, LEFT:] = positions[born], xyxy[born]
        rows[:, PP], rows[:, VV] = noise[born], self.settings.speed**2
        rows[:, MEAN] = rows[:, NOW] = weight[born]
        rows[:, SEEN] = 1
        rows[:, ID] = np.arange(self._next, self._next + len(born))
        self._next += len(born)
        return rows

    def _reported(self, found: np.ndarray) -> Tracks:
        table, settings = self._table, self.settings
        evidence = (
            settings.now * table[:, NOW]
            + (1 - settings.now) * table[:, MEAN]
            + settings.by_age * np.log(table[:, SEEN])
        )
        shown = (found >= 0) & (evidence >= settings.shown)
        kept = table[shown]
        return Tracks(kept[:, ID].astype(np.int64), kept[:, X : Y + 1], kept[:, VX : VY + 1],
                      kept[:, LEFT:], found[shown], evidence[shown])  # fmt: skip
