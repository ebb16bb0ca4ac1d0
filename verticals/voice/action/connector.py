"""What every home looks like from outside: states to read, calls to make, changes to hear of.

Services carry Home Assistant's names and data (`turn_on`, `brightness_pct`, `volume_level` from
0 to 1). States carry the kit's units, whatever the connection speaks: `brightness`, `percentage`,
`position` and `volume_level` from 0 to 100, temperatures in the home's unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from core.errors import CasekitError

StateChanged = Callable[[str, dict[str, Any]], None]
"""Called with an entity's id and its new {"state": …, "attributes": {…}}."""

# Done twice, these do not leave what doing them once leaves.
_ACCUMULATING = frozenset({
    "toggle", "volume_up", "volume_down", "media_next_track", "media_previous_track", "add_item",
    "start_timer", "increase", "decrease", "increase_speed", "decrease_speed", "press",
})  # fmt: skip


class DeviceError(CasekitError):
    """The home refuses a call: an unknown device or service, data it does not take."""


class UnreachableError(DeviceError):
    """Nothing was reached, or no answer came: the same call with the same id may be sent again."""


class UncertainError(DeviceError):
    """It was sent and may have acted, and the other side cannot tell a repetition."""


@dataclass(frozen=True)
class ServiceCall:
    """One thing that one device is to do."""

    entity_id: str
    """Such as light.kitchen; timers are `timer.assistant`."""
    service: str
    """Home Assistant's name without its domain, such as turn_on."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """Plain values by Home Assistant's names, such as {"brightness_pct": 40}."""

    @property
    def domain(self) -> str:
        """The part of the entity's id before the dot."""
        return self.entity_id.partition(".")[0]

    @property
    def repeatable(self) -> bool:
        """Whether doing it twice leaves the same as doing it once."""
        timer = self.domain == "timer" and self.service == "start"
        return self.service not in _ACCUMULATING and not timer


class Connector(Protocol):
    """A connection to a home: simulated, over MQTT, or through Home Assistant."""

    @property
    def remembers(self) -> bool:
        """Whether the other side acts once on a command id, however often it arrives."""

    async def state(self, entity_id: str) -> dict[str, Any]:
        """The present state: {"state": str, "attributes": {name: plain value}}.

        Raises:
            DeviceError: No such entity.
            UnreachableError: Nothing answers.
        """

    async def apply(self, command_id: str, call: ServiceCall) -> None:
        """Make a call; a second one with the same id does nothing where the other side remembers.

        Raises:
            DeviceError: The home refuses it.
            UnreachableError: It was not sent, or no answer came and it may be repeated.
            UncertainError: It was sent, no answer came, and it must not be repeated blindly.
        """

    def subscribe(self, callback: StateChanged) -> Callable[[], None]:
        """Hear of every change of state, in order; returns what ends it."""


@runtime_checkable
class Connected(Protocol):
    """A connector that has to be opened before it is used, and closed after."""

    async def start(self) -> None:
        """Connect; returns when the home's devices are known."""

    async def stop(self) -> None:
        """Say goodbye and disconnect."""
