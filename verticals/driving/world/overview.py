"""The scene from above, as a map for people: roads, lanes, lights and everybody on them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from verticals.driving.frame import OBJECTS
from verticals.driving.world.ground import crossing_quads, marking_quads
from verticals.driving.world.scene import Ego, Floats, Scene

_GROUND = {"road": (74, 76, 80), "pavement": (150, 150, 148), "verge": (122, 148, 96)}
_KINDS = {
    "car": (86, 156, 214), "van": (120, 170, 200), "truck": (150, 130, 200), "bus": (206, 145, 60),
    "pedestrian": (220, 90, 110), "cyclist": (90, 190, 130), "motorcycle": (90, 170, 160),
}  # fmt: skip
_LAMPS = {
    "red": (230, 50, 50),
    "red_amber": (240, 130, 40),
    "amber": (250, 180, 40),
    "green": (40, 200, 90),
}
_EGO = (250, 210, 60)
_SHIFT = 4  # bits of a pixel's fraction

Image = NDArray[Any]  # (height, width, 3) uint8 RGB


def overview(
    scene: Scene,
    size: tuple[int, int] = (480, 480),
    metres: float = 80.0,
    *,
    heading_up: bool = True,
) -> Image:
    """Draw a map around the ego.

    Args:
        scene: The moment.
        size: Width and height in pixels.
        metres: What the width shows.
        heading_up: The ego looks up; else north is up.
    """
    width, height = size
    image = np.full((height, width, 3), (172, 186, 160), np.uint8)
    to_pixels = _Map(scene.ego, size, width / metres, heading_up=heading_up)
    street = scene.street
    for area in sorted(street.areas, key=lambda area: area.kind == "road"):
        _fill(image, to_pixels, area.outline, _GROUND[area.kind])
    for house in street.buildings:
        _fill(image, to_pixels, house.corners, (196, 184, 172))
    for marking in street.markings:
        for quad in marking_quads(marking):
            _fill(image, to_pixels, quad, (226, 196, 84) if marking.yellow else (236, 236, 232))
    for crossing in street.crossings:
        for quad in crossing_quads(crossing):
            _fill(image, to_pixels, quad, (236, 236, 232))
    for thing in street.props:
        if thing.kind == "tree":
            _disc(image, to_pixels, thing.position, thing.size * 0.3, (96, 128, 72))
    for light, state in zip(street.signals, scene.light_states(), strict=True):
        _disc(image, to_pixels, light.position, 0.9, _LAMPS[state])
    actors = scene.actors
    for kind, pose, extent in zip(actors.kinds, actors.poses, actors.sizes, strict=True):
        _vehicle(image, to_pixels, pose, extent, _KINDS.get(OBJECTS[kind], (200, 200, 200)))
    ego = scene.ego
    middle = np.array([ego.x + 1.35 * np.cos(ego.yaw), ego.y + 1.35 * np.sin(ego.yaw), ego.yaw])
    _vehicle(image, to_pixels, middle, np.array([4.3, 1.8, 1.5]), _EGO)
    return image


class _Map:
    """World to pixels."""

    def __init__(self, ego: Ego, size: tuple[int, int], scale: float, *, heading_up: bool) -> None:
        turn = np.pi / 2 - ego.yaw if heading_up else 0.0
        cos, sin = np.cos(turn), np.sin(turn)
        self.matrix = scale * np.array([[cos, -sin], [-sin, -cos]])  # pixels look down
        self.centre = np.array([ego.x, ego.y])
        self.middle = np.array([size[0] / 2, size[1] * (0.68 if heading_up else 0.5)])
        self.scale = scale

    def __call__(self, points: Floats) -> Floats:
        """(k, 2) metres to (k, 2) pixels."""
        return (points - self.centre) @ self.matrix.T + self.middle


def _fill(image: Image, to_pixels: _Map, outline: Floats, colour: tuple[int, int, int]) -> None:
    pixels = (to_pixels(outline) * 2**_SHIFT).round().astype(np.int32)
    cv2.fillConvexPoly(image, pixels, colour, cv2.LINE_AA, _SHIFT)


def _disc(
    image: Image, to_pixels: _Map, place: Floats, radius: float, colour: tuple[int, int, int]
) -> None:
    x, y = (to_pixels(place[None])[0] * 2**_SHIFT).round().astype(int)
    reach = int(radius * to_pixels.scale * 2**_SHIFT)
    cv2.circle(image, (int(x), int(y)), reach, colour, -1, cv2.LINE_AA, _SHIFT)


def _vehicle(
    image: Image, to_pixels: _Map, pose: Floats, size: Floats, colour: tuple[int, int, int]
) -> None:
    """A rectangle with a lighter nose."""
    cos, sin = np.cos(pose[2]), np.sin(pose[2])
    turn = np.array([[cos, -sin], [sin, cos]])
    square = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) / 2 * size[:2]
    _fill(image, to_pixels, square @ turn.T + pose[:2], colour)
    nose = np.array([[0.5, 0.4], [0.2, 0.4], [0.2, -0.4], [0.5, -0.4]]) * size[:2]
    light = tuple(min(255, int(v * 1.25 + 30)) for v in colour)
    _fill(image, to_pixels, nose @ turn.T + pose[:2], light)  # type: ignore[arg-type]
