"""Camera and laser scanner together, and each alone, on rendered streets never used to set it up.

    python -m bench.driving.fusion [--made-up]

The camera's boxes are those of the shipped network. With --made-up, or where there is none, they
are the truth's: one in ten missing, sides moved by 4% of the box, distances off by 12%; then this
measures the fusion, not the detector, and the result says so. Errors are weighed on other streets
than those judged. A found object lies within two metres, or a tenth of its
distance, of a true centre over the ground (after nuScenes, Caesar et al., 2020); objects within 60
metres whose centre the camera has in view, at most 70% hidden. Intervals draw whole streets again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.machine import machine, write_result
from core.errors import ModelError
from core.evaluation.clusters import ratio_interval
from verticals.driving.frame import OBJECTS, Boxes2D, Calibration, Frame
from verticals.driving.perception.fusion import Fused, FusionSettings, fuse, weighed
from verticals.driving.perception.second_opinion import iou, taken
from verticals.driving.world.dataset import WorldSettings, sequences

WEIGHED, JUDGED = range(7000, 7012), range(7100, 7140)
WORLD = WorldSettings(frames=3, step_s=1.0, lidar=True)
REACH, CLOSE, MOST_HIDDEN, NEAR, SHARE = 60.0, 30.0, 0.7, 2.0, 0.1
MISSING, MOVED, OFF = 0.1, 0.04, 0.12
MOVING = tuple(OBJECTS.index(name) for name in (
    "car", "van", "truck", "bus", "pedestrian", "cyclist", "motorcycle",
))  # fmt: skip


@dataclass(frozen=True, eq=False)
class Judged:
    """One frame as one set of sensors saw it."""

    street: str
    scores: np.ndarray  # (n,) of what was found in the camera's view
    hits: np.ndarray  # (n,) row of the true object, -1 for none
    truth: int  # true objects
    close: tuple[int, int]  # of the true objects within 30 metres: found, and all
    errors: np.ndarray  # (hits,) distance error, share of the distance
    said: np.ndarray  # (hits,) ... in units of the standard deviation that was given


def main() -> None:
    """Render, fuse, judge; write bench/results/driving_fusion.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--made-up", action="store_true", help="boxes of the truth, made worse")
    name, seen = made_up() if parser.parse_args().made_up else camera()
    settings = measured_errors([(f, seen(f)) for f in sequences(WEIGHED, WORLD)])
    print(settings, flush=True)
    ways: dict[str, Callable[[Frame, Boxes2D], Fused]] = {
        "both": lambda f, b: fuse(b, view(f).calibration, f.points, settings),
        "camera": lambda f, b: fuse(b, view(f).calibration, None, settings),
        "lidar": lambda f, b: fuse(None, view(f).calibration, f.points, settings),
    }
    judged: dict[str, list[Judged]] = {way: [] for way in ways}
    seconds = dict.fromkeys(ways, 0.0)
    for frame in sequences(JUDGED, WORLD):
        boxes = seen(frame)
        for way, run in ways.items():
            begun = time.process_time()
            found = run(frame, boxes)
            seconds[way] += time.process_time() - begun
            judged[way].append(judge(frame, found))
    frames = len(judged["both"])
    found = {way: summary(rows) | {"cpu_ms_a_frame": round(1000 * seconds[way] / frames, 1)}
             for way, rows in judged.items()}  # fmt: skip
    headline = {
        f"{title}, both sensors": found["both"][key] | {
            "baseline": found["camera"][key]["value"], "lidar alone": found["lidar"][key]["value"]}
        for title, key in (("recall", "recall"), ("AP", "ap"),
                          ("median distance error", "distance_error"))
    }  # fmt: skip
    print(write_result("driving_fusion", {
        "machine": machine("numpy", "scipy"), "streets": len(JUDGED), "frames": frames,
        "camera_boxes": name, "camera_error_share": settings.camera_error,
        "lidar_error_m": settings.lidar_error,
        "headline": headline, **found,
    }))  # fmt: skip
    print(found)


def view(frame: Frame) -> Any:
    """The frame's main camera."""
    return next(iter(frame.views.values()))


def camera() -> tuple[str, Callable[[Frame], Boxes2D]]:
    """The shipped network's boxes of road users, or made-up ones without it."""
    from verticals.driving.perception.eye import open_eye

    try:
        eye = open_eye()
    except ModelError:
        return made_up()

    def seen(frame: Frame) -> Boxes2D:
        boxes = eye.look([view(frame)])[0].boxes
        return taken(boxes, np.flatnonzero(np.isin(boxes.classes, MOVING)))

    return "the shipped network's", seen


def made_up() -> tuple[str, Callable[[Frame], Boxes2D]]:
    """What a camera of ordinary skill would report."""

    def seen(frame: Frame) -> Boxes2D:
        assert frame.points is not None
        random = np.random.default_rng([5, int(frame.time_s * 10), len(frame.points)])
        boxes: Boxes2D = view(frame).boxes
        known = np.isin(boxes.classes, MOVING) & (np.asarray(boxes.occlusion) <= MOST_HIDDEN)
        kept = taken(boxes, np.flatnonzero(known & (random.random(len(boxes)) > MISSING)))
        sides = np.tile(kept.xyxy[:, 2:] - kept.xyxy[:, :2], 2)
        xyxy = kept.xyxy + random.normal(0, MOVED, kept.xyxy.shape) * sides
        distance = np.asarray(kept.distance) * np.exp(random.normal(0, OFF, len(kept)))
        scores = random.uniform(0.5, 1, len(kept))
        return Boxes2D(xyxy, kept.classes, kept.track_ids, distance=distance, scores=scores)

    return "the truth's, made worse", seen


