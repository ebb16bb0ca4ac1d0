"""Makes faces and number plates unreadable before pictures are stored or shown.

No detector of faces is in the offline pack, so what is hidden follows from the boxes of people and
vehicles, found or labelled: the upper part of a person, and the band of a vehicle where plates are.
Who is in no box is not hidden: give boxes of a detector with a low threshold.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from verticals.driving.frame import OBJECTS, Frame, View

HEADS = frozenset({"pedestrian", "cyclist", "motorcycle"})
PLATES = frozenset({"car", "van", "truck", "bus", "motorcycle"})
PEOPLE = frozenset({"person", "person_sitting", "other person"})  # whom data sets do not count
_HEAD, _WIDER = 0.3, 0.1  # shares of the box: from its top, and to both sides
_PLATE = (0.45, 0.95)  # from its top
_LEFT = 6  # blocks that are left of the shorter side


def hide_people(frame: Frame) -> Frame:
    """The frame with heads and plates made coarse in every view that has boxes.

    Raises:
        ValueError: A view has no boxes: nothing says where people are.
    """
    return replace(frame, views={name: _hidden(view) for name, view in frame.views.items()})


def _hidden(view: View) -> View:
    if view.boxes is None:
        raise ValueError("a view without boxes cannot be made private; detect people first")
    image = view.image.copy()
    names = view.boxes.details or ("",) * len(view.boxes)
    for (left, top, right, bottom), kind, name in zip(
        view.boxes.xyxy.tolist(), view.boxes.classes.tolist(), names, strict=True
    ):
        height, more = bottom - top, _WIDER * (right - left)
        if OBJECTS[kind] in HEADS or name.lower() in PEOPLE:
            _coarse(image, left - more, top - _WIDER * height, right + more, top + _HEAD * height)
        if OBJECTS[kind] in PLATES:
            _coarse(image, left, top + _PLATE[0] * height, right, top + _PLATE[1] * height)
    return replace(view, image=image)


def _coarse(image: NDArray[np.uint8], left: float, top: float, right: float, bottom: float) -> None:
    """Replace a part by a few blocks of its mean colour, which no filter turns back."""
    import cv2

    tall, wide = image.shape[:2]
    x, y = max(int(left), 0), max(int(top), 0)
    part = image[y : min(int(np.ceil(bottom)), tall), x : min(int(np.ceil(right)), wide)]
    if not part.size:
        return
    height, width = part.shape[:2]
    block = max(min(height, width) / _LEFT, 1.0)
    small = (max(int(width / block), 1), max(int(height / block), 1))
    means = cv2.resize(part, small, interpolation=cv2.INTER_AREA)
    part[:] = cv2.resize(means, (width, height), interpolation=cv2.INTER_NEAREST)
