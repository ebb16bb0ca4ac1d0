"""A home without hardware: every device a state that services change, by a given clock.

A connector like those to real homes; it remembers command ids, so a call acts once.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from verticals.voice.action.connector import DeviceError, ServiceCall, StateChanged
from verticals.voice.home import services, timers, weather
from verticals.voice.home.model import Entity, Home

_WARMS_S = 1800.0  # a room has come 63 per cent of the way to its set-point
_REMEMBERED = 10_000


def present() -> datetime:
    """The present, in local time."""
    return datetime.now().astimezone()


class SimulatedHome:
    """The devices of a home, simulated."""

    def __init__(
        self, home: Home, now: Callable[[], datetime] | None = None, *, seed: int = 0
    ) -> None:
        """Set every device to its first state.

        Args:
            home: Its devices and scenes.
            now: The clock; the computer's if None.
            seed: Of the weather.
        """
        self._home, self._now, self._seed = home, now or present, seed
        self._listeners: list[StateChanged] = []
        self.reset()

    @property
    def remembers(self) -> bool:
        """It acts once on a command id."""
        return True

    def reset(self) -> None:
        """Back to the first state of everything; who listens goes on listening."""
        self._states = {e.id: _first(e) for e in self._home.entities}
        self._since = {e.id: self._now() for e in self._home.entities if e.domain == "climate"}
        self._timers: tuple[timers.Timer, ...] = ()
        self._alarms: list[str] = []
        self._seen: deque[str] = deque(maxlen=_REMEMBERED)

    async def state(self, entity_id: str) -> dict[str, Any]:
        """The present state; see `Connector.state`.

        Raises:
            DeviceError: No such entity.
        """
        return self._state(entity_id)

    def states(self) -> dict[str, dict[str, Any]]:
        """The present state of everything, for a floor plan."""
        return {name: self._state(name) for name in (*self._states, timers.ENTITY, timers.CLOCK)}

    async def apply(self, command_id: str, call: ServiceCall) -> None:
        """Make a call once; see `Connector.apply`.

        Raises:
            DeviceError: No such device or service, or a value that it does not take.
        """
        if command_id in self._seen:
            return
        before = self._state(call.entity_id)
        try:
            self._act(call, before)
        except services.UnknownServiceError as error:
            raise DeviceError(
                str(error), where=call.entity_id, remedy="Ask for something that it can do"
            ) from None
        self._seen.append(command_id)

    def subscribe(self, callback: StateChanged) -> Callable[[], None]:
        """Hear of every change of state, in order; returns what ends it."""
        self._listeners.append(callback)

        def end() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return end

    def _act(self, call: ServiceCall, before: dict[str, Any]) -> None:
        if call.entity_id == timers.ENTITY:
            self._timers = timers.changed(self._timers, call.service, call.data, self._now())
            self._tell(timers.ENTITY)
        elif call.entity_id == timers.CLOCK:
            self._alarms = _alarms(self._alarms, call)
            self._tell(timers.CLOCK)
        elif call.domain in ("scene", "script"):
            self._scene(call)
        else:
            data = dict(call.data)
            if call.service in ("media_next_track", "media_previous_track"):
                data["titles"] = list(self._home.media)
            self._set(call.entity_id, services.after(call.domain, before, call.service, data))

    def _scene(self, call: ServiceCall) -> None:
        if call.service != "turn_on":
            raise services.UnknownServiceError(f"{call.domain} has no service {call.service!r}")
        sets = next((s.sets for s in self._home.scenes if s.id == call.entity_id), {})
        for name, wanted in sets.items():
            old = self._state(name)
            attributes = {k: v for k, v in wanted.items() if k != "state"}
            state = str(wanted.get("state", old["state"]))
            self._set(name, {"state": state, "attributes": {**old["attributes"], **attributes}})
        self._set(call.entity_id, {"state": self._now().isoformat(timespec="seconds"),
                                   "attributes": {}})  # fmt: skip

    def _set(self, name: str, state: dict[str, Any]) -> None:
        if name in self._since:
            self._since[name] = self._now()
        if state != self._states[name]:
            self._states[name] = state
            self._tell(name)

    def _tell(self, name: str) -> None:
        for listener in tuple(self._listeners):
            listener(name, self._state(name))

    def _state(self, name: str) -> dict[str, Any]:
        if name == timers.ENTITY:
            return timers.shown(self._timers, self._now())
        if name == timers.CLOCK:
            return {"state": str(len(self._alarms)), "attributes": {"alarms": list(self._alarms)}}
        if name not in self._states:
            raise DeviceError(
                f"the home has no device {name!r}", where="entity_id",
                remedy="Use an id of the home's YAML",
            )  # fmt: skip
        state = self._states[name]
        if name.startswith("weather."):
            return weather.present(self._now(), seed=self._seed, latitude=self._home.latitude)
        if name in self._since:
            return _warmed(state, (self._now() - self._since[name]).total_seconds())
        return {"state": state["state"], "attributes": dict(state["attributes"])}


def _first(entity: Entity) -> dict[str, Any]:
    return {"state": entity.state or "unknown", "attributes": dict(entity.attributes)}


def _warmed(state: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """A room on its way to the set-point, as Newton's law of cooling has it."""
    attributes = dict(state["attributes"])
    goal, now = attributes.get("temperature"), attributes.get("current_temperature")
    if state["state"] != "off" and isinstance(goal, int | float) and isinstance(now, int | float):
        reached = 1 - math.exp(-max(0.0, seconds) / _WARMS_S)
        attributes["current_temperature"] = round(now + (goal - now) * reached, 1)
    return {"state": state["state"], "attributes": attributes}


def _alarms(alarms: list[str], call: ServiceCall) -> list[str]:
    time = str(call.data.get("time") or "").strip()
    if call.service == "set":
        if not time:
            raise services.UnknownServiceError("an alarm needs a time")
        return alarms if time in alarms else [*alarms, time]
    if call.service == "cancel_all":
        return []
    if call.service != "cancel":
        raise services.UnknownServiceError(f"alarms have no service {call.service!r}")
    if not alarms or (time and time not in alarms):
        raise services.UnknownServiceError("there is no such alarm")
    return [alarm for alarm in alarms if alarm != (time or alarms[0])]
