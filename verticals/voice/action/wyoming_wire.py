"""Wyoming events off the wire within limits: one line of JSON, more JSON, then bytes.

The library's own reader takes whatever length a client claims; a server must not.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import DataError

if TYPE_CHECKING:
    from wyoming.event import Event


@dataclass(frozen=True)
class Limits:
    """What one client, and all together, may ask for."""

    clients: int = 16
    """At once; one more is told so and turned away."""
    line_bytes: int = 16_384
    """Of an event's first line."""
    data_bytes: int = 65_536
    """Of its further JSON."""
    payload_bytes: int = 1_048_576
    """Of its sound: 32 s of 16-bit samples at 16 kHz."""
    audio_s: float = 60.0
    """Of one request, all chunks together."""
    text_chars: int = 4_000
    """To be spoken or understood."""
    idle_s: float = 300.0
    """Without an event before the connection is closed."""


class WireError(DataError):
    """The client does not speak Wyoming, or too much of it."""


async def read_event(reader: asyncio.StreamReader, limits: Limits) -> Event | None:
    """The next event; None at the end.

    Args:
        reader: Made with a limit of at least `limits.line_bytes`.
        limits: What is accepted.

    Raises:
        WireError: It is malformed or too long.
        TimeoutError: The client was silent, or stopped midway.
    """
    from wyoming.event import Event

    async with asyncio.timeout(limits.idle_s):
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            if error.partial:
                raise WireError("The connection ended within an event") from None
            return None
        except asyncio.LimitOverrunError as error:
            raise WireError("An event's first line is too long") from error
        if len(line) > limits.line_bytes:
            raise WireError("An event's first line is too long")
        header = _object(line)
        kind, data = header.get("type"), header.get("data") or {}
        if not isinstance(kind, str) or not isinstance(data, dict):
            raise WireError("An event lacks its type")
        try:
            if more := _length(header, "data_length", limits.data_bytes):
                data = {**data, **_object(await reader.readexactly(more))}
            size = _length(header, "payload_length", limits.payload_bytes)
            payload = await reader.readexactly(size) if size else None
        except asyncio.IncompleteReadError as error:
            raise WireError("The connection ended within an event") from error
    return Event(type=kind[:64], data=data, payload=payload)


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError("An event is not JSON") from error
    if not isinstance(value, dict):
        raise WireError("An event is not a JSON object")
    return value


def _length(header: dict[str, Any], name: str, most: int) -> int:
    value = header.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise WireError(f"{name} is no length")
    if value > most:
        raise WireError(f"{name} is more than the {most} bytes accepted")
    return value
