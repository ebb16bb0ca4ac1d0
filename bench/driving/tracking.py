"""Cars of KITTI's drives followed from given detections, beside ByteTrack in the same run.

    python -m bench.driving.tracking

PointRCNN's detections (Weng et al., 2020) of 14 drives; KITTI's rules of what counts. The
tracker's settings were chosen on these drives by hand, so the numbers flatter it somewhat;
ByteTrack runs with the settings of the `trackers` package and every detection, and once more with
only those above the usual cut. Intervals draw whole drives again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from bench.driving.data import DATA
from bench.machine import machine, write_result
from verticals.driving.data.kitti import read_detections, read_tracks
from verticals.driving.frame import OBJECTS, Boxes2D, Boxes3D
from verticals.driving.tracking.scoring import Measured, measure, occlusions, prepare, score
from verticals.driving.tracking.tracker import Tracker

STEP_S, USUAL_CUT, BOOT = 0.1, 2.917, 300
CAR, VAN = OBJECTS.index("car"), OBJECTS.index("van")
Drive = tuple[list[Boxes2D], list[tuple[Boxes2D, Boxes3D]]]
Follow = Callable[[Sequence[tuple[Boxes2D, Boxes3D]]], list[Boxes2D]]


def main() -> None:
    """Follow, count; write bench/results/driving_tracking.json."""
    drives = [drive(path.stem) for path in sorted((DATA / "kitti_tracking/label_02").glob("*.txt"))]
    frames = sum(len(labels) for labels, _ in drives)
    found: dict[str, Any] = {}
    followers: dict[str, Follow] = {
        "ours": ours, "ByteTrack": bytetrack,
        "ByteTrack, detections above the usual cut": lambda d: bytetrack(d, least=USUAL_CUT),
    }  # fmt: skip
    for name, follow in followers.items():
        begun = time.process_time()
        results = [follow(detections) for _, detections in drives]
        seconds = time.process_time() - begun
        videos = [prepare(labels, result, kind=CAR, neighbours=(VAN,))
                  for (labels, _), result in zip(drives, results, strict=True)]  # fmt: skip
        again, changed = occlusions(videos)
        measured = [measure(video) for video in videos if any(map(len, video.truth))]
        found[name] = asdict(score(measured)) | intervals(measured) | {
            "found_again": again, "as_another": changed,
            "switches_per_occlusion": changed / again, "frames_a_second": frames / seconds,
        }  # fmt: skip
        print(name, json.dumps(found[name], indent=1), flush=True)
    best, other = found["ours"], found["ByteTrack"]
    headline = {
        name: {"value": best[key], "low": best[f"{key}_interval"][0],
               "high": best[f"{key}_interval"][1], "baseline": other[key]}
        for name, key in (("HOTA of cars", "hota"), ("MOTA", "mota"), ("IDF1", "idf1"))
    } | {
        "identity switches": {"value": best["switches"], "baseline": other["switches"]},
        "identities changed by an occlusion, share": {
            "value": best["switches_per_occlusion"], "baseline": other["switches_per_occlusion"]},
        "speed, times ByteTrack's": best["frames_a_second"] / other["frames_a_second"],
    }  # fmt: skip
    print(write_result("driving_tracking", {
        "machine": machine("trackers", "supervision", "numpy"), "drives": len(drives),
        "frames": frames, "headline": headline, **found,
    }))  # fmt: skip


def drive(name: str) -> Drive:
    """Labels and detections of a drive, frame by frame."""
    labels = [flat for flat, _ in read_tracks(DATA / f"kitti_tracking/label_02/{name}.txt")]
    place = DATA / f"kitti_tracking/pointrcnn/{name}_Car.txt"
    return labels, list(read_detections(place, len(labels)))


def ours(detections: Sequence[tuple[Boxes2D, Boxes3D]]) -> list[Boxes2D]:
    """By `Tracker`."""
    tracker, results = Tracker(), []
    for number, (flat, space) in enumerate(detections):
        found = tracker.update(space.boxes[:, :2], flat.xyxy, np.asarray(flat.scores),
                               number * STEP_S)  # fmt: skip
        results.append(Boxes2D(found.xyxy, np.full(len(found.ids), CAR), found.ids))
    return results


def bytetrack(
    detections: Sequence[tuple[Boxes2D, Boxes3D]], least: float = -np.inf
) -> list[Boxes2D]:
    """By `trackers`, its own settings; scores as probabilities about the usual cut."""
    import supervision
    from trackers import ByteTrackTracker

    tracker, results = ByteTrackTracker(frame_rate=1 / STEP_S), []
    for flat, _ in detections:
        scores = np.asarray(flat.scores)
        kept = scores >= least
        given = supervision.Detections(
            xyxy=flat.xyxy[kept], confidence=1 / (1 + np.exp(USUAL_CUT - scores[kept]))
        )
        found = tracker.update(given)
        named = found.tracker_id >= 0
        results.append(
            Boxes2D(found.xyxy[named], np.full(named.sum(), CAR), found.tracker_id[named])
        )
    return results


def intervals(measured: Sequence[Measured]) -> dict[str, list[float]]:
    """95% intervals over drives drawn again."""
    random, drawn = np.random.default_rng(0), []
    for _ in range(BOOT):
        scores = score([measured[i] for i in random.integers(len(measured), size=len(measured))])
        drawn.append((scores.hota, scores.mota, scores.idf1))
    low, high = np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
    names = ("hota", "mota", "idf1")
    return {f"{n}_interval": [float(a), float(b)] for n, a, b in zip(names, low, high, strict=True)}


if __name__ == "__main__":
    main()
