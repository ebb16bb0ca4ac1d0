"""Draws what is known or believed about an image over it: masks, boxes, ids, lanes, points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from verticals.driving.frame import OBJECTS, Boxes2D, Boxes3D, Calibration, Floats, LaneLine

Image = NDArray[Any]  # (height, width, 3) uint8 RGB

SURFACE_COLOURS = np.array(
    [(128, 160, 190), (150, 75, 60), (200, 195, 130), (125, 75, 130), (85, 80, 215),
     (120, 140, 40), (225, 130, 130), (70, 80, 130), (70, 30, 140), (205, 90, 60),
     (30, 150, 190), (0, 0, 0)], np.uint8
)  # fmt: skip
_EDGES = ((0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6),
          (3, 7))  # fmt: skip
_IGNORED = (150, 150, 150)


def colour_of(number: int) -> tuple[int, int, int]:
    """A lasting colour for a track or class number; neighbours differ."""
    hue = (number * 0.61803398875) % 1.0
    tone = np.array([[[hue * 179, 190, 240]]]).astype(np.uint8)
    red, green, blue = cv2.cvtColor(tone, cv2.COLOR_HSV2RGB)[0, 0]
    return int(red), int(green), int(blue)


def draw_surfaces(image: Image, surfaces: NDArray[np.uint8], share: float = 0.45) -> Image:
    """Tint every pixel by its class.

    Args:
        image: (h, w, 3) RGB.
        surfaces: (h, w) index into frame.SURFACES, or UNLABELLED, which stays as it is.
        share: Of the tint, 0 to 1.
    """
    tint = SURFACE_COLOURS[np.minimum(surfaces, len(SURFACE_COLOURS) - 1)]
    mixed = np.asarray(cv2.addWeighted(image, 1 - share, tint, share, 0.0))
    mixed[surfaces >= len(SURFACE_COLOURS) - 1] = image[surfaces >= len(SURFACE_COLOURS) - 1]
    return mixed


def draw_boxes(
    image: Image, boxes: Boxes2D, captions: Sequence[str] | None = None, *, amodal: bool = False
) -> Image:
    """Boxes with captions.

    Args:
        image: (h, w, 3) RGB.
        boxes: What to draw; ignored ones in grey.
        captions: One each; absent: class, detail, id, distance and score, as far as known.
        amodal: Draw the box around the whole object, thin, beside the visible one.
    """
    out = image.copy()
    texts = captions if captions is not None else [caption(boxes, i) for i in range(len(boxes))]
    for i, text in enumerate(texts):
        track = int(boxes.track_ids[i])
        skipped = boxes.ignore is not None and bool(boxes.ignore[i])
        colour = colour_of(track if track >= 0 else int(boxes.classes[i]))
        colour = _IGNORED if skipped else colour
        if amodal and boxes.amodal_xyxy is not None:
            _rectangle(out, boxes.amodal_xyxy[i], colour, 1)
        _rectangle(out, boxes.xyxy[i], colour, 2 if image.shape[1] > 400 else 1)
        _caption(out, boxes.xyxy[i], text, colour)
    return out


def caption(boxes: Boxes2D, row: int) -> str:
    """What is known of one box, in a few words."""
    words = [OBJECTS[int(boxes.classes[row])].replace("_", " ")]
    if boxes.details and boxes.details[row]:
        words = [boxes.details[row].replace("_", " ")]
    if boxes.track_ids[row] >= 0:
        words.append(f"#{int(boxes.track_ids[row])}")
    if boxes.distance is not None and np.isfinite(boxes.distance[row]):
        words.append(f"{float(boxes.distance[row]):.0f} m")
    if boxes.scores is not None:
        words.append(f"{float(boxes.scores[row]):.2f}")
    return " ".join(words)


def draw_boxes3d(image: Image, boxes: Boxes3D, calibration: Calibration) -> Image:
    """Wire frames of boxes in space; those not wholly ahead of the camera are left out."""
    out = image.copy()
    corners = boxes.corners()
    for i in range(len(boxes)):
        pixels, depth = calibration.project(corners[i])
        if (depth < 0.3).any() or np.abs(pixels).max() > 8 * image.shape[1]:
            continue
        colour = colour_of(int(boxes.track_ids[i]))
        for a, b in _EDGES:
            ends = [(int(x), int(y)) for x, y in pixels[[a, b]]]
            cv2.line(out, ends[0], ends[1], colour, 1, cv2.LINE_AA)
    return out


def draw_lanes(image: Image, lanes: Sequence[LaneLine]) -> Image:
    """Lane lines; those left of the camera green, right of it blue."""
    out = image.copy()
    for lane in lanes:
        colour = (70, 220, 110) if lane.offset > 0 else (90, 150, 255)
        pixels = lane.points.round().astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(out, [pixels], False, colour, 2, cv2.LINE_AA)
    return out


def draw_points(
    image: Image, points: Floats, calibration: Calibration, reach: float = 60.0
) -> Image:
    """LiDAR points, near ones warm, far ones cold.

    Args:
        image: (h, w, 3) RGB.
        points: (p, 3 or more) metres, ego frame.
        calibration: Of the camera.
        reach: Metres at which the colours end.
    """
    out = image.copy()
    pixels, depth = calibration.project(np.asarray(points[:, :3], float))
    height, width = image.shape[:2]
    with np.errstate(invalid="ignore"):
        inside = (depth > 0.3) & np.all(
            (pixels >= 0) & (pixels < np.array([width - 1, height - 1])), axis=1
        )
    tones = np.clip(230 * (1 - depth[inside] / reach), 20, 230).astype(np.uint8)
    if not len(tones):
        return out
    colours = np.asarray(cv2.applyColorMap(tones, cv2.COLORMAP_TURBO))[:, 0, ::-1]
    x, y = pixels[inside].round().astype(int).T
    out[y, x] = colours
    out[np.minimum(y + 1, height - 1), x] = colours
    return out


def _rectangle(image: Image, box: Floats, colour: tuple[int, int, int], width: int) -> None:
    x0, y0, x1, y1 = (int(v) for v in _drawable(box))
    cv2.rectangle(image, (x0, y0), (x1, y1), colour, width)


def _drawable(box: Floats) -> Floats:
    """A box of numbers that OpenCV can draw: none missing, none absurdly far outside."""
    limit = 1 << 14
    return np.clip(np.nan_to_num(box), -limit, limit)


def _caption(image: Image, box: Floats, text: str, colour: tuple[int, int, int]) -> None:
    """Text on a plate above the box, or inside where there is no room above."""
    if not text:
        return
    box, scale = _drawable(box), max(0.3, image.shape[1] / 1600)
    (width, height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    x = int(np.clip(box[0], 0, max(0, image.shape[1] - width)))
    y = int(box[1]) - 3 if box[1] > height + 6 else int(box[1]) + height + 4
    cv2.rectangle(image, (x, y - height - 1), (x + width, y + base - 1), colour, -1)
    cv2.putText(image, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, (10, 10, 10), 1, cv2.LINE_AA)
