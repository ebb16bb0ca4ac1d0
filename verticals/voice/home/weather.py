"""The weather of a made-up place: seasons by latitude, days that hang together, no network."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import numpy as np

_MEMORY = 0.7  # of a day on the next
_LOOK_BACK = 14  # days after which memory is below 1 per cent


@dataclass(frozen=True)
class Day:
    """One day's forecast."""

    datetime: str
    """Its date, ISO 8601."""
    condition: str
    """Home Assistant's word: sunny, partlycloudy, cloudy, rainy, pouring, snowy, fog."""
    temperature: float
    """Highest, °C."""
    templow: float
    """Lowest, °C."""
    precipitation_probability: int
    """Per cent."""
    wind_speed: float
    """km/h."""


def forecast(day: datetime, *, days: int = 7, seed: int = 0, latitude: float = 48.2) -> list[Day]:
    """Today and the days after; the same day of the same place is always the same.

    Args:
        day: The first.
        days: How many.
        seed: Of the place.
        latitude: Degrees north; sets level and swing of the seasons.
    """
    return [_day(day + timedelta(days=n), seed, latitude) for n in range(days)]


def present(now: datetime, *, seed: int = 0, latitude: float = 48.2) -> dict[str, object]:
    """The weather now, as state and attributes of a weather entity."""
    coming = forecast(now, seed=seed, latitude=latitude)
    today = coming[0]
    share = 0.5 - 0.5 * math.cos(2 * math.pi * ((now.hour + now.minute / 60) - 3) / 24)
    warmth = today.templow + (today.temperature - today.templow) * share
    return {
        "state": today.condition,
        "attributes": {
            "temperature": round(warmth, 1), "temperature_unit": "°C",
            "humidity": min(98, 45 + today.precipitation_probability // 2),
            "wind_speed": today.wind_speed, "wind_speed_unit": "km/h",
            "forecast": [asdict(day) for day in coming],
        },
    }  # fmt: skip


def _day(day: datetime, seed: int, latitude: float) -> Day:
    cloud, warmth, wind = (_drift(day, seed, part) for part in range(3))
    season = -math.cos(2 * math.pi * (day.timetuple().tm_yday - 20) / 365.25)
    swing = 11 * min(abs(latitude) / 50, 1.4) * (1 if latitude >= 0 else -1)
    mean = 27 - 0.35 * abs(latitude) + swing * season + 3.5 * warmth
    rain = int(round(100 / (1 + math.exp(-2 * (cloud - 0.6))), -1))
    spread = 5.5 - 1.5 * max(-1.0, min(1.0, cloud))
    return Day(
        day.date().isoformat(), _condition(cloud, mean), round(mean + spread, 1),
        round(mean - spread, 1), rain, round(max(1.0, 12 + 6 * wind), 1),
    )  # fmt: skip


def _condition(cloud: float, mean: float) -> str:
    if cloud > 1.6:
        return "snowy" if mean < 0 else "pouring"
    if cloud > 0.7:
        return "snowy" if mean < 0 else "rainy"
    if cloud > 0.2:
        return "cloudy"
    return "partlycloudy" if cloud > -0.5 else "sunny"


def _drift(day: datetime, seed: int, part: int) -> float:
    """A standard normal number that remembers the days before."""
    number = day.date().toordinal()
    steps = [
        _MEMORY**back * np.random.default_rng([seed, part, number - back]).standard_normal()
        for back in range(_LOOK_BACK)
    ]
    return float(sum(steps) * math.sqrt(1 - _MEMORY**2))