def measured_errors(frames: Sequence[tuple[Frame, Boxes2D]]) -> FusionSettings:
    """How far off each sensor is, on streets that are not judged."""
    settings = FusionSettings()
    alone = replace(settings, lidar_error=1e-6)  # the scanner's distance then stands as it is
    camera, lidar, truth = [], [], []
    for frame, boxes in frames:
        found, labels = fuse(boxes, view(frame).calibration, frame.points, alone), view(frame).boxes
        overlap = iou(boxes.xyxy, labels.xyxy) if len(labels) else np.zeros((len(boxes), 1))
        for row, label in enumerate(overlap.argmax(axis=1).tolist()):
            if overlap[row, label] < 0.5 or labels.distance[label] > REACH:
                continue
            camera.append(np.asarray(boxes.distance)[row])
            lidar.append(found.distance[row] if found.sensors[row] == "both" else np.nan)
            truth.append(labels.distance[label])
    return weighed(settings, np.array(camera), np.array(lidar), np.array(truth))


def judge(frame: Frame, found: Fused) -> Judged:
    """Match what was found with what is there, best scores first."""
    calibration, labels, space = view(frame).calibration, view(frame).boxes, frame.boxes
    assert space is not None
    rows = {int(track): i for i, track in enumerate(space.track_ids)}
    true = np.array([rows[int(t)] for t, k in zip(labels.track_ids, labels.classes, strict=True)
                     if k in MOVING and int(t) in rows], np.int64)  # fmt: skip
    places = space.boxes[true]
    eye = np.linalg.inv(calibration.camera_from_ego)[:3, 3]
    away = np.linalg.norm(places[:, :3] - eye, axis=1)
    hidden = {int(t): float(h) for t, h in zip(labels.track_ids, labels.occlusion, strict=True)}
    counted = (
        (away < REACH)
        & in_view(calibration, places)
        & np.array([hidden[int(space.track_ids[i])] <= MOST_HIDDEN for i in true], bool)
    )
    visible = in_view(calibration, found.boxes.boxes)
    scores, free = np.asarray(found.boxes.scores), np.ones(len(true), bool)
    listed, hits, errors, said = [], [], [], []
    for row in np.flatnonzero(visible)[np.argsort(-scores[visible], kind="stable")]:
        apart = np.linalg.norm(places[:, :2] - found.boxes.boxes[row, :2], axis=1)
        apart[~free | (apart > np.maximum(NEAR, SHARE * away))] = np.inf
        best = int(apart.argmin()) if len(apart) else -1
        hit = best >= 0 and np.isfinite(apart[best])
        if hit:
            free[best] = False
        # Hidden and far objects are neither to be found nor wrong to find.
        if (hit and not counted[best]) or (not hit and found.distance[row] > REACH):
            continue
        listed.append(scores[row])
        hits.append(best if hit else -1)
        if hit:
            to_it = float(np.linalg.norm(found.boxes.boxes[row, :3] - eye))
            errors.append(abs(to_it - away[best]) / away[best])
            said.append((to_it - away[best]) / found.error[row])
    return Judged(frame.sequence, np.array(listed), np.array(hits, int), int(counted.sum()),
                  (int((counted & ~free & (away < CLOSE)).sum()),
                   int((counted & (away < CLOSE)).sum())),
                  np.array(errors), np.array(said))  # fmt: skip


def in_view(calibration: Calibration, places: np.ndarray) -> np.ndarray:
    """Whether the centres of (n, 7) boxes appear between the image's left and right edge."""
    pixels, _ = calibration.project(places[:, :3])
    with np.errstate(invalid="ignore"):
        return (pixels[:, 0] > 0) & (pixels[:, 0] < calibration.width)


def summary(rows: Sequence[Judged]) -> dict[str, Any]:
    """Recall, precision, AP and distance error with intervals over streets."""
    streets = [row.street for row in rows]
    found = np.array([(row.hits >= 0).sum() for row in rows])
    recall = ratio_interval(found, [row.truth for row in rows], streets)
    precision = ratio_interval(found, [len(row.hits) for row in rows], streets)
    close = ratio_interval(*np.array([row.close for row in rows]).T, streets)
    named = np.unique(streets)
    parts = [[row for row in rows if row.street == name] for name in named]
    random, drawn = np.random.default_rng(0), []
    for _ in range(300):
        again = [row for i in random.integers(len(parts), size=len(parts)) for row in parts[i]]
        drawn.append((average_precision(again), error(again)))
    low, high = np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
    said = np.concatenate([row.said for row in rows])
    return {
        "recall": vars(recall), "recall_within_30_m": vars(close), "precision": vars(precision),
        "ap": {"value": average_precision(rows), "low": float(low[0]), "high": float(high[0]),
               "n": len(rows)},
        "distance_error": {"value": error(rows), "low": float(low[1]), "high": float(high[1]),
                           "n": len(said)},
        "within_two_standard_deviations": float((np.abs(said) < 2).mean()),
    }  # fmt: skip


def error(rows: Sequence[Judged]) -> float:
    """Median of the distance error of found objects, share of the distance."""
    return float(np.median(np.concatenate([row.errors for row in rows])))


def average_precision(rows: Sequence[Judged]) -> float:
    """Area under precision over recall, precision made falling."""
    scores = np.concatenate([row.scores for row in rows])
    right = np.concatenate([row.hits >= 0 for row in rows])[np.argsort(-scores, kind="stable")]
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(hits) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float((falling * right).sum() / sum(row.truth for row in rows))


if __name__ == "__main__":
    main()
