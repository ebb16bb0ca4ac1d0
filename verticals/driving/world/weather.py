"""Weather and hour, and the light they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verticals.driving.world.scene import Floats
from verticals.driving.world.shading import Light


@dataclass(frozen=True)
class Weather:
    """What the sky does."""

    sun_height: float = 0.7  # radians above the horizon; below 0 it is night
    sun_bearing: float = 2.0  # radians anti-clockwise from world x
    clouds: float = 0.3  # 0 clear to 1 covered
    rain: float = 0.0  # 0 to 1
    fog: float = 0.0  # 1 / metres: contrast falls to 1/e over its inverse
    wet: float = 0.0  # 0 dry to 1 soaked road
    drops: float = 0.0  # 0 to 1: water on the windscreen
    drift: tuple[float, float] = (0.0, 0.0)  # of the clouds
    warmth: float = 0.0  # -1 cold to 1 warm light
    haze: float = 1.0  # brightness of the sky next to what it lights
    headlamps: bool = True  # the ego has lamps; somebody on foot has none
    dirt: float = 0.2  # depth of stains on the ground and walls, 0 to 1

    @property
    def night(self) -> bool:
        """Lamps are on."""
        return self.sun_height < 0


DAY = Weather()
WEATHERS = ("day", "overcast", "low_sun", "rain", "fog", "dusk", "night", "night_rain")
_ODDS = np.array([0.42, 0.24, 0.1, 0.06, 0.03, 0.07, 0.05, 0.03])


def draw_weather(rng: np.random.Generator, name: str | None = None) -> Weather:
    """Weather at random, of a named sort or of any.

    Raises:
        ValueError: An unknown name.
    """
    if name is not None and name not in WEATHERS:
        raise ValueError(f"weather is one of {', '.join(WEATHERS)}, not {name!r}")
    kind = name or str(rng.choice(WEATHERS, p=_ODDS / _ODDS.sum()))
    bearing = float(rng.uniform(-np.pi, np.pi))
    drift = (float(rng.uniform(0, 8)), float(rng.uniform(0, 8)))
    warmth = float(rng.normal(0, 0.4))

    def one(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    made = {
        "day": lambda: Weather(one(0.35, 1.1), bearing, one(0, 0.7)),
        "overcast": lambda: Weather(one(0.4, 1.0), bearing, one(0.9, 1.0), wet=one(-0.5, 0.4)),
        "low_sun": lambda: Weather(one(0.08, 0.3), float(rng.normal(0, 0.5)), one(0, 0.5)),
        "rain": lambda: Weather(one(0.3, 0.9), bearing, 1.0, one(0.3, 1), one(0.002, 0.012),
                                one(0.6, 1), one(0, 1)),
        "fog": lambda: Weather(one(0.2, 0.8), bearing, 1.0, 0.0, one(0.012, 0.05), one(0, 0.4)),
        "dusk": lambda: Weather(one(0.01, 0.06), bearing, one(0.3, 1.0), wet=one(-0.5, 0.6)),
        "night": lambda: Weather(one(-0.5, -0.1), bearing, one(0, 1), wet=one(-0.8, 0.3)),
        "night_rain": lambda: Weather(one(-0.5, -0.1), bearing, 1.0, one(0.3, 1), one(0.001, 0.008),
                                      one(0.7, 1), one(0, 1)),
    }[kind]()  # fmt: skip
    fields = {
        **vars(made), "drift": drift, "warmth": warmth, "wet": max(0.0, made.wet),
        "haze": one(0.7, 1.9), "dirt": one(0.1, 0.5),
    }  # fmt: skip
    return Weather(**fields)


def light_of(weather: Weather, lamps: Floats, exposure: float = 1.0) -> Light:
    """The light of a weather.

    Args:
        weather: What the sky does.
        lamps: (n, 3) street lamps nearby; used at night.
        exposure: Of the camera.
    """
    covered = weather.clouds**3
    high = max(weather.sun_height, 0.02)
    low = np.exp(-high / 0.2)  # the sun near the horizon is weak and red
    white = np.array([1.0, 0.97, 0.9])
    tone = white * (1 - low) + np.array([1.0, 0.6, 0.3]) * low
    warm = np.array([1 + 0.08 * weather.warmth, 1.0, 1 - 0.08 * weather.warmth])
    if weather.night:
        dark = np.array([0.012, 0.014, 0.022])
        return Light(
            to_sun=np.array([0.0, 0.0, 1.0]), sun=np.zeros(3), ambient=dark * 2.2,
            zenith=dark * 0.5,
            horizon=dark * (1.2 + 2 * covered), fog=weather.fog, clouds=weather.clouds,
            drift=np.array(weather.drift), exposure=2.2 * exposure, lit=0.28,
            headlamp=9.0 * weather.headlamps,
            lamps=np.column_stack([lamps, np.full(len(lamps), 9.0)]), wet=weather.wet,
            dirt=weather.dirt,
        )  # fmt: skip
    dusk = min(1.0, 0.25 + high / 0.2)
    sun = 2.3 * tone * (1 - 0.97 * covered) * dusk * warm
    clear_zenith, clear_horizon = np.array([0.22, 0.40, 0.78]), np.array([0.72, 0.82, 0.92])
    grey = np.array([0.78, 0.8, 0.82]) * (1 - 0.35 * weather.rain)
    red = np.array([0.9, 0.6, 0.42])
    horizon = (clear_horizon * (1 - low) + red * low) * (1 - covered) + grey * covered
    zenith = clear_zenith * (1 - covered) + grey * 1.05 * covered
    ambient = (0.42 * np.array([0.85, 0.93, 1.08]) * (1 - covered) + 0.7 * grey * covered) * warm
    if covered > 0.75:  # a covered sky shades softly from above
        to_sun, sun = np.array([0.1, 0.15, 0.98]), 0.45 * grey * dusk
    else:
        bearing = weather.sun_bearing
        to_sun = np.array(
            [np.cos(bearing) * np.cos(high), np.sin(bearing) * np.cos(high), np.sin(high)]
        )
    to_sun = to_sun / np.linalg.norm(to_sun)
    dim = 0.35 + 0.65 * dusk
    return Light(
        to_sun=to_sun, sun=sun, ambient=ambient * dim,
        zenith=zenith * dim * weather.haze * (1.3 - 0.35 * covered),
        horizon=horizon * dim * weather.haze * (1.5 - 0.45 * covered),
        fog=weather.fog + 0.0006, clouds=weather.clouds, drift=np.array(weather.drift),
        exposure=exposure, lit=0.12 if dusk < 0.6 else 0.0, headlamp=0.0,
        lamps=np.zeros((0, 4)), wet=weather.wet, dirt=weather.dirt,
    )  # fmt: skip
