"""From the network's maps of one image to boxes, lane lines and surfaces; numpy and OpenCV only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from verticals.driving.frame import Boxes2D, Floats, LaneLine
from verticals.driving.perception.settings import DETECTED, FINE, LANES, LIGHTS, SIGNS, STRIDE

_LIGHT, _SIGN = DETECTED.index("traffic_light"), DETECTED.index("traffic_sign")
_BEGINS = 99  # instead of a step: a line begins at this cell
_MOST = 100  # boxes of an image
_SAME = 0.6  # intersection over union above which two boxes are one object
_LINE = 0.5  # chance above which a cell shows a lane line
_JUMP, _BEND = 5, 0.03  # cells that a line may move from row to row, and what each costs
_ROWS = 5  # that a lane line crosses at least


@dataclass(frozen=True, eq=False)
class Found:
    """The objects of one image before their scores are calibrated."""

    xyxy: Floats  # (n, 4) pixels of the network's image, edges
    classes: NDArray[np.int64]  # (n,) index into DETECTED
    scores: Floats  # (n,) raw, 0 to 1
    rivals: Floats  # (n,) the best other class's score at the same place
    distance: Floats  # (n,) metres at a focal length of FOCAL
    details: tuple[str, ...]  # state of a light, name of a sign, "" of all others
    cells: NDArray[np.int64]  # (n, 2) row and column of the centre


def find_objects(maps: Mapping[str, Floats], least: float = 0.1) -> Found:
    """Boxes at the peaks of the heat map.

    Args:
        maps: Of one image, without the first axis: heat, extent, distance, lights, signs.
        least: Score below which a peak is passed over.
    """
    heat = expit(np.asarray(maps["heat"], np.float32))
    classes, height, width = heat.shape
    top = cv2.dilate(heat.transpose(1, 2, 0), np.ones((3, 3), np.uint8))
    peaks = (heat >= top.reshape(height, width, classes).transpose(2, 0, 1)) & (heat >= least)
    kind, row, column = np.nonzero(peaks)
    scores = heat[kind, row, column]
    order = np.argsort(-scores, kind="stable")[: 2 * _MOST]
    kind, row, column, scores = kind[order], row[order], column[order], scores[order]
    left, up, right, down = maps["extent"][:, row, column]
    x, y = (column + 0.5) * STRIDE, (row + 0.5) * STRIDE
    edges = np.array([width, height, width, height], np.float32) * STRIDE
    xyxy = np.clip(np.stack([x - left, y - up, x + right, y + down], axis=1), 0, edges)
    kept = suppress(xyxy, scores)[:_MOST]
    kind, row, column = kind[kept], row[kept], column[kept]
    others = heat[:, row, column].copy()
    others[kind, np.arange(len(kept))] = 0
    lights = np.argmax(maps["lights"][:, row, column], axis=0)
    signs = np.argmax(maps["signs"][:, row, column], axis=0)
    details = tuple(
        LIGHTS[light] if k == _LIGHT else SIGNS[sign] if k == _SIGN else ""
        for k, light, sign in zip(kind, lights, signs, strict=True)
    )
    return Found(
        xyxy[kept], kind.astype(np.int64), scores[kept],
        others.max(axis=0) if len(kept) else np.zeros(0),
        np.exp(np.minimum(maps["distance"][0, row, column], 7.0)), details,
        np.stack([row, column], axis=1),
    )  # fmt: skip


def suppress(xyxy: Floats, scores: Floats, same: float = _SAME) -> NDArray[np.int64]:
    """Rows of the boxes that no better box covers, best first (non-maximum suppression).

    Args:
        xyxy: (n, 4).
        scores: (n,) sorted or not.
        same: Intersection over union above which the lesser box goes, whatever its class.
    """
    sides = np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(sides.astype(float).tolist(), scores.astype(float).tolist(), 0.0, same)
    return np.asarray(kept, np.int64).reshape(-1)


def to_boxes(
    found: Found, scale: tuple[float, float], size: tuple[int, int], metres: float
) -> Boxes2D:
    """What was found, in the pixels of the image that was given.

    Args:
        found: In the network's image.
        scale: By which the given image's x and y were multiplied.
        size: Height and width of the given image; boxes end at its edge.
        metres: The focal length in the network's image, as a multiple of FOCAL.
    """
    xyxy = found.xyxy / np.array([*scale, *scale]) - 0.5
    limit = np.array([size[1], size[0], size[1], size[0]]) - 0.5
    return Boxes2D(
        np.clip(xyxy, -0.5, limit), found.classes, np.full(len(found.scores), -1),
        distance=found.distance * metres, scores=found.scores, details=found.details,
    )  # fmt: skip


def find_lanes(logits: Floats, scale: tuple[float, float]) -> tuple[LaneLine, ...]:
    """Lane lines, near to far, in the pixels of the image that was given.

    Args:
        logits: (4, h/4, w/4) of the offsets in LANES.
        scale: By which the given image's x and y were multiplied.
    """
    chance = expit(np.asarray(logits, np.float32))
    columns = np.arange(chance.shape[2])
    lines = []
    for offset, line in zip(LANES, chance, strict=True):
        rows, best = _path(line)
        if len(rows) < _ROWS:
            continue
        mass = np.where(np.abs(columns - best[:, None]) <= 2, line[rows], 0.0)
        x = (mass @ columns) / mass.sum(axis=1)
        points = (np.stack([x, rows], axis=1) + 0.5) * STRIDE / np.array(scale) - 0.5
        lines.append(LaneLine(points[::-1], "unknown", offset))
    return tuple(lines)


def _path(chance: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The unbroken line that gathers most of a map: one column a row, by dynamic programming.

    Args:
        chance: (rows, columns) that each cell shows the line.

    Returns:
        Rows and columns, from the top; none where no cell is likelier than not.
    """
    rows, columns = chance.shape
    worth = chance - _LINE
    steps = np.arange(-_JUMP, _JUMP + 1)
    best, came = worth.copy(), np.zeros((rows, columns), np.int64)
    for row in range(1, rows):
        padded = np.pad(best[row - 1], _JUMP, constant_values=-np.inf)
        reached = np.lib.stride_tricks.sliding_window_view(padded, len(steps))
        reached = reached - _BEND * np.abs(steps)
        chosen = reached.argmax(axis=1)
        gain = reached[np.arange(columns), chosen]
        best[row] += np.maximum(gain, 0)
        came[row] = np.where(gain > 0, steps[chosen], _BEGINS)
    came[0] = _BEGINS
    row, column = (int(i) for i in np.unravel_index(best.argmax(), best.shape))
    found: list[tuple[int, int]] = []
    while best[row, column] > 0:
        found.append((row, column))
        if came[row, column] == _BEGINS:
            break
        row, column = row - 1, column + int(came[row, column])
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    path = np.array(found[::-1])
    return path[:, 0], path[:, 1]


