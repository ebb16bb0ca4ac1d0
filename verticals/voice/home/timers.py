"""The assistant's timers and alarms: started, paused, changed, cancelled, by a given clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from verticals.voice.home.services import UnknownServiceError

ENTITY = "timer.assistant"
CLOCK = "alarm_clock.assistant"
_LONGEST_S = 100 * 3600.0


@dataclass(frozen=True)
class Timer:
    """One timer; while paused it keeps what was left."""

    name: str
    area: str
    total_s: float
    ends: datetime | None
    left_s: float = 0.0

    def remaining_s(self, now: datetime) -> float:
        """Seconds left, never below 0."""
        if self.ends is None:
            return self.left_s
        return max(0.0, (self.ends - now).total_seconds())


def changed(
    timers: tuple[Timer, ...], service: str, data: Mapping[str, Any], now: datetime
) -> tuple[Timer, ...]:
    """The timers after a service.

    Args:
        timers: Those there are; the ones that rang are dropped.
        service: start, cancel, cancel_all, pause, unpause, increase, decrease.
        data: seconds (of start, increase, decrease), name, area, start_seconds (its first length)
            to say which; of several that fit, the one that rings first.
        now: The present.

    Raises:
        UnknownServiceError: No such service, no such timer, or no sensible time.
    """
    timers = tuple(t for t in timers if t.remaining_s(now) > 0)
    if service == "start":
        seconds = _seconds(data)
        new = Timer(str(data.get("name") or ""), str(data.get("area") or ""), seconds,
                    _later(now, seconds))  # fmt: skip
        return (*timers, new)
    if service == "cancel_all":
        return ()
    place = _which(timers, data, now, service)
    kept = () if service == "cancel" else (_one(timers[place], service, data, now),)
    return (*timers[:place], *kept, *timers[place + 1 :])


def shown(timers: tuple[Timer, ...], now: datetime) -> dict[str, Any]:
    """State and attributes of the timers' entity, soonest first."""
    rows = [
        {"name": t.name, "area": t.area, "total_s": t.total_s,
         "remaining_s": round(t.remaining_s(now), 1), "paused": t.ends is None}
        for t in sorted(timers, key=lambda t: t.remaining_s(now))
        if t.remaining_s(now) > 0
    ]  # fmt: skip
    running = any(not row["paused"] for row in rows)
    state = "active" if running else "paused" if rows else "idle"
    return {"state": state, "attributes": {"timers": rows}}


def _one(timer: Timer, service: str, data: Mapping[str, Any], now: datetime) -> Timer:
    left = timer.remaining_s(now)
    if service == "pause":
        return replace(timer, ends=None, left_s=left)
    if service == "unpause":
        return replace(timer, ends=_later(now, left))
    if service not in ("increase", "decrease"):
        raise UnknownServiceError(f"timers have no service {service!r}")
    left = max(0.0, left + _seconds(data) * (1 if service == "increase" else -1))
    if timer.ends is None:
        return replace(timer, left_s=left)
    return replace(timer, ends=_later(now, left))


def _which(timers: tuple[Timer, ...], data: Mapping[str, Any], now: datetime, service: str) -> int:
    name, area = str(data.get("name") or "").casefold(), str(data.get("area") or "").casefold()
    length = data.get("start_seconds")
    fits = [
        (t.ends is None and service != "unpause", t.remaining_s(now), place)
        for place, t in enumerate(timers)
        if (not name or t.name.casefold() == name)
        and (not area or t.area.casefold() == area)
        and (length is None or t.total_s == length)
        and (service != "unpause" or t.ends is None)
    ]
    if not fits:
        raise UnknownServiceError("there is no such timer")
    return min(fits)[2]


def _seconds(data: Mapping[str, Any]) -> float:
    seconds = data.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise UnknownServiceError("seconds must be a number")
    if not 0 < seconds <= _LONGEST_S:
        raise UnknownServiceError("a timer takes more than 0 seconds and at most 100 hours")
    return float(seconds)


def _later(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)
