"""Rendered scenes to look at, in any weather, with the truth about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from apps.demos.driving_pages.looking import Picture

if TYPE_CHECKING:
    from verticals.driving.frame import Calibration

NUMBERS = (1, 9999)  # of scenes
PICTURES = 30  # of a drive
STEP_S = 0.1
_FIRST = 9_000_000  # seeds from here on are neither learned from nor used to choose what to ship


def scene(number: int, weather: str, *, drive: bool) -> tuple[Calibration, Iterator[Picture]]:
    """A street, its camera and its pictures.

    Args:
        number: Of the street.
        weather: One of world.weather.WEATHERS.
        drive: Three seconds instead of one picture.

    Raises:
        ParameterError: There is no such weather.
    """
    from verticals.driving.world.dataset import WorldSettings, sequence

    low, high = NUMBERS
    seed = _FIRST + min(max(int(number), low), high)
    street = sequence(seed, WorldSettings(weathers=(weather,)))
    speed = float(street.crowd.movers[-1].speed)

    def pictures() -> Iterator[Picture]:
        for k in range(PICTURES if drive else 1):
            view = next(iter(street.frame(k, k * STEP_S).views.values()))
            yield Picture(view.image, k * STEP_S, view.boxes, speed)

    return street.cameras[0].calibration, pictures()
