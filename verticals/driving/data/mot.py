"""MOTChallenge's text files (Milan et al., 2016): labels, detections and results of a video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.errors import DataError
from verticals.driving.frame import OBJECTS, Boxes2D, Floats

PEDESTRIAN = 1
# Alike enough that finding one is no mistake: people on vehicles, standing still, dummies, mirrors.
ALIKE = (2, 7, 8, 12)
_KINDS = {1: "pedestrian", 3: "car", 4: "cyclist", 5: "motorcycle"}


def read_mot(path: Path, frames: int | None = None) -> list[Boxes2D]:
    """Boxes frame by frame, the first frame first.

    In labels, rows with flag 0 and classes like people (`ALIKE`) are marked `ignore`; in detections
    and results the seventh column is the score.

    Args:
        path: gt.txt, det.txt or a tracker's result.
        frames: How many the video has; as many as the last row says by default.

    Raises:
        DataError: A row is not numbers, or too short; names it.
    """
    table = _table(path)
    labels = table.shape[1] >= 9 and bool((table[:, 7] >= 1).all()) and bool(
        np.isin(table[:, 6], (0, 1)).all()
    )  # fmt: skip
    count = int(table[:, 0].max(initial=0)) if frames is None else frames
    return [_boxes(table[table[:, 0] == number], labels) for number in range(1, count + 1)]


def write_mot(frames: Sequence[Boxes2D], path: Path) -> Path:
    """Write boxes with their track ids as a tracker's result."""
    lines = []
    for number, boxes in enumerate(frames, 1):
        scores = np.ones(len(boxes)) if boxes.scores is None else boxes.scores
        for track, (left, top, right, bottom), score in zip(
            boxes.track_ids.tolist(), boxes.xyxy.tolist(), scores.tolist(), strict=True
        ):
            lines.append(f"{number},{track},{left:.2f},{top:.2f},{right - left:.2f},"
                         f"{bottom - top:.2f},{score:.4f},-1,-1,-1")  # fmt: skip
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _table(path: Path) -> Floats:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read ({error})", where=str(path)) from None
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            rows.append([float(value) for value in line.split(",")])
        except ValueError:
            rows.append([])
        if len(rows[-1]) < 7 or len(rows[-1]) != len(rows[0]):
            raise DataError(
                "it is not frame, id, left, top, width, height, score and so on",
                where=f"{path}, line {number}", remedy="Give numbers with commas",
            )  # fmt: skip
    return np.array(rows).reshape(len(rows), len(rows[0]) if rows else 7)


def _boxes(rows: Floats, labels: bool) -> Boxes2D:
    xyxy = rows[:, 2:6].copy()
    xyxy[:, 2:] += xyxy[:, :2]
    kinds = rows[:, 7].astype(int) if labels else np.full(len(rows), PEDESTRIAN)
    classes = np.array([OBJECTS.index(_KINDS.get(int(k), "other")) for k in kinds], np.int64)
    ids = rows[:, 1].astype(np.int64)
    if not labels:
        return Boxes2D(xyxy, classes, ids, scores=rows[:, 6])
    ignored = (rows[:, 6] == 0) | np.isin(kinds, ALIKE)
    return Boxes2D(xyxy, classes, ids, occlusion=1 - rows[:, 8], ignore=ignored)
