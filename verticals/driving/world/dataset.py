"""Rendered frames without end: sequences of streets, each from its own seed.

A sequence is one street in one weather, seen by one set of cameras at ten frames per second. Split
by sequence, never by frame: `sequences(range(...))` of disjoint seeds share nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from core.errors import ParameterError
from verticals.driving.frame import Frame
from verticals.driving.world.cameras import Camera, draw_camera, draw_hand_camera
from verticals.driving.world.crowd import Crowd, populate, stroll
from verticals.driving.world.lidar import Lidar
from verticals.driving.world.plan import draw_plan
from verticals.driving.world.render import render_frame
from verticals.driving.world.streets import build
from verticals.driving.world.weather import WEATHERS, Weather, draw_weather

View = Literal["street", "pavement", "any"]
_ON_FOOT = 0.3  # share of the seeds that "any" sees from the pavement


@dataclass(frozen=True)
class WorldSettings:
    """What is rendered."""

    width: int = 512
    height: int = 288
    frames: int = 10  # of a sequence
    step_s: float = 0.1  # between them; longer steps show more of a street in as many frames
    weathers: tuple[str, ...] = WEATHERS  # drawn from these by their usual odds
    lidar: bool = False
    view: View = "street"  # from a car, from the hand of somebody on foot, or either by the seed


@dataclass(frozen=True, eq=False)
class Drive:
    """One street, ready to be rendered at any time."""

    crowd: Crowd
    cameras: tuple[Camera, ...]
    weather: Weather
    lidar: Lidar | None

    def frame(self, index: int, time_s: float) -> Frame:
        """One frame; the same arguments give the same bits."""
        scene = self.crowd.scene(time_s, index)
        return render_frame(scene, self.cameras, self.weather, lidar=self.lidar)


def sequence(
    seed: int, settings: WorldSettings | None = None, cameras: Sequence[Camera] | None = None
) -> Drive:
    """The street of a seed.

    Args:
        seed: Everything follows from it.
        settings: Size and weather.
        cameras: Instead of a dash camera drawn at random.

    Raises:
        ParameterError: A weather or a view that does not exist.
    """
    settings = settings or WorldSettings()
    unknown = set(settings.weathers) - set(WEATHERS)
    if unknown or not settings.weathers:
        raise ParameterError(
            f"unknown weather {', '.join(sorted(unknown)) or '(none given)'}",
            where="weathers",
            remedy=f"Choose from {', '.join(WEATHERS)}",
        )
    if settings.view not in get_args(View):
        raise ParameterError(
            f"unknown view {settings.view!r}",
            where="view",
            remedy=f"Choose from {', '.join(get_args(View))}",
        )
    plan = draw_plan(seed)
    rng = np.random.default_rng([71, seed])
    named = None
    if set(settings.weathers) != set(WEATHERS):
        named = settings.weathers[int(rng.integers(len(settings.weathers)))]
    weather = draw_weather(rng, named)
    crowd = populate(build(plan), plan)
    if settings.view == "pavement" or (
        settings.view == "any" and np.random.default_rng([72, seed]).random() < _ON_FOOT
    ):
        mounted = cameras or [draw_hand_camera(rng, settings.width, settings.height)]
        lens, weather = mounted[0].calibration, replace(weather, headlamps=False)
        crowd = stroll(crowd, plan, 2 * float(np.arctan(lens.width / 2 / lens.matrix[0, 0])))
    else:
        mounted = cameras or [draw_camera(rng, settings.width, settings.height)]
    return Drive(crowd, tuple(mounted), weather, Lidar() if settings.lidar else None)


def sequences(
    seeds: Iterable[int],
    settings: WorldSettings | None = None,
    cameras: Sequence[Camera] | None = None,
) -> Iterator[Frame]:
    """Frames of one sequence after the other.

    Args:
        seeds: One sequence each.
        settings: Size, length and weather.
        cameras: Instead of a dash camera drawn at random for each sequence.
    """
    settings = settings or WorldSettings()
    for seed in seeds:
        drawn = sequence(seed, settings, cameras)
        for index in range(settings.frames):
            yield drawn.frame(index, index * settings.step_s)
