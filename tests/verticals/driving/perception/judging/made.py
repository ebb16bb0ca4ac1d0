"""Labels, sights and random frames for the tests of judging."""

from __future__ import annotations

from typing import Any

import numpy as np

from verticals.driving.frame import OBJECTS, Boxes2D, LaneLine, View
from verticals.driving.perception.sight import Sight

CAR, WALKER = OBJECTS.index("car"), OBJECTS.index("pedestrian")
LIGHT, SIGN, OTHER = (OBJECTS.index(n) for n in ("traffic_light", "traffic_sign", "other"))
IMAGE = np.zeros((288, 512, 3), np.uint8)


def boxes(xyxy: Any, kinds: Any, **more: Any) -> Boxes2D:
    xyxy = np.asarray(xyxy, float).reshape(-1, 4)
    tracks = more.pop("track_ids", np.full(len(xyxy), -1))
    more = {k: v if k == "details" else np.asarray(v) for k, v in more.items()}
    return Boxes2D(xyxy, np.asarray(kinds, np.int64), np.asarray(tracks), **more)


def view(labels: Boxes2D | None = None, **more: Any) -> View:
    return View(IMAGE, boxes=labels, **more)


def sight(found: Boxes2D, surfaces: Any = None, confidence: Any = None, **more: Any) -> Sight:
    empty = np.zeros((288, 512))
    return Sight(
        (empty if surfaces is None else surfaces).astype(np.uint8),
        (empty if confidence is None else confidence).astype(np.float32), found, **more,
    )  # fmt: skip


def random_frames(seed: int, n: int = 30) -> tuple[list[View], list[Boxes2D]]:
    """Labels, some hidden, cut, flagged or small; and detections near some of them."""
    rng = np.random.default_rng(seed)
    views, found = [], []
    for _ in range(n):
        g = int(rng.integers(0, 9))
        corner = rng.uniform(0, [400, 200], (g, 2))
        size = rng.uniform(6, 80, (g, 2))
        kinds = rng.choice([CAR, WALKER, LIGHT], g)
        xyxy = np.concatenate([corner, corner + size], axis=1)
        views.append(view(boxes(
            xyxy, kinds, occlusion=rng.uniform(0, 0.9, g), truncation=rng.uniform(0, 0.8, g),
            ignore=rng.random(g) < 0.1, distance=rng.uniform(5, 90, g),
        )))  # fmt: skip
        again = np.repeat(np.arange(g), rng.integers(0, 3, g))
        near = xyxy[again] + rng.normal(0, 3, (len(again), 4))
        stray = rng.uniform(0, [400, 200], (3, 2))
        stray = np.concatenate([stray, stray + rng.uniform(6, 60, (3, 2))], axis=1)
        every = np.concatenate([near, stray])
        found.append(boxes(
            every, np.concatenate([kinds[again], rng.choice([CAR, WALKER, LIGHT], 3)]),
            scores=rng.permutation(np.linspace(0.05, 0.99, len(every))) + rng.uniform(0, 1e-3),
            distance=rng.uniform(5, 90, len(every)),
        ))  # fmt: skip
    return views, found


def line(x: float, offset: int, top: float = 100) -> LaneLine:
    return LaneLine(np.array([[x, 280.0], [x, top]]), "solid", offset)