def find_surfaces(
    logits: Floats, scale: tuple[float, float], size: tuple[int, int], temperature: float = 1.0
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The surface of every pixel of the given image, and how probable it is.

    Args:
        logits: (11, h/2, w/2).
        scale: By which the given image's x and y were multiplied.
        size: Height and width of the given image.
        temperature: By which logits are divided to be calibrated.

    Returns:
        (height, width) index into SURFACES and (height, width) probability.
    """
    rows = max(1, round(size[0] * scale[1] / FINE))
    columns = max(1, round(size[1] * scale[0] / FINE))
    part = np.ascontiguousarray(np.asarray(logits, np.float32).transpose(1, 2, 0)[:rows, :columns])
    shares = np.exp((part - part.max(axis=2, keepdims=True)) / temperature)
    sure = (1 / shares.sum(axis=2)).astype(np.float32)
    # beyond four times the map's size nothing is gained by interpolating eleven maps
    work = (min(size[1], 4 * columns), min(size[0], 4 * rows))
    labels = cv2.resize(part, work, interpolation=cv2.INTER_LINEAR).argmax(axis=2).astype(np.uint8)
    whole = (size[1], size[0])
    if work != whole:
        labels = cv2.resize(labels, whole, interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(labels, np.uint8), np.asarray(cv2.resize(sure, whole), np.float32)
