"""People on Penn-Fudan's photographs, found by the second opinion alone.

    python -m bench.driving.second_opinion

AP by pycocotools over all 119 images with a 95% interval over images drawn again; whole pictures
against overlapping squares besides; calibration fitted on even images and judged on odd ones.
"""

from __future__ import annotations

import contextlib
import io
import json
import time
from dataclasses import asdict
from typing import Any

import numpy as np

from bench.driving.data import DATA
from bench.machine import machine, write_result
from verticals.driving.data.images import read_image
from verticals.driving.frame import Boxes2D
from verticals.driving.perception.second_opinion import PEDESTRIAN, SecondOpinion, calibration
from verticals.driving.perception.unknown_calibration import (
    calibration_interval,
    fit_confidence,
    log_odds,
)

BOOT = 100


def main() -> None:
    """Detect, judge; write bench/results/driving_second_opinion.json."""
    images, truth = people()
    found: dict[str, Any] = {}
    for name, tiled in (("whole", False), ("tiled", True)):
        opinion = SecondOpinion.open(tiled=tiled, least=0.02)
        begun = time.process_time()
        boxes = opinion.boxes(images)
        seconds = (time.process_time() - begun) / len(images)
        found[name] = judged(boxes, truth) | {"cpu_s_an_image": round(seconds, 4)}
        found[name]["calibration"] = calibrated(boxes, truth)
        print(name, json.dumps(found[name], indent=1), flush=True)
    whole, tiled_ = found["whole"]["AP50"], found["tiled"]["AP50"]
    print(write_result("driving_second_opinion", {
        "machine": machine("openvino", "pycocotools", "numpy"), "images": len(images),
        "people": sum(map(len, truth)),
        "headline": {"person AP50 on Penn-Fudan": tiled_ | {"baseline": whole["value"]}}, **found,
    }))  # fmt: skip


def people() -> tuple[list[Any], list[Boxes2D]]:
    """Penn-Fudan's photographs, and the people on them."""
    labels = json.loads((DATA / "pennfudan/train.json").read_text())
    images = [read_image(DATA / "pennfudan" / entry["file_name"]) for entry in labels["images"]]
    return images, [_boxes(labels, entry["id"]) for entry in labels["images"]]


def judged(found: list[Boxes2D], truth: list[Boxes2D]) -> dict[str, Any]:
    """AP50 and AP with intervals over images."""
    values, random = average_precision(found, truth), np.random.default_rng(0)
    drawn = []
    for _ in range(BOOT):
        rows = random.integers(len(truth), size=len(truth))
        drawn.append(average_precision([found[i] for i in rows], [truth[i] for i in rows]))
    low, high = np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
    return {
        name: {"value": values[i], "low": float(low[i]), "high": float(high[i]), "n": len(truth)}
        for i, name in enumerate(("AP50", "AP"))
    }


def average_precision(found: list[Boxes2D], truth: list[Boxes2D]) -> tuple[float, float]:
    """AP at IoU 0.5, and its mean over 0.5 to 0.95, as COCO counts it."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def rows(image: int, boxes: Boxes2D) -> list[dict[str, Any]]:
        sides = boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]
        placed = np.column_stack([boxes.xyxy[:, :2], sides]).tolist()
        scores = np.ones(len(boxes)) if boxes.scores is None else boxes.scores
        return [
            {"image_id": image, "category_id": 1, "bbox": box, "area": box[2] * box[3],
             "iscrowd": 0, "score": float(score)}
            for box, score in zip(placed, scores, strict=True)
        ]  # fmt: skip

    labels = [row for i, boxes in enumerate(truth) for row in rows(i, boxes)]
    guesses = [row for i, boxes in enumerate(found) for row in rows(i, boxes)]
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = {
            "images": [{"id": i} for i in range(len(truth))], "categories": [{"id": 1}],
            "annotations": [row | {"id": n + 1} for n, row in enumerate(labels)],
        }  # fmt: skip
        known.createIndex()
        judge = COCOeval(known, known.loadRes(guesses), "bbox")
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.params.maxDets = [1, 10, 100]
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][:, :, 0, 0, 2]  # (IoU, recall)
    return float(precision[0].mean()), float(precision.mean())


def calibrated(found: list[Boxes2D], truth: list[Boxes2D]) -> dict[str, Any]:
    """Calibration error of scores on odd images, before and after a curve from the even ones."""
    scores, right = calibration(found[::2], truth[::2])
    curve = fit_confidence(scores, right)
    assert curve is not None
    scores, right = calibration(found[1::2], truth[1::2])
    images = np.repeat(np.arange(len(found[1::2])), [len(b) for b in found[1::2]]).astype(str)
    after = curve.transform(log_odds(scores))
    return {
        "method": curve.method,
        "before": asdict(calibration_interval(scores, right, images.tolist())),
        "after": asdict(calibration_interval(after, right, images.tolist())),
    }


def _boxes(labels: dict[str, Any], image: int) -> Boxes2D:
    boxes = [row["bbox"] for row in labels["annotations"] if row["image_id"] == image]
    left, top, width, height = np.array(boxes, float).reshape(-1, 4).T
    n = len(boxes)
    return Boxes2D(np.stack([left, top, left + width, top + height], axis=1),
                   np.full(n, PEDESTRIAN), np.full(n, -1))  # fmt: skip


if __name__ == "__main__":
    main()
